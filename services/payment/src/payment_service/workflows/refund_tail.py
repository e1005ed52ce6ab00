"""What follows a refund: the buyer is told, and it is counted. It decides nothing and keeps nothing open."""

from temporalio import workflow
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import FailureError
from temporalio.workflow import ParentClosePolicy

with workflow.unsafe.imports_passed_through():
    from platform_contracts.analytics.events import event_of
    from platform_contracts.identifiers import short_id
    from platform_contracts.payment.refund import RefundInput, RefundResult
    from platform_contracts.task_queues import TaskQueue
    from platform_contracts.user.notification import Notification, NotificationInput, notification_workflow_id
    from platform_workflow_tools.events import report_events


async def tell(refund: RefundInput, result: RefundResult) -> None:
    """Notify the buyer, by a workflow that outlives this one, and report the event."""
    if refund.buyer_id is not None:
        await _notify(refund, refund.buyer_id, result)
    try:
        await report_events(
            event_of(
                tenant=refund.tenant,
                event_type="payment.refunded",
                subject_id=refund.refund_id,
                occurred_at=workflow.now(),
            )
        )
    except FailureError as failure:
        workflow.logger.warning("event.not_reported", extra={"reason": type(failure).__name__})


async def _notify(refund: RefundInput, buyer_id: str, result: RefundResult) -> None:
    notification_id = short_id("refund", f"{refund.tenant}-{refund.refund_id}")
    try:
        await workflow.start_child_workflow(
            Notification.run,
            NotificationInput(
                tenant=refund.tenant,
                notification_id=notification_id,
                user_id=buyer_id,
                type="info",
                message=f"{result.amount.as_text()} of your purchase {refund.charge_id} are on their way back to you.",
            ),
            id=notification_workflow_id(tenant=refund.tenant, notification_id=notification_id),
            task_queue=TaskQueue.USER,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            parent_close_policy=ParentClosePolicy.ABANDON,
        )
    except FailureError as failure:
        workflow.logger.info("notification.not_started", extra={"reason": type(failure).__name__})
