"""Write down how an escalation was resolved."""

from pydantic import ValidationError
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from payment_service.activities.escalations import EscalationActivities
    from platform_contracts.memo import Progress
    from platform_contracts.payment.escalation_resolution import (
        WORKFLOW_TYPE,
        EscalationResolution,
        EscalationResolutionInput,
        EscalationResolutionStep,
    )
    from platform_contracts.payment.views import EscalationView
    from platform_workflow_tools import activity_options
    from platform_workflow_tools.progress import report_progress


@workflow.defn(name=WORKFLOW_TYPE, failure_exception_types=[ValidationError])
class EscalationResolutionWorkflow(EscalationResolution):
    """Resolve it; a cancel ends it as long as it could not be written down."""

    @workflow.run
    async def run(self, resolution: EscalationResolutionInput) -> EscalationView:
        """Resolve the escalation."""
        report_progress(Progress(step=EscalationResolutionStep.RESOLVING))
        resolved = await workflow.execute_activity_method(
            EscalationActivities.resolve_escalation, resolution, **activity_options.DATABASE_WRITE
        )
        report_progress(Progress(step=EscalationResolutionStep.RESOLVED, cancellable=False))
        return resolved
