"""Start the payouts that are due."""

from datetime import UTC, datetime, timedelta

from pydantic import ValidationError
from temporalio import workflow
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.workflow import ParentClosePolicy

with workflow.unsafe.imports_passed_through():
    from payment_service.activities.payout_plans import Due, DuePayouts, DuePayoutsRequest, PayoutPlanActivities
    from platform_contracts.memo import Progress
    from platform_contracts.payment.partner_payout import (
        PartnerPayout,
        PartnerPayoutInput,
        partner_payout_workflow_id,
        scheduled_payout_id,
    )
    from platform_contracts.payment.payout_run import (
        WORKFLOW_TYPE,
        PayoutRun,
        PayoutRunInput,
        PayoutRunResult,
        PayoutRunStep,
    )
    from platform_workflow_tools import activity_options
    from platform_workflow_tools.progress import report_progress


@workflow.defn(name=WORKFLOW_TYPE, failure_exception_types=[ValidationError])
class PayoutRunWorkflow(PayoutRun):
    """Starts each payout by an id that is made of its partner, its currency and the cut, and leaves it to itself."""

    @workflow.run
    async def run(self, payout_run: PayoutRunInput) -> PayoutRunResult:
        """Start them, page by page."""
        cut = payout_run.cut or _beginning(workflow.now(), period_seconds=payout_run.period_seconds)
        report_progress(Progress(step=PayoutRunStep.STARTING_PAYOUTS))
        started, already, after = payout_run.started, payout_run.already_started, payout_run.after
        while True:
            page = await self._page(cut, after)
            for due in page.due:
                if await self._is_started(due, cut):
                    started += 1
                else:
                    already += 1
            after = page.next
            if after is None:
                break
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(
                    payout_run.model_copy(
                        update={"cut": cut, "after": after, "started": started, "already_started": already}
                    )
                )
        report_progress(Progress(step=PayoutRunStep.STARTED, cancellable=False))
        return PayoutRunResult(cut=cut, started=started, already_started=already)

    async def _page(self, cut: datetime, after: str | None) -> DuePayouts:
        return await workflow.execute_activity_method(
            PayoutPlanActivities.find_due_payouts,
            DuePayoutsRequest(cut=cut, after=after),
            **activity_options.DATABASE_WRITE,
        )

    async def _is_started(self, due: Due, cut: datetime) -> bool:
        """Start a payout; return False when another run of the same cut has started it."""
        payout_id = scheduled_payout_id(currency=due.currency, exponent=due.exponent, cut=cut)
        try:
            await workflow.start_child_workflow(
                PartnerPayout.run,
                PartnerPayoutInput(
                    tenant=due.partner,
                    payout_id=payout_id,
                    currency=due.currency,
                    exponent=due.exponent,
                    cut=cut,
                ),
                id=partner_payout_workflow_id(tenant=due.partner, payout_id=payout_id),
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                parent_close_policy=ParentClosePolicy.ABANDON,
            )
        except WorkflowAlreadyStartedError:
            return False
        return True


def _beginning(moment: datetime, *, period_seconds: int) -> datetime:
    """Return when the period of a moment began."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return moment - (moment - epoch) % timedelta(seconds=period_seconds)
