"""Find out what became of a charge that nobody answered for."""

from datetime import timedelta

from pydantic import ValidationError
from temporalio import workflow
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    WorkflowAlreadyStartedError,
    is_cancelled_exception,
)
from temporalio.workflow import ParentClosePolicy

with workflow.unsafe.imports_passed_through():
    from payment_service.activities.charges import ChargeActivities
    from platform_contracts.memo import Progress
    from platform_contracts.payment.charge import FINAL_FAILURES, ChargeRequest, ChargeResult, ChargeStatus
    from platform_contracts.payment.charge_resolution import (
        WORKFLOW_TYPE,
        ChargeResolution,
        ChargeResolutionInput,
        ChargeResolutionStep,
    )
    from platform_contracts.payment.charge_settlement import (
        ChargeSettlement,
        ChargeSettlementInput,
        charge_settlement_workflow_id,
    )
    from platform_workflow_tools.activity_options import DATABASE_WRITE
    from platform_workflow_tools.progress import report_progress


@workflow.defn(name=WORKFLOW_TYPE, failure_exception_types=[ValidationError])
class ChargeResolutionWorkflow(ChargeResolution):
    """Ask until there is an answer or nobody needs one any more; it only asks, so it can be cancelled at any time."""

    @workflow.run
    async def run(self, resolution: ChargeResolutionInput) -> ChargeResult:
        """Resolve the charge."""
        report_progress(
            Progress(step=ChargeResolutionStep.ASKING_ACQUIRER, waiting_for="acquirer", deadline=resolution.until)
        )
        if workflow.patched("charge-settlement"):
            await _settle_later(resolution)
        result = await self._ask(resolution)
        report_progress(Progress(step=ChargeResolutionStep.RESOLVED, cancellable=False))
        return result

    async def _ask(self, resolution: ChargeResolutionInput) -> ChargeResult:
        unknown = ChargeResult(operation_id=resolution.operation_id, status=ChargeStatus.UNKNOWN)
        remaining = resolution.until - workflow.now()
        if remaining <= timedelta(0):
            return unknown
        try:
            return await workflow.execute_activity_method(
                ChargeActivities.resolve_charge,
                ChargeRequest(tenant=resolution.tenant, operation_id=resolution.operation_id),
                start_to_close_timeout=DATABASE_WRITE["start_to_close_timeout"],
                schedule_to_close_timeout=remaining,
                retry_policy=DATABASE_WRITE["retry_policy"],
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            if isinstance(error.cause, ApplicationError) and error.cause.type in FINAL_FAILURES:
                # The charge's own failure, without the activity around it: that is what the caller decides by.
                raise error.cause from None
            return unknown


async def _settle_later(resolution: ChargeResolutionInput) -> None:
    """Leave the charge to a workflow that outlives this one: this one ends when its caller, or the caller's time, does.

    It is started first, because whatever kills this workflow leaves it no moment to start anything.
    """
    try:
        await workflow.start_child_workflow(
            ChargeSettlement.run,
            ChargeSettlementInput(
                tenant=resolution.tenant, operation_id=resolution.operation_id, wanted_until=resolution.until
            ),
            id=charge_settlement_workflow_id(tenant=resolution.tenant, operation_id=resolution.operation_id),
            parent_close_policy=ParentClosePolicy.ABANDON,
        )
    except WorkflowAlreadyStartedError:
        # Somebody asked for the same charge before, and it is seen to.
        return
