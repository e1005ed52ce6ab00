"""Disputes: a buyer's bank takes money back, and may return it. They are told in any order, and more than once."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from payment_service.domain.reversals import SellerPart
from platform_contracts.money import Money


class DisputeStatus(StrEnum):
    """Where a dispute stands; the words are stored, and equal those of the contract."""

    OPENED = "opened"
    WON = "won"
    LOST = "lost"


@dataclass(frozen=True, kw_only=True)
class DisputeNotice:
    """What a provider says of a dispute."""

    tenant: str
    dispute_id: str
    charge_id: str
    status: DisputeStatus
    amount: Money


@dataclass(frozen=True, kw_only=True)
class DisputeName:
    """Which dispute a provider is asked about."""

    tenant: str
    charge_id: str
    """The operation id of the charge, under the same tenant."""
    dispute_id: str
    """The provider's own name for it."""


@dataclass(frozen=True, kw_only=True)
class DisputeAtProvider:
    """How a dispute stands at its provider."""

    status: DisputeStatus
    amount: Money
    """What the bank takes, or took."""


@dataclass(frozen=True, kw_only=True)
class StoredDispute:
    """A dispute as it stands."""

    tenant: str
    dispute_id: str
    charge_id: str
    status: DisputeStatus
    amount: Money
    """What the bank takes."""
    parts: tuple[SellerPart, ...] = field(default=())
    """What was posted of it: no more than refunds had left. What was won before it was opened took nothing."""
    opened_at: datetime


class DisputeEffect(StrEnum):
    """What a notice means for the dispute that is there."""

    TAKE = "take"
    """Post what the bank takes."""
    NOTE = "note"
    """Keep it; there is nothing to post."""
    GIVE_BACK = "give_back"
    """Take back what was posted."""
    CLOSE = "close"
    """What was posted stays."""
    NOTHING = "nothing"
    """It is known, or late."""
    CONTRADICTION = "contradiction"
    """It is told both won and lost: a person has to look."""


def effect_of(told: DisputeStatus, *, known: DisputeStatus | None) -> DisputeEffect:
    """Return what a notice changes, given how the dispute stands; None: nobody has heard of it yet."""
    match (known, told):
        case (None, DisputeStatus.WON):
            return DisputeEffect.NOTE
        case (None, _):
            return DisputeEffect.TAKE
        case (DisputeStatus.OPENED, DisputeStatus.WON):
            return DisputeEffect.GIVE_BACK
        case (DisputeStatus.OPENED, DisputeStatus.LOST):
            return DisputeEffect.CLOSE
        case (DisputeStatus.WON, DisputeStatus.LOST) | (DisputeStatus.LOST, DisputeStatus.WON):
            return DisputeEffect.CONTRADICTION
        case _:
            return DisputeEffect.NOTHING


def agrees(told: DisputeStatus, *, at_provider: DisputeStatus) -> bool:
    """Say whether the provider's own state bears out an event: what was opened may be won or lost by now."""
    return told in (DisputeStatus.OPENED, at_provider)


class DisputeNotCapturedError(Exception):
    """The charge of a dispute is not captured in our book yet; it is looked at again."""

    def __init__(self, dispute_id: str) -> None:
        """Name the dispute."""
        super().__init__(f"dispute {dispute_id} is about a charge that is not captured")
