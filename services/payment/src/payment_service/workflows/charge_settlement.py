"""See to it that a charge does not stay unknown, whoever asked for it and gave up."""

from pydantic import ValidationError
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from payment_service.activities.charges import ChargeActivities, SettleCharge
    from platform_contracts.memo import Progress
    from platform_contracts.payment.charge import ChargeResult
    from platform_contracts.payment.charge_settlement import (
        WORKFLOW_TYPE,
        ChargeSettlement,
        ChargeSettlementInput,
        ChargeSettlementStep,
    )
    from platform_workflow_tools import activity_options
    from platform_workflow_tools.progress import report_progress


@workflow.defn(name=WORKFLOW_TYPE, failure_exception_types=[ValidationError])
class ChargeSettlementWorkflow(ChargeSettlement):
    """Ask until it is known; it only asks, so it can be cancelled at any time."""

    @workflow.run
    async def run(self, settlement: ChargeSettlementInput) -> ChargeResult:
        """Settle the charge."""
        report_progress(Progress(step=ChargeSettlementStep.ASKING_ACQUIRER, waiting_for="acquirer"))
        result = await workflow.execute_activity_method(
            ChargeActivities.settle_charge,
            SettleCharge(
                tenant=settlement.tenant,
                operation_id=settlement.operation_id,
                wanted_until=settlement.wanted_until,
            ),
            **activity_options.UNTIL_TOLD,
        )
        report_progress(Progress(step=ChargeSettlementStep.SETTLED, cancellable=False))
        return result
