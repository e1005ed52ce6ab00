"""Find out what became of a charge that nobody answered for."""

from enum import StrEnum
from typing import Final

from pydantic import AwareDatetime, ValidationError
from temporalio import workflow

from platform_contracts.identifiers import ClientId, Tenant, workflow_id
from platform_contracts.message import ContractModel
from platform_contracts.payment.charge import ChargeResult

WORKFLOW_TYPE: Final = "payment.ChargeResolution"


class ChargeResolutionStep(StrEnum):
    """What `progress.step` can say."""

    ASKING_ACQUIRER = "asking_acquirer"
    RESOLVED = "resolved"


class ChargeResolutionInput(ContractModel):
    """Which charge, and until when an answer is of use."""

    tenant: Tenant
    operation_id: ClientId
    until: AwareDatetime


def charge_resolution_workflow_id(*, tenant: str, operation_id: str) -> str:
    """Return the workflow id that resolves one charge at most once at a time."""
    return workflow_id(tenant=tenant, domain="payment", kind="charge-resolution", key=operation_id)


@workflow.defn(name=WORKFLOW_TYPE, failure_exception_types=[ValidationError])
class ChargeResolution:
    """Ask the acquirer until it says what became of the charge; never guess."""

    @workflow.run
    async def run(self, resolution: ChargeResolutionInput) -> ChargeResult:
        """Return AUTHORISED or CAPTURED as the acquirer says, VOIDED when it was voided, or UNKNOWN past `until`.

        What the acquirer does not know is sent to it again under the same key, which makes it happen at most once.

        Raises:
            ApplicationError: of type `PaymentFailure.DECLINED`.
        """
        raise NotImplementedError
