"""What follows a sale: buyer and sellers are told, and it is counted. It decides nothing and keeps nothing open."""

from temporalio import workflow
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import FailureError
from temporalio.workflow import ParentClosePolicy

with workflow.unsafe.imports_passed_through():
    from platform_contracts.analytics.events import event_of
    from platform_contracts.identifiers import short_id
    from platform_contracts.listing.purchase import PurchaseInput, PurchaseResult
    from platform_contracts.task_queues import TaskQueue
    from platform_contracts.user.notification import Notification, NotificationInput, notification_workflow_id
    from platform_workflow_tools.events import report_events
    from platform_workflow_tools.spans import part


async def tell(purchase: PurchaseInput, result: PurchaseResult) -> None:
    """Notify the buyer and each seller, by workflows that outlive this one, and report the event."""
    with part("tell buyer"):
        await _notify(
            purchase,
            tenant=purchase.tenant,
            user_id=purchase.buyer_id,
            role="buyer",
            message=f"Your purchase {purchase.purchase_id} is paid: {result.total.as_text()}.",
        )
    for number, seller in enumerate(sorted({line.seller for line in purchase.lines}), start=1):
        units = sum(line.quantity for line in purchase.lines if line.seller == seller)
        with part(f"tell seller {number}"):
            await _notify(
                purchase,
                tenant=seller,
                user_id=seller,
                role=f"seller-{seller}",
                message=f"You sold {units} unit{'' if units == 1 else 's'} in purchase {purchase.purchase_id}.",
            )
    try:
        await report_events(
            event_of(
                tenant=purchase.tenant,
                event_type="listing.purchased",
                subject_id=purchase.purchase_id,
                occurred_at=workflow.now(),
            )
        )
    except FailureError as failure:
        workflow.logger.warning("event.not_reported", extra={"reason": type(failure).__name__})


async def _notify(purchase: PurchaseInput, *, tenant: str, user_id: str, role: str, message: str) -> None:
    notification_id = short_id("purchase", f"{purchase.tenant}-{purchase.purchase_id}-{role}")
    try:
        await workflow.start_child_workflow(
            Notification.run,
            NotificationInput(
                tenant=tenant, notification_id=notification_id, user_id=user_id, type="info", message=message
            ),
            id=notification_workflow_id(tenant=tenant, notification_id=notification_id),
            task_queue=TaskQueue.USER,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            parent_close_policy=ParentClosePolicy.ABANDON,
        )
    except FailureError as failure:
        workflow.logger.info("notification.not_started", extra={"reason": type(failure).__name__})
