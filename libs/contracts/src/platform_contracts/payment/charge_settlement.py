"""See to it that a charge does not stay unknown, whoever asked for it and gave up."""

from enum import StrEnum
from typing import Final

from pydantic import AwareDatetime, ValidationError
from temporalio import workflow

from platform_contracts.identifiers import ClientId, Tenant, workflow_id
from platform_contracts.message import ContractModel
from platform_contracts.payment.charge import ChargeResult

WORKFLOW_TYPE: Final = "payment.ChargeSettlement"


class ChargeSettlementStep(StrEnum):
    """What `progress.step` can say."""

    ASKING_ACQUIRER = "asking_acquirer"
    SETTLED = "settled"


class ChargeSettlementInput(ContractModel):
    """Which charge, and until when somebody waits for an answer and asks for it."""

    tenant: Tenant
    operation_id: ClientId
    wanted_until: AwareDatetime


def charge_settlement_workflow_id(*, tenant: str, operation_id: str) -> str:
    """Return the workflow id that settles one charge."""
    return workflow_id(tenant=tenant, domain="payment", kind="charge-settlement", key=operation_id)


@workflow.defn(name=WORKFLOW_TYPE, failure_exception_types=[ValidationError])
class ChargeSettlement:
    """Ask what became of a charge, less and less often and for as long as it takes; a person hears of it meanwhile.

    Started with ABANDON by whoever resolves a charge, for it may be killed together with the purchase that it is for.
    """

    @workflow.run
    async def run(self, settlement: ChargeSettlementInput) -> ChargeResult:
        """Return how the charge stands once that is known; what the acquirer has never seen is barred, and VOIDED."""
        raise NotImplementedError
