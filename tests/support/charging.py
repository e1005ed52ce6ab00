"""A caller that charges as a purchase does, for tests of the payment service alone."""

from datetime import timedelta
from enum import StrEnum

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from platform_contracts.message import ContractModel
    from platform_contracts.payment.charge import (
        AUTHORISE,
        CAPTURE,
        VOID,
        AuthoriseRequest,
        ChargeRequest,
        ChargeResult,
        ChargeStatus,
    )
    from platform_contracts.payment.charge_resolution import (
        ChargeResolution,
        ChargeResolutionInput,
        charge_resolution_workflow_id,
    )
    from platform_contracts.task_queues import TaskQueue
    from platform_workflow_tools.published import call


class End(StrEnum):
    """What the caller wants in the end."""

    CAPTURE = "capture"
    VOID = "void"


class Wanted(ContractModel):
    """One charge, and what is to become of it."""

    charge: AuthoriseRequest
    end: End


@workflow.defn(name="test.Charging")
class Charging:
    """Authorise, then capture or void; a charge whose outcome nobody tells in time is voided."""

    @workflow.run
    async def run(self, wanted: Wanted) -> ChargeStatus:
        """Return how the charge ended."""
        charge = wanted.charge
        this = ChargeRequest(tenant=charge.tenant, operation_id=charge.operation_id)
        status = (await call(AUTHORISE, charge, within=timedelta(seconds=60))).status
        if status is ChargeStatus.UNKNOWN:
            status = (await self._resolved(this)).status
        is_wanted = wanted.end is End.CAPTURE and status in (ChargeStatus.AUTHORISED, ChargeStatus.CAPTURED)
        return (await call(CAPTURE if is_wanted else VOID, this)).status

    async def _resolved(self, this: ChargeRequest) -> ChargeResult:
        until = workflow.now() + timedelta(seconds=60)
        asking = charge_resolution_workflow_id(tenant=this.tenant, operation_id=this.operation_id)
        return await workflow.execute_child_workflow(
            ChargeResolution.run,
            ChargeResolutionInput(tenant=this.tenant, operation_id=this.operation_id, until=until),
            # Two callers may want to know at once; each asks for itself.
            id=f"{asking}:{workflow.info().run_id}",
            task_queue=TaskQueue.PAYMENT,
        )
