"""Apply what a provider says of a dispute."""

from pydantic import ValidationError
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from payment_service.activities.disputes import DisputeActivities
    from platform_contracts.memo import Progress
    from platform_contracts.payment.dispute import WORKFLOW_TYPE, Dispute, DisputeInput, DisputeResult, DisputeStep
    from platform_workflow_tools import activity_options
    from platform_workflow_tools.progress import report_progress
    from platform_workflow_tools.uninterrupted import uninterrupted


@workflow.defn(name=WORKFLOW_TYPE, failure_exception_types=[ValidationError])
class DisputeWorkflow(Dispute):
    """One transaction; the bank has decided already, so no cancel stops it."""

    @workflow.run
    async def run(self, dispute: DisputeInput) -> DisputeResult:
        """Apply it."""
        report_progress(Progress(step=DisputeStep.APPLYING, cancellable=False))
        result = await uninterrupted(self._apply(dispute))
        report_progress(Progress(step=DisputeStep.APPLIED, cancellable=False))
        return result

    async def _apply(self, dispute: DisputeInput) -> DisputeResult:
        return await workflow.execute_activity_method(
            DisputeActivities.apply_dispute, dispute, **activity_options.UNTIL_DONE
        )
