"""What we read of Stripe's objects; everything else in them may change without us."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import stripe
from pydantic import BaseModel, ConfigDict, ValidationError

from payment_service.domain.charges import ChargeStatus
from payment_service.domain.provider import MovementStatus
from payment_service.ports import NoAnswerError
from payment_service.providers.acquirer_client import UnexpectedAnswerError

ReadT = TypeVar("ReadT", bound="_Read")

_LET_GO: Final = frozenset({"automatic", "expired"})
"""Why Stripe cancels by itself: nobody captured it in time."""

_CHARGES: Final[Mapping[str, ChargeStatus | None]] = {
    # Made, and never confirmed: nothing has happened yet.
    "requires_confirmation": None,
    # We give the method when we make it; Stripe takes it away again when the card said no.
    "requires_payment_method": ChargeStatus.DECLINED,
    "requires_capture": ChargeStatus.AUTHORISED,
    "succeeded": ChargeStatus.CAPTURED,
}

_MOVEMENTS: Final[Mapping[str, MovementStatus]] = {
    "succeeded": MovementStatus.SUCCEEDED,
    "paid": MovementStatus.SUCCEEDED,
    "failed": MovementStatus.FAILED,
    "canceled": MovementStatus.FAILED,
}


class _Read(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    metadata: dict[str, str] = {}


class Intent(_Read):
    """A PaymentIntent: a charge of ours."""

    status: str
    amount: int
    currency: str
    amount_received: int | None = None
    cancellation_reason: str | None = None

    def standing(self) -> ChargeStatus | None:
        """Return how the charge stands; None when nothing was asked of any card yet.

        Raises:
            NoAnswerError: while Stripe itself does not know.
        """
        if self.status == "canceled":
            return ChargeStatus.EXPIRED if self.cancellation_reason in _LET_GO else ChargeStatus.VOIDED
        if self.status not in _CHARGES:
            raise NoAnswerError(f"status {self.status}")
        return _CHARGES[self.status]


class Movement(_Read):
    """A refund, or a payout from a partner's account to its bank."""

    status: str
    amount: int
    currency: str

    def standing(self) -> MovementStatus:
        """Return how it stands; PENDING for whatever may still become something else."""
        return movement_status(self.status)


class Transfer(_Read):
    """Money that went from our balance to a partner's account at Stripe."""

    amount: int
    currency: str
    created: int
    destination: str
    reversed: bool


class Captured(_Read):
    """A Stripe charge: what of a PaymentIntent took the money. Stripe copies the metadata of the intent to it."""

    amount: int
    amount_captured: int | None = None
    currency: str


class Dispute(_Read):
    """A buyer who asks the card's bank for the money back."""

    status: str
    amount: int
    currency: str
    payment_intent: str | None = None


class BalanceTransaction(BaseModel):
    """A line of Stripe's book, with what it is about."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    type: str
    reporting_category: str | None = None
    created: int
    source: dict[str, Any] | str | None = None


def movement_status(status: str) -> MovementStatus:
    """Return how a refund or payout stands by Stripe's word for it."""
    return _MOVEMENTS.get(status, MovementStatus.PENDING)


def read(kind: type[ReadT], said: stripe.StripeObject | Mapping[str, Any]) -> ReadT:
    """Return what we read of an object.

    Raises:
        UnexpectedAnswerError: when it is none of this kind.
    """
    try:
        return kind.model_validate(said.to_dict() if isinstance(said, stripe.StripeObject) else said)
    except ValidationError as error:
        fields = sorted({".".join(map(str, problem["loc"])) for problem in error.errors(include_input=False)})
        raise UnexpectedAnswerError(f"{kind.__name__} without {', '.join(fields)}") from None


def moment(seconds: int) -> datetime:
    """Return Stripe's time as ours."""
    return datetime.fromtimestamp(seconds, UTC)
