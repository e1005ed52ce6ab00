"""Charges: a state machine per operation, and what can be wrong with one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from platform_contracts.currencies import EXPONENTS
from platform_contracts.money import Money


class ChargeStatus(StrEnum):
    """Where a charge stands; the words are stored, and equal those of the contract."""

    AUTHORISING = "authorising"
    AUTHORISED = "authorised"
    DECLINED = "declined"
    UNKNOWN = "unknown"
    CAPTURED = "captured"
    CAPTURE_REFUSED = "capture_refused"
    VOIDED = "voided"
    EXPIRED = "expired"
    """The provider let go of what was authorised, for nobody captured it in time."""


UNRESOLVED: Final = frozenset({ChargeStatus.AUTHORISING, ChargeStatus.UNKNOWN})
"""Only the acquirer knows what became of these."""

MAY_COME_FROM: Final[Mapping[ChargeStatus, frozenset[ChargeStatus]]] = {
    ChargeStatus.AUTHORISING: frozenset(),
    ChargeStatus.AUTHORISED: UNRESOLVED,
    ChargeStatus.DECLINED: UNRESOLVED,
    ChargeStatus.UNKNOWN: frozenset({ChargeStatus.AUTHORISING}),
    ChargeStatus.CAPTURED: frozenset({ChargeStatus.AUTHORISED}),
    ChargeStatus.CAPTURE_REFUSED: frozenset({ChargeStatus.AUTHORISED}),
    # Not from captured: then it would be a refund. Not from declined: that nobody was charged is said already.
    ChargeStatus.VOIDED: UNRESOLVED | {ChargeStatus.AUTHORISED, ChargeStatus.CAPTURE_REFUSED},
    ChargeStatus.EXPIRED: UNRESOLVED | {ChargeStatus.AUTHORISED},
}
"""From where a charge can get to a status. An attempt that comes back late finds its way barred."""


@dataclass(frozen=True, kw_only=True)
class Share:
    """What of a charge belongs to one seller."""

    seller: str
    amount: Money


@dataclass(frozen=True, kw_only=True)
class ChargeDetails:
    """What is charged, by which token, and whose it will be."""

    payment_token: str
    amount: Money
    shares: tuple[Share, ...]


@dataclass(frozen=True, kw_only=True)
class StoredCharge:
    """A charge as it stands."""

    tenant: str
    operation_id: str
    status: ChargeStatus
    details: ChargeDetails | None
    """None for one that was voided before anything was authorised."""
    provider: str = "acquirer"
    """Which provider charges; what it captures it owes us on `cash_clearing:{provider}`."""
    reference: str | None = None
    """What the provider itself calls the charge; None where it knows it by our operation id alone."""
    capture_amount: Money | None = None
    """What was asked to be captured, written before it is asked for; None: nothing yet, or all of it."""
    reversed_minor_units: int = 0
    """What refunds and disputes have taken of it, or are taking."""
    begun_at: datetime | None = None
    """When it was written down, before anything was sent."""


def check_details(details: ChargeDetails) -> None:
    """Make sure that these details can be charged.

    Raises:
        InvalidChargeError: when an amount is not positive, its currency or exponent is not of ISO 4217, or the shares
            do not add up to the whole.
    """
    whole = details.amount
    if EXPONENTS.get(whole.currency) != whole.exponent:
        raise InvalidChargeError(f"{whole.currency} with the exponent {whole.exponent} is no currency of ISO 4217")
    for amount in (whole, *(share.amount for share in details.shares)):
        if amount.minor_units <= 0:
            raise InvalidChargeError("every amount has to be positive")
        if (amount.currency, amount.exponent) != (whole.currency, whole.exponent):
            raise InvalidChargeError("every share has to be in the currency of the whole")
    if sum(share.amount.minor_units for share in details.shares) != whole.minor_units:
        raise InvalidChargeError("the shares do not add up to the whole")


class InvalidChargeError(Exception):
    """Nothing can be charged like this."""


class _ChargeError(Exception):
    """Something about one charge."""

    text = ""

    def __init__(self, operation_id: str) -> None:
        """Name the operation."""
        super().__init__(f"operation {operation_id} {self.text}")
        self.operation_id = operation_id


class DeclinedError(_ChargeError):
    """The acquirer refused the authorisation for good."""

    text = "was declined"


class CaptureRefusedError(_ChargeError):
    """The acquirer refused to capture what it had authorised."""

    text = "was refused at its capture"


class ChargeVoidedError(_ChargeError):
    """The charge was voided before."""

    text = "was voided before"


class ChargeExpiredError(_ChargeError):
    """The provider let go of what was authorised."""

    text = "expired before it was captured"


class UnknownChargeError(_ChargeError):
    """There is no such charge."""

    text = "has no charge"


class DifferentChargeError(_ChargeError):
    """The operation was authorised, or captured, with other details."""

    text = "was authorised or captured with other details"


class ChargeUnresolvedError(_ChargeError):
    """Nobody knows yet what became of the charge; it is asked for again."""

    text = "is not resolved: the acquirer has not told what became of it"


class ChargeCapturedError(_ChargeError):
    """What is captured cannot be voided; a person has to see to it."""

    text = "is captured and cannot be voided"


class BooksDifferError(_ChargeError):
    """The acquirer and we do not agree on what happened; a person has to see to it."""

    text = "stands differently in our book and in the acquirer's"
