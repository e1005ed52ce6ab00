"""Resolve an escalation: a person has seen to what the payment service could not bring to an end by itself."""

from enum import StrEnum
from typing import Annotated, Final

from pydantic import StringConstraints, ValidationError
from temporalio import workflow

from platform_contracts.identifiers import PLATFORM_TENANT, workflow_id
from platform_contracts.message import ContractModel
from platform_contracts.payment.views import EscalationId, EscalationView

WORKFLOW_TYPE: Final = "payment.EscalationResolution"


class EscalationResolutionStep(StrEnum):
    """What `progress.step` can say."""

    RESOLVING = "resolving"
    RESOLVED = "resolved"


class EscalationResolutionInput(ContractModel):
    """Which escalation, and what was done about it."""

    escalation_id: EscalationId
    resolved_by: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    resolution: Annotated[str, StringConstraints(min_length=1, max_length=2_000)]


def escalation_resolution_workflow_id(*, escalation_id: str) -> str:
    """Return the workflow id that resolves one escalation, once."""
    return workflow_id(tenant=PLATFORM_TENANT, domain="payment", kind="escalation-resolution", key=escalation_id)


@workflow.defn(name=WORKFLOW_TYPE, failure_exception_types=[ValidationError])
class EscalationResolution:
    """Write down who resolved an escalation and how; nothing else happens by it."""

    @workflow.run
    async def run(self, resolution: EscalationResolutionInput) -> EscalationView:
        """Return the escalation as it stands; a repeat with the same resolution returns the same.

        Raises:
            ApplicationError: of type `PaymentFailure.UNKNOWN_ESCALATION` or `PaymentFailure.ESCALATION_RESOLVED`.
        """
        raise NotImplementedError
