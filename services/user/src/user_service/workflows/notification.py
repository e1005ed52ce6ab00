"""Tell a user something: in the inbox and, where wanted and possible, by e-mail."""

import asyncio

from pydantic import ValidationError
from temporalio import workflow
from temporalio.exceptions import ActivityError, FailureError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from platform_contracts.analytics.events import event_of
    from platform_contracts.memo import Progress
    from platform_contracts.user.notification import (
        WORKFLOW_TYPE,
        Channel,
        Delivery,
        DeliveryReason,
        DeliveryStatus,
        Notification,
        NotificationInput,
        NotificationResult,
        NotificationStep,
    )
    from platform_workflow_tools import activity_options
    from platform_workflow_tools.events import report_events
    from platform_workflow_tools.progress import report_progress
    from platform_workflow_tools.uninterrupted import uninterrupted
    from user_service.activities.notifications import (
        CancelNotification,
        DeliveredInApp,
        DeliverNotification,
        GiveUpEmail,
        NotificationActivities,
    )
    from user_service.workflows import patches


@workflow.defn(name=WORKFLOW_TYPE, failure_exception_types=[ValidationError])
class NotificationWorkflow(Notification):
    """Deliver in the app, then by e-mail, and report it; can be cancelled until it is delivered."""

    @workflow.run
    async def run(self, notification: NotificationInput) -> NotificationResult:
        """Deliver the notification."""
        try:
            by_email = await self._deliver(DeliverNotification.model_validate(notification.model_dump()))
        except (FailureError, asyncio.CancelledError) as error:
            known = await self._known_after(error, notification)
            if known is None:
                raise
            by_email = known

        # What is delivered cannot be called back, so a cancel comes too late.
        report_progress(Progress(step=NotificationStep.NOTIFIED, cancellable=False))
        await uninterrupted(self._report(notification))
        return NotificationResult(
            notification_id=notification.notification_id,
            deliveries=(Delivery(channel=Channel.IN_APP, status=DeliveryStatus.SENT), by_email),
        )

    async def _deliver(self, request: DeliverNotification) -> Delivery:
        report_progress(Progress(step=NotificationStep.DELIVERING_IN_APP))
        in_app = await self._deliver_in_app(request)
        if not in_app.is_for_email:
            return _email(DeliveryStatus.SKIPPED, DeliveryReason.NOT_FOR_THIS_TYPE)
        report_progress(Progress(step=NotificationStep.SENDING_EMAIL))
        return await self._send_email(request)

    async def _known_after(self, error: BaseException, notification: NotificationInput) -> Delivery | None:
        """Have a cancel kept, and return what is known of the mail by now: for one that was sent it came too late."""
        if workflow.cancellation_reason() is None or not is_cancelled_exception(error):
            return None
        if not workflow.patched(patches.CANCELLED_NOTIFICATION_IS_KEPT):
            return None
        return await uninterrupted(self._cancel(notification))

    async def _cancel(self, notification: NotificationInput) -> Delivery | None:
        cancelled = await workflow.execute_activity_method(
            NotificationActivities.cancel_notification,
            CancelNotification(tenant=notification.tenant, notification_id=notification.notification_id),
            **activity_options.UNTIL_DONE,
        )
        return cancelled.delivery

    async def _deliver_in_app(self, request: DeliverNotification) -> DeliveredInApp:
        return await workflow.execute_activity_method(
            NotificationActivities.deliver_in_app, request, **activity_options.DATABASE_WRITE
        )

    async def _send_email(self, request: DeliverNotification) -> Delivery:
        """Send the mail; that none could be sent in time is an outcome, for the user has the message in the inbox."""
        try:
            return await workflow.execute_activity_method(
                NotificationActivities.send_email, request, **activity_options.DELIVERY
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            workflow.logger.warning("mail.given_up", extra={"reason": str(error.cause)})
        if not workflow.patched(patches.GIVEN_UP_MAIL_IS_KEPT):
            return _email(DeliveryStatus.FAILED, DeliveryReason.DEADLINE)
        # From here on it is decided, so a cancel comes too late.
        report_progress(Progress(step=NotificationStep.SENDING_EMAIL, cancellable=False))
        return await uninterrupted(self._give_up_email(request))

    async def _give_up_email(self, request: DeliverNotification) -> Delivery:
        return await workflow.execute_activity_method(
            NotificationActivities.give_up_email,
            GiveUpEmail(tenant=request.tenant, notification_id=request.notification_id),
            **activity_options.UNTIL_DONE,
        )

    async def _report(self, notification: NotificationInput) -> None:
        try:
            await report_events(
                event_of(
                    tenant=notification.tenant,
                    event_type="user.notified",
                    subject_id=notification.notification_id,
                    occurred_at=workflow.now(),
                )
            )
        except FailureError as failure:
            workflow.logger.warning("event.not_reported", extra={"reason": type(failure).__name__})


def _email(status: DeliveryStatus, reason: DeliveryReason) -> Delivery:
    return Delivery(channel=Channel.EMAIL, status=status, reason=reason)
