"""What the API takes and gives about payouts and their plans."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from platform_contracts.identifiers import ClientId
from platform_contracts.money import Currency
from platform_contracts.payment.partner_payout import CarriedReason, PayoutReviewOutcome, PayoutStatus
from platform_contracts.payment.payout_plan_change import PayoutSchedule
from platform_gateway.market.listing_models import Money, Reason
from platform_gateway.rest_models import Accepted, ResourceLinks, ResourceModel, RestModel

MinorUnits = Annotated[int, Field(ge=0, le=10**12)]


class PayoutRequest(ResourceModel):
    """Everything payable in one currency, to the account that is acted for. There is no amount: it is what is owed."""

    payout_id: ClientId | None = None
    """None: the Idempotency-Key names it."""
    currency: Currency
    exponent: Annotated[int, Field(ge=0, le=4)] = 2
    """How many digits of the minor units are behind the point, by ISO 4217."""
    requester_id: ClientId | None = None
    """Who asks, where callers have no names of their own; else it is who calls."""


class PayoutVerdict(StrEnum):
    """What a reviewer decides."""

    APPROVE = "approve"
    REJECT = "reject"


class PayoutDecisionRequest(ResourceModel):
    """One reviewer's decision."""

    # The strict mode of the body would not take the word.
    decision: Annotated[PayoutVerdict, Field(strict=False)]
    comment: Reason = ""
    reviewer_id: ClientId | None = None
    """Who decides, where callers have no names of their own; else it is who calls."""


class PayoutDecision(RestModel):
    """What one reviewer has decided."""

    reviewer_id: str
    decision: PayoutVerdict
    comment: str


class PayoutReview(RestModel):
    """Where the review of a payout stands."""

    payout_id: str
    outcome: PayoutReviewOutcome
    decisions: tuple[PayoutDecision, ...]


class PayoutResult(RestModel):
    """What became of a payout."""

    payout_id: str
    status: PayoutStatus
    amount: Money
    """What was sent; zero when it is carried."""
    withheld: Money
    """What is kept in the reserve for a while."""
    carried: CarriedReason | None
    """Why nothing is paid; null when something is."""


class PayoutDone(Accepted):
    """A payout that has come to its end."""

    result: PayoutResult


class Payout(RestModel):
    """A payout as its partner sees it."""

    payout_id: str
    status: PayoutStatus
    amount: Money
    withheld: Money
    carried: CarriedReason | None
    cut: datetime
    """What was payable up to here is in it."""
    needs_review: bool
    created_at: datetime
    changed_at: datetime
    reserve_until: datetime | None
    """When what is withheld can be paid; null when nothing is, or while it is not paid."""
    links: ResourceLinks


class PayoutsPage(RestModel):
    """A page of the account's payouts, newest first."""

    payouts: tuple[Payout, ...]
    next_cursor: str | None


class PayoutPlanRequest(ResourceModel):
    """How an account is to be paid in one currency."""

    schedule: Annotated[PayoutSchedule, Field(strict=False)]
    minimum_minor_units: Annotated[int, Field(ge=1, le=10**12)] = 1
    """Less is carried to the next payout."""
    delay_days: Annotated[int, Field(ge=0, le=365)]
    """How long a sale has to be in the balance before it is paid."""
    reserve_basis_points: Annotated[int, Field(ge=0, le=9_999)] = 0
    """What of each payout is kept back, in hundredths of a per cent."""
    reserve_days: Annotated[int, Field(ge=0, le=730)] = 0
    """How long it is kept back."""
    review_above_minor_units: MinorUnits | None
    """Two people have to approve what is above; null: nobody has to."""
    destination: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._~-]{1,80}$")] | None = None
    """The account at the provider; null where the provider knows accounts by our names."""


class PayoutPlan(RestModel):
    """How an account is paid in one currency."""

    schedule: PayoutSchedule
    minimum_minor_units: int
    delay_days: int
    reserve_basis_points: int
    reserve_days: int
    review_above_minor_units: int | None
    destination: str | None


class PayoutPlanState(RestModel):
    """The plan that holds."""

    currency: str
    plan: PayoutPlan
    is_default: bool
    """Whether it is the platform's, because the account has none of its own."""


class PayoutPlanResult(RestModel):
    """The plan that holds from the next payout on."""

    currency: str
    plan: PayoutPlan


class PayoutPlanDone(Accepted):
    """A plan that is kept."""

    result: PayoutPlanResult
