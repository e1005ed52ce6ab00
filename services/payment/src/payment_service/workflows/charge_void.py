"""Void a charge for as long as it needs."""

from pydantic import ValidationError
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from payment_service.activities.charges import ChargeActivities
    from platform_contracts.memo import Progress
    from platform_contracts.payment.charge import ChargeRequest, ChargeResult
    from platform_contracts.payment.charge_void import WORKFLOW_TYPE, ChargeVoid, ChargeVoidStep
    from platform_workflow_tools import activity_options
    from platform_workflow_tools.progress import report_progress
    from platform_workflow_tools.uninterrupted import uninterrupted


@workflow.defn(name=WORKFLOW_TYPE, failure_exception_types=[ValidationError])
class ChargeVoidWorkflow(ChargeVoid):
    """Void until it is known to be voided; somebody was promised that nothing is charged, so no cancel stops it."""

    @workflow.run
    async def run(self, charge: ChargeRequest) -> ChargeResult:
        """Void the charge."""
        report_progress(Progress(step=ChargeVoidStep.VOIDING, cancellable=False))
        result = await uninterrupted(self._void(charge))
        report_progress(Progress(step=ChargeVoidStep.VOIDED, cancellable=False))
        return result

    async def _void(self, charge: ChargeRequest) -> ChargeResult:
        return await workflow.execute_activity_method(ChargeActivities.void, charge, **activity_options.UNTIL_DONE)
