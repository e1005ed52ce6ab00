"""Change how and when a partner is paid."""

from pydantic import ValidationError
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from payment_service.activities.payout_plans import PayoutPlanActivities, SavePayoutPlan
    from platform_contracts.memo import Progress
    from platform_contracts.payment.payout_plan_change import (
        WORKFLOW_TYPE,
        PayoutPlanChange,
        PayoutPlanChangeInput,
        PayoutPlanChangeResult,
        PayoutPlanChangeStep,
    )
    from platform_workflow_tools import activity_options
    from platform_workflow_tools.progress import report_progress


@workflow.defn(name=WORKFLOW_TYPE, failure_exception_types=[ValidationError])
class PayoutPlanChangeWorkflow(PayoutPlanChange):
    """One step: save the plan, by the time at which it was asked for."""

    @workflow.run
    async def run(self, change: PayoutPlanChangeInput) -> PayoutPlanChangeResult:
        """Save it."""
        report_progress(Progress(step=PayoutPlanChangeStep.SAVING))
        saved = await workflow.execute_activity_method(
            PayoutPlanActivities.save_payout_plan,
            SavePayoutPlan(change=change, changed_at=workflow.info().start_time),
            **activity_options.DATABASE_WRITE,
        )
        report_progress(Progress(step=PayoutPlanChangeStep.SAVED, cancellable=False))
        return saved
