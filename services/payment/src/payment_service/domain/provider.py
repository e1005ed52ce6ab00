"""What is asked of a payment provider beside charges, and what it tells of itself."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from platform_contracts.money import Money


class MovementStatus(StrEnum):
    """How a refund or a payout stands at the provider."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    """It did not happen, or it was taken back: the money is with us."""


@dataclass(frozen=True, kw_only=True)
class RefundOrder:
    """Give back this much of a captured charge."""

    tenant: str
    refund_id: str
    charge_id: str
    """The operation id of the charge, under the same tenant."""
    charge_reference: str | None
    """What the provider calls the charge, where it has a name for it."""
    amount: Money


@dataclass(frozen=True, kw_only=True)
class PayoutOrder:
    """Send this much to a partner."""

    partner: str
    payout_id: str
    amount: Money
    destination: str | None
    """The partner's account at the provider; None where the provider knows partners by our names."""


class RecordKind(StrEnum):
    """Of what a provider keeps records that the ledger has to match."""

    CAPTURE = "capture"
    REFUND = "refund"
    PAYOUT = "payout"
    DISPUTE = "dispute"


@dataclass(frozen=True, kw_only=True)
class ProviderRecord:
    """One movement of money in the provider's own book."""

    kind: RecordKind
    tenant: str
    """The buyer's account; of a payout, the partner."""
    operation_id: str
    """The charge's operation id, the refund id, the payout id; of a dispute, the provider's name for it."""
    charge_id: str | None
    """The operation id of the charge that it belongs to; None for payouts."""
    amount: Money
    """How much was moved; always positive."""
    status: MovementStatus
    at: datetime


class FactKind(StrEnum):
    """What a provider event can tell; the values are stored."""

    CHARGE_AUTHORISED = "charge_authorised"
    CHARGE_DECLINED = "charge_declined"
    CHARGE_CAPTURED = "charge_captured"
    CHARGE_VOIDED = "charge_voided"
    CHARGE_EXPIRED = "charge_expired"
    REFUND_SUCCEEDED = "refund_succeeded"
    REFUND_FAILED = "refund_failed"
    DISPUTE_OPENED = "dispute_opened"
    DISPUTE_WON = "dispute_won"
    DISPUTE_LOST = "dispute_lost"
    PAYOUT_PAID = "payout_paid"
    PAYOUT_FAILED = "payout_failed"
    OTHER = "other"
    """Something that no workflow needs to know."""


@dataclass(frozen=True, kw_only=True)
class ProviderFact:
    """What one provider event says. It is a hint to look, never the truth: the provider's own state is asked for."""

    event_id: str
    kind: FactKind
    tenant: str
    """The buyer's account; of a payout, the partner; empty for `other`."""
    subject: str
    """The charge's operation id, the refund id, the payout id, or the provider's name of the dispute; may be empty."""
    charge_id: str | None = None
    """The operation id of the charge that a refund or dispute belongs to."""
    charge_reference: str | None = None
    """What the provider calls that charge, where the event has no name of ours: `named` tells whose it is."""
    amount: Money | None = None
    at: datetime
