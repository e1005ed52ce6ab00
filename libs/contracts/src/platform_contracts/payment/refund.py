"""Give back what was captured: all of it, or a part, in as many refunds as it takes."""

from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field, StringConstraints, ValidationError
from temporalio import workflow

from platform_contracts.identifiers import ClientId, Tenant, workflow_id
from platform_contracts.message import ContractModel
from platform_contracts.money import Money
from platform_contracts.payment.charge import ChargeShare

WORKFLOW_TYPE: Final = "payment.Refund"

Reason = Annotated[str, StringConstraints(min_length=1, max_length=200)]
"""Why, in a few words; nothing about a person."""


class RefundStatus(StrEnum):
    """How a refund stands; the values are stored, so they never change."""

    REQUESTED = "requested"
    """It is written down, and kept back from the sellers; the provider has not told anything of it yet."""
    PENDING = "pending"
    """The provider has it, and has not paid it back yet."""
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    """The provider will not pay it back; everything is as if it had not been asked for."""


class RefundStep(StrEnum):
    """What `progress.step` can say."""

    REQUESTING = "requesting"
    REFUNDING = "refunding"
    TELLING = "telling"
    REFUNDED = "refunded"


class RefundInput(ContractModel):
    """One refund. The refund id names it: the same id is never paid back twice."""

    tenant: Tenant
    """The buyer's account, whose charge it is."""
    refund_id: ClientId
    charge_id: ClientId
    """The operation id of the charge: for a purchase, its id."""
    amount: Money | None = None
    """None: the sum of the shares, or all that is left."""
    shares: Annotated[tuple[ChargeShare, ...], Field(max_length=50)] = ()
    """Who it is taken from; none: each seller, in proportion to what is left of their share."""
    reason: Reason
    buyer_id: ClientId | None = None
    """Who is told, of the buyer's account; None: nobody."""


class RefundResult(ContractModel):
    """How the refund stands."""

    refund_id: ClientId
    charge_id: ClientId
    status: RefundStatus
    amount: Money


def refund_workflow_id(*, tenant: str, refund_id: str) -> str:
    """Return the workflow id of one refund."""
    return workflow_id(tenant=tenant, domain="payment", kind="refund", key=refund_id)


@workflow.defn(name=WORKFLOW_TYPE, failure_exception_types=[ValidationError])
class Refund:
    """Pay back, once, and never more than was captured. Whoever asked waits for the provider's word, not for the tail.

    A refund that the provider keeps silent about is asked for until it answers; a person hears of it meanwhile.
    """

    @workflow.run
    async def run(self, refund: RefundInput) -> RefundResult:
        """Refund; it cannot be cancelled. The buyer is told afterwards.

        Raises:
            ApplicationError: of type `PaymentFailure.UNKNOWN_CHARGE`, `NOT_CAPTURED`, `REFUND_EXCEEDS`,
                `INVALID_REFUND`, `DIFFERENT_REFUND` or `REFUND_FAILED`.
        """
        raise NotImplementedError
