"""Activities that deliver notifications, one for each channel."""

from datetime import UTC, datetime

from temporalio import activity

from platform_contracts.identifiers import ClientId, Tenant
from platform_contracts.message import ContractModel
from platform_contracts.user.notification import Channel, Delivery, DeliveryReason, DeliveryStatus
from user_service.activities.failures import translated
from user_service.domain.notifications import (
    CANCELLED,
    InboxEntry,
    MailOutcome,
    NotificationCancelledError,
    is_wanted_by_email,
    kind_of,
)
from user_service.ports import Accounts, Inboxes, Mail, Mailer, MailRejectedError, SentMails, Templates


class DeliverNotification(ContractModel):
    """What to deliver. The address is not part of it: it is read where it is used, and stays out of the history."""

    tenant: Tenant
    notification_id: ClientId
    user_id: ClientId
    type: str
    message: str


class DeliveredInApp(ContractModel):
    """The notification is in the inbox."""

    is_for_email: bool
    """Whether notifications of this type go out by e-mail as well."""


class GiveUpEmail(ContractModel):
    """Which notification has not gone out by e-mail in time."""

    tenant: Tenant
    notification_id: ClientId


class CancelNotification(ContractModel):
    """Which notification is not wanted any more."""

    tenant: Tenant
    notification_id: ClientId


class CancelledNotification(ContractModel):
    """What a cancel came to."""

    delivery: Delivery | None = None
    """What had come of it by e-mail before; None: nothing had, and nothing will."""


class NotificationActivities:
    """What is done to reach a user."""

    def __init__(
        self, *, accounts: Accounts, inboxes: Inboxes, sent_mails: SentMails, mailer: Mailer, templates: Templates
    ) -> None:
        """Deliver through these."""
        self._accounts = accounts
        self._inboxes = inboxes
        self._sent_mails = sent_mails
        self._mailer = mailer
        self._templates = templates

    @activity.defn(name="user.deliver_in_app")
    async def deliver_in_app(self, request: DeliverNotification) -> DeliveredInApp:
        """Put the notification into the user's inbox, whether or not the user has an account.

        A repeat finds the notification's id in the inbox and leaves it as it is.

        Raises:
            ApplicationError: of type `UNKNOWN_NOTIFICATION_TYPE`, or `NOTIFICATION_CANCELLED` when it was cancelled.
        """
        with translated():
            await self._known(request.tenant, request.notification_id)
            kind = kind_of(request.type)
            text = self._templates.render(request.type, request.message)
        await self._inboxes.deliver(
            tenant=request.tenant,
            user_id=request.user_id,
            entry=InboxEntry(
                notification_id=request.notification_id,
                type=request.type,
                subject=text.subject,
                body=text.body,
                delivered_at=datetime.now(UTC),
            ),
        )
        return DeliveredInApp(is_for_email=kind.by_email)

    @activity.defn(name="user.send_email")
    async def send_email(self, request: DeliverNotification) -> Delivery:
        """Send the notification by e-mail, if its user has an address and wants it; return what came of it.

        A repeat after that was recorded sends nothing and returns the same: who gets an address later gets no old mail.
        One window remains, because a mail server takes part in no transaction: a worker killed between the server's
        answer and the record sends the mail once more. Both carry the same Message-ID, by which mail servers and
        readers can tell that they are one.

        Raises:
            ApplicationError: of type `NOTIFICATION_CANCELLED` when it was cancelled.
            MailNotTakenError: when the server did not take it this time; Temporal tries again.
        """
        tenant, notification_id = request.tenant, request.notification_id
        with translated():
            known = await self._known(tenant, notification_id)
            if known is not None:
                return known
        outcome = await self._sent(request)
        with translated():
            return await self._recorded(tenant, notification_id, outcome)

    @activity.defn(name="user.give_up_email")
    async def give_up_email(self, request: GiveUpEmail) -> Delivery:
        """Record that the mail could not be handed over in time, and return what came of it.

        A repeat finds the record. What was recorded before stays: a mail that was sent, and whose answer was lost, was
        sent. From now on `send_email` sends nothing, but an attempt that waits for a slow mail server just then.
        """
        outcome = MailOutcome(status=DeliveryStatus.FAILED, reason=DeliveryReason.DEADLINE)
        with translated():
            return await self._recorded(request.tenant, request.notification_id, outcome)

    @activity.defn(name="user.cancel_notification")
    async def cancel_notification(self, request: CancelNotification) -> CancelledNotification:
        """Record that the notification was cancelled, unless it is known by now what came of it by e-mail.

        A repeat finds the record. From now on nothing is delivered, but by an attempt that is at it just then.
        """
        try:
            delivery = await self._recorded(request.tenant, request.notification_id, CANCELLED)
        except NotificationCancelledError:
            return CancelledNotification()
        return CancelledNotification(delivery=delivery)

    async def _known(self, tenant: str, notification_id: str) -> Delivery | None:
        known = await self._sent_mails.outcome(tenant=tenant, notification_id=notification_id)
        return None if known is None else _delivery(notification_id, known)

    async def _recorded(self, tenant: str, notification_id: str, outcome: MailOutcome) -> Delivery:
        kept = await self._sent_mails.record(
            tenant=tenant, notification_id=notification_id, outcome=outcome, now=datetime.now(UTC)
        )
        return _delivery(notification_id, kept)

    async def _sent(self, request: DeliverNotification) -> MailOutcome:
        tenant, notification_id = request.tenant, request.notification_id
        with translated():
            kind = kind_of(request.type)
            text = self._templates.render(request.type, request.message)
        recipient = await self._accounts.recipient(tenant=tenant, user_id=request.user_id)
        if recipient is None:
            return MailOutcome(status=DeliveryStatus.SKIPPED, reason=DeliveryReason.NO_ADDRESS)
        if not is_wanted_by_email(kind, email_enabled=recipient.email_enabled):
            return MailOutcome(status=DeliveryStatus.SKIPPED, reason=DeliveryReason.PREFERENCE)
        mail = Mail(
            tenant=tenant,
            notification_id=notification_id,
            to=recipient.email,
            subject=text.subject,
            body=self._templates.mail_body(text, name=recipient.name),
            date=datetime.now(UTC),
        )
        try:
            await self._mailer.send(mail)
        except MailRejectedError as rejection:
            activity.logger.warning(
                "mail.rejected", extra={"notification_id": notification_id, "smtp_code": rejection.code}
            )
            return MailOutcome(status=DeliveryStatus.FAILED, reason=DeliveryReason.REJECTED)
        return MailOutcome(status=DeliveryStatus.SENT)


def _delivery(notification_id: str, outcome: MailOutcome) -> Delivery:
    if outcome == CANCELLED:
        raise NotificationCancelledError(notification_id)
    reason = None if outcome.reason is None else DeliveryReason(outcome.reason)
    return Delivery(channel=Channel.EMAIL, status=DeliveryStatus(outcome.status), reason=reason)
