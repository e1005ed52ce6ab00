"""Ask how the purchases of charges ended, and undo the charges of those that came to nothing."""

import asyncio
from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, ChildWorkflowError, WorkflowAlreadyStartedError
from temporalio.workflow import ParentClosePolicy

with workflow.unsafe.imports_passed_through():
    from payment_service.activities.orphans import (
        ConcludeCharges,
        FindOpenCharges,
        OpenChargeName,
        OrphanActivities,
        OrphanState,
        SettleOrphan,
    )
    from payment_service.domain.orphans import OrphanStep
    from platform_contracts.listing.close_purchase import CLOSE_PURCHASE, ClosePurchaseRequest, PurchaseEnd
    from platform_contracts.payment.reconciliation import OrphansPosition
    from platform_contracts.payment.refund import Refund, RefundInput, refund_workflow_id
    from platform_workflow_tools import activity_options
    from platform_workflow_tools.published import call

_AT_ONCE: Final = 10
_PAGE: Final = 50

_PATIENCE: Final = timedelta(minutes=2)
"""How long one charge may hold up a run: what did not work out is left to the next one."""

_WITHIN_THE_RUN: Final[activity_options.ActivityOptions] = {
    **activity_options.DATABASE_WRITE,
    "schedule_to_close_timeout": _PATIENCE,
}

_REFUND_WAIT: Final = timedelta(seconds=30)

_REASON: Final = "The purchase came to nothing."


async def settle_orphans(position: OrphansPosition) -> OrphansPosition:
    """Go through the charges page by page, up to the last or until the history is long; return how far it came.

    A purchase that is open is left alone, one that is sold is never asked about again. What is not done is asked about
    by the next run.
    """
    while True:
        page = await workflow.execute_activity_method(
            OrphanActivities.find_open_charges,
            FindOpenCharges(after=position.after, limit=_PAGE),
            **_WITHIN_THE_RUN,
        )
        ends = await _at_once(page.charges)
        sold = tuple(charge for charge, end in ends if end is PurchaseEnd.SOLD)
        if sold:
            await workflow.execute_activity_method(
                OrphanActivities.conclude_charges, ConcludeCharges(charges=sold), **_WITHIN_THE_RUN
            )
        position = OrphansPosition(
            after=page.next,
            asked=position.asked + len(page.charges),
            settled=position.settled + sum(end is PurchaseEnd.RELEASED for _, end in ends),
        )
        if page.next is None or workflow.info().is_continue_as_new_suggested():
            return position


async def _at_once(
    charges: Iterable[OpenChargeName],
) -> list[tuple[OpenChargeName, PurchaseEnd | None]]:
    few = asyncio.Semaphore(_AT_ONCE)

    async def settled(charge: OpenChargeName) -> tuple[OpenChargeName, PurchaseEnd | None]:
        async with few:
            return charge, await _settled(charge)

    return list(await asyncio.gather(*(settled(charge) for charge in charges)))


async def _settled(charge: OpenChargeName) -> PurchaseEnd | None:
    """Return SOLD, or RELEASED once nothing is left to do; None where the next run has to ask again."""
    try:
        purchase = ClosePurchaseRequest(tenant=charge.tenant, purchase_id=charge.operation_id)
        end = (await call(CLOSE_PURCHASE, purchase, within=_PATIENCE)).end
        if end is not PurchaseEnd.RELEASED:
            return end if end is PurchaseEnd.SOLD else None
        state = await _settle(charge)
        if state.step is OrphanStep.REFUND:
            state = await _refunded(charge, state.refund_id)
    except ActivityError as error:
        workflow.logger.warning(
            "orphan.left", extra={"operation_id": charge.operation_id, "reason": type(error.cause).__name__}
        )
        return None
    return PurchaseEnd.RELEASED if state.step is OrphanStep.SETTLED else None


async def _refunded(charge: OpenChargeName, refund_id: str) -> OrphanState:
    """Have it given back, and wait a little for that; a refund that takes longer goes on without this run."""
    failure: str | None = None
    try:
        refund = await workflow.start_child_workflow(
            Refund.run,
            RefundInput(
                tenant=charge.tenant, refund_id=refund_id, charge_id=charge.operation_id, amount=None, reason=_REASON
            ),
            id=refund_workflow_id(tenant=charge.tenant, refund_id=refund_id),
            parent_close_policy=ParentClosePolicy.ABANDON,
        )
        await workflow.wait([refund], timeout=_REFUND_WAIT.total_seconds())
        if refund.done():
            await refund
    except ChildWorkflowError as error:
        cause = error.cause
        failure = (cause.type if isinstance(cause, ApplicationError) else None) or type(cause).__name__
    except WorkflowAlreadyStartedError:
        # It runs, or it is done: what became of it stands in the database.
        pass
    return await _settle(charge, failure)


async def _settle(charge: OpenChargeName, failure: str | None = None) -> OrphanState:
    return await workflow.execute_activity_method(
        OrphanActivities.settle_orphan,
        SettleOrphan(tenant=charge.tenant, operation_id=charge.operation_id, refund_failure=failure),
        **_WITHIN_THE_RUN,
    )
