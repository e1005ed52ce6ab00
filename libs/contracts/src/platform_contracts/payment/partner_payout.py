"""Pay a partner what it is owed in one currency: reserved, allowed, approved, sent, and known to have arrived."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import AwareDatetime, Field, StringConstraints, ValidationError
from temporalio import workflow

from platform_contracts.identifiers import ClientId, Tenant, workflow_id
from platform_contracts.message import ContractModel
from platform_contracts.money import Currency, Money

WORKFLOW_TYPE: Final = "payment.PartnerPayout"

Person = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,200}$")]
"""Who asks or decides, as the gateway names callers: `user:ada`, `key:3f9a1c07b2d4e865`; never an e-mail or a name."""


class PartnerPayoutStep(StrEnum):
    """What `progress.step` can say."""

    RESERVING = "reserving"
    HELD = "held"
    IN_REVIEW = "in_review"
    SENDING = "sending"
    AT_PROVIDER = "at_provider"
    RETURNING_TO_BALANCE = "returning_to_balance"
    SETTLED = "settled"


class PayoutStatus(StrEnum):
    """Where a payout stands."""

    RESERVED = "reserved"
    HELD = "held"
    """The partner may not be paid now."""
    IN_REVIEW = "in_review"
    """Two people have to approve it."""
    SENDING = "sending"
    """The provider has it, or may have it."""
    PAID = "paid"
    FAILED = "failed"
    """The provider could not pay it; the balance is restored."""
    RETURNED = "returned"
    """It was paid and came back; the balance is restored."""
    REJECTED = "rejected"
    EXPIRED = "expired"
    """Nobody decided in time; the balance is restored."""
    CANCELLED = "cancelled"
    CARRIED = "carried"
    """Nothing is paid; what is owed stays in the balance for the next one."""


class CarriedReason(StrEnum):
    """Why nothing is paid."""

    NOTHING_PAYABLE = "nothing_payable"
    """The balance is not positive, or what is in it is younger than the delay."""
    BELOW_MINIMUM = "below_minimum"
    ANOTHER_IS_OPEN = "another_is_open"
    """Of a partner and a currency one payout is open at a time."""
    BALANCE_FELL = "balance_fell"
    """So much was given back to buyers while it waited that the balance no longer covers it."""


class PartnerPayoutInput(ContractModel):
    """One payout to the partner whose tenant it is."""

    tenant: Tenant
    payout_id: ClientId
    currency: Currency
    exponent: Annotated[int, Field(ge=0, le=4)] = 2
    cut: AwareDatetime
    """Everything that was payable up to here, the plan's delay before it, is paid."""
    requested_by: Person | None = None
    """Who asked for it, and may not approve it; None: the schedule."""


class PartnerPayoutResult(ContractModel):
    """What became of the payout."""

    payout_id: ClientId
    status: PayoutStatus
    amount: Money
    """What is sent; zero when it is carried."""
    withheld: Money
    """What of the payable amount is kept in the partner's reserve for a while."""
    carried: CarriedReason | None = None


class PayoutDecision(ContractModel):
    """What one reviewer decided."""

    reviewer_id: Person
    approved: bool
    comment: Annotated[str, StringConstraints(max_length=2_000)] = ""


class PayoutReviewOutcome(StrEnum):
    """Where the review stands after a decision."""

    WAITING_FOR_SECOND = "waiting_for_second"
    APPROVED = "approved"
    REJECTED = "rejected"


class PayoutReview(ContractModel):
    """The review after a decision."""

    payout_id: ClientId
    outcome: PayoutReviewOutcome
    decisions: tuple[PayoutDecision, ...]


class PayoutRefusal(StrEnum):
    """Why a decision is not taken: the type of the `ApplicationError` that the update fails with."""

    NOT_IN_REVIEW = "payment.PayoutNotInReview"
    ALREADY_DECIDED = "payment.PayoutAlreadyDecided"
    REVIEWER_IS_REQUESTER = "payment.PayoutReviewerIsRequester"


PAYOUT_CHANGED: Final = "payout_changed"
"""The signal that says: look again now."""


def partner_payout_workflow_id(*, tenant: str, payout_id: str) -> str:
    """Return the workflow id of one payout."""
    return workflow_id(tenant=tenant, domain="payment", kind="partner-payout", key=payout_id)


def scheduled_payout_id(*, currency: str, exponent: int, cut: datetime) -> str:
    """Return the id of the payout of a run: the same cut is the same payout, however many runs start it."""
    return f"{currency}-{exponent}-{cut.astimezone(UTC):%Y%m%dT%H%M%SZ}"


@workflow.defn(name=WORKFLOW_TYPE, failure_exception_types=[ValidationError])
class PartnerPayout:
    """Reserve everything payable up to the cut, wait until it may be sent, send it once, and follow it to its end."""

    @workflow.run
    async def run(self, payout: PartnerPayoutInput) -> PartnerPayoutResult:
        """Return what became of the payout; what is not paid is in the partner's balance again.

        It can be cancelled until it is sent.
        """
        raise NotImplementedError

    # `self: Any` because the update descriptor is invariant in the type of self.
    @workflow.update
    async def decide(self: Any, decision: PayoutDecision) -> PayoutReview:
        """Take one reviewer's decision; two people have to approve, one rejection ends it.

        Raises:
            ApplicationError: of a type of `PayoutRefusal`, before anything is changed.
        """
        raise NotImplementedError

    @workflow.signal(name=PAYOUT_CHANGED)
    def payout_changed(self: Any) -> None:
        """Ask the provider again now; a hint, from which nothing is taken."""
        raise NotImplementedError
