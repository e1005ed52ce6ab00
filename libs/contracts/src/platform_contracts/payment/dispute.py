"""What a provider tells of a dispute: a buyer's bank takes the money of a sale back, and may return it."""

from enum import StrEnum
from typing import Final

from pydantic import ValidationError
from temporalio import workflow

from platform_contracts.identifiers import ClientId, Tenant, workflow_id
from platform_contracts.message import ContractModel
from platform_contracts.money import Money

WORKFLOW_TYPE: Final = "payment.Dispute"


class DisputeStatus(StrEnum):
    """How a dispute stands; the values are stored, so they never change."""

    OPENED = "opened"
    """The bank has taken the money back and looks into it."""
    WON = "won"
    """The money came back to us."""
    LOST = "lost"
    """It stays with the buyer."""


class DisputeStep(StrEnum):
    """What `progress.step` can say."""

    APPLYING = "applying"
    APPLIED = "applied"


class DisputeInput(ContractModel):
    """One thing that the provider says of one dispute, checked with the provider itself."""

    tenant: Tenant
    """The buyer's account, whose charge it is."""
    dispute_id: ClientId
    """The provider's own name for the dispute."""
    charge_id: ClientId
    """The operation id of the charge, under the same tenant."""
    status: DisputeStatus
    amount: Money
    """What the bank takes, or took; always positive."""


class DisputeResult(ContractModel):
    """How the dispute stands now; what came late may have changed nothing."""

    dispute_id: ClientId
    status: DisputeStatus
    taken: Money
    """What the dispute takes of the charge at the moment; nothing once it is won."""


def dispute_workflow_id(*, tenant: str, dispute_id: str, status: DisputeStatus) -> str:
    """Return the workflow id that applies one status of one dispute, however often it is told."""
    return workflow_id(tenant=tenant, domain="payment", kind="dispute", key=f"{dispute_id}.{status}")


@workflow.defn(name=WORKFLOW_TYPE, failure_exception_types=[ValidationError])
class Dispute:
    """Apply what a provider says of a dispute to the ledger; once, and in whatever order it is told."""

    @workflow.run
    async def run(self, dispute: DisputeInput) -> DisputeResult:
        """Post what the dispute takes, or take that back; a person hears of each dispute that is opened.

        A dispute takes no more than refunds have left of the charge; the rest is a mismatch, and escalated. So is a
        dispute that is both won and lost.

        Raises:
            ApplicationError: of type `PaymentFailure.UNKNOWN_CHARGE`; a person hears of it as well.
        """
        raise NotImplementedError
