"""Look at a payout again."""

from pydantic import ValidationError
from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from payment_service.activities.payouts import PayoutActivities, PayoutKey
    from payment_service.workflows.partner_payout_tail import tell_partner
    from platform_contracts.memo import Progress
    from platform_contracts.payment.partner_payout import PartnerPayout, PayoutStatus, partner_payout_workflow_id
    from platform_contracts.payment.payout_sync import (
        WORKFLOW_TYPE,
        PayoutSync,
        PayoutSyncInput,
        PayoutSyncResult,
        PayoutSyncStep,
    )
    from platform_workflow_tools import activity_options
    from platform_workflow_tools.progress import report_progress


@workflow.defn(name=WORKFLOW_TYPE, failure_exception_types=[ValidationError])
class PayoutSyncWorkflow(PayoutSync):
    """Asks the provider, records what it says, and wakes the payout's own workflow where it still runs."""

    @workflow.run
    async def run(self, sync: PayoutSyncInput) -> PayoutSyncResult:
        """Look; looking twice posts nothing twice."""
        report_progress(Progress(step=PayoutSyncStep.LOOKING, waiting_for="provider"))
        state = await workflow.execute_activity_method(
            PayoutActivities.sync_payout,
            PayoutKey(tenant=sync.tenant, payout_id=sync.payout_id),
            **activity_options.UNTIL_DONE,
        )
        report_progress(Progress(step=PayoutSyncStep.LOOKED, cancellable=False))
        if state is None:
            return PayoutSyncResult(status=None)
        await self._wake(sync)
        if state.status is PayoutStatus.RETURNED:
            await tell_partner(partner=sync.tenant, payout_id=sync.payout_id, status=state.status, amount=state.amount)
        return PayoutSyncResult(status=state.status)

    async def _wake(self, sync: PayoutSyncInput) -> None:
        payout = workflow.get_external_workflow_handle_for(
            PartnerPayout.run, partner_payout_workflow_id(tenant=sync.tenant, payout_id=sync.payout_id)
        )
        try:
            await payout.signal(PartnerPayout.payout_changed)
        except FailureError as failure:
            if is_cancelled_exception(failure):
                raise
            # It has ended.
            workflow.logger.debug("payout.not_running", extra={"payout_id": sync.payout_id})
