"""Payouts: what of a balance is paid and what is kept back, a state machine for each payout, and its postings."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from payment_service.domain.ledger import (
    Phase,
    Posting,
    Transaction,
    TransactionKind,
    cash_clearing,
    partner_payable,
    partner_reserve,
)
from platform_contracts.money import Money

_BASIS_POINTS: Final = 10_000
_DAYS_OF_A_WEEK: Final = 7


class PayoutStatus(StrEnum):
    """Where a payout stands; the words are stored, and equal those of the contract."""

    RESERVED = "reserved"
    HELD = "held"
    IN_REVIEW = "in_review"
    SENDING = "sending"
    PAID = "paid"
    FAILED = "failed"
    RETURNED = "returned"
    REJECTED = "rejected"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    CARRIED = "carried"


WAITING: Final = frozenset({PayoutStatus.RESERVED, PayoutStatus.HELD, PayoutStatus.IN_REVIEW})
"""The amount is reserved and certainly not sent."""

OPEN: Final = WAITING | {PayoutStatus.SENDING}
"""Of a partner and a currency one of these is there at a time."""

MAY_COME_FROM: Final[Mapping[PayoutStatus, frozenset[PayoutStatus]]] = {
    PayoutStatus.RESERVED: frozenset(),
    PayoutStatus.HELD: WAITING,
    PayoutStatus.IN_REVIEW: WAITING,
    PayoutStatus.SENDING: WAITING,
    PayoutStatus.PAID: frozenset({PayoutStatus.SENDING}),
    PayoutStatus.FAILED: frozenset({PayoutStatus.SENDING}),
    PayoutStatus.RETURNED: frozenset({PayoutStatus.PAID}),
    PayoutStatus.REJECTED: WAITING,
    PayoutStatus.EXPIRED: WAITING,
    PayoutStatus.CANCELLED: WAITING,
    PayoutStatus.CARRIED: WAITING,
}
"""From where a payout can get to a status. Nothing that was sent can be rejected, expire or be cancelled."""

GIVES_BACK: Final = frozenset({TransactionKind.RESERVE_RELEASE, TransactionKind.PAYOUT_RETURNED})
"""What these credit was payable before, so it waits for no delay again."""


class CarriedReason(StrEnum):
    """Why nothing is paid; the words equal those of the contract."""

    NOTHING_PAYABLE = "nothing_payable"
    BELOW_MINIMUM = "below_minimum"
    ANOTHER_IS_OPEN = "another_is_open"
    BALANCE_FELL = "balance_fell"


class PayoutSchedule(StrEnum):
    """When a partner is paid; the words are stored, and equal those of the contract."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MANUAL = "manual"


@dataclass(frozen=True, kw_only=True)
class PayoutPlan:
    """How a partner is paid in one currency."""

    schedule: PayoutSchedule = PayoutSchedule.DAILY
    minimum_minor_units: int = 1
    delay_days: int = 0
    reserve_basis_points: int = 0
    reserve_days: int = 0
    review_above_minor_units: int | None = None
    destination: str | None = None


@dataclass(frozen=True, kw_only=True)
class NewPayout:
    """A payout that is asked for."""

    partner: str
    payout_id: str
    currency: str
    exponent: int
    cut: datetime
    requested_by: str | None
    provider: str


@dataclass(frozen=True, kw_only=True)
class StoredPayout:
    """A payout as it stands."""

    partner: str
    payout_id: str
    status: PayoutStatus
    amount: Money
    """What is sent; zero when it is carried."""
    withheld: Money
    """What moves into the partner's reserve when it is paid."""
    carried: CarriedReason | None
    cut: datetime
    requested_by: str | None
    needs_review: bool
    destination: str | None
    provider: str
    reserve_until: datetime | None
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True, kw_only=True)
class Reserved:
    """What a payout takes of a balance."""

    amount: int
    withheld: int
    carried: CarriedReason | None = None


@dataclass(frozen=True, kw_only=True)
class DuePayout:
    """A partner and a currency with something to pay, or with a reserve to release."""

    partner: str
    currency: str
    exponent: int


@dataclass(frozen=True, kw_only=True)
class PayoutPosition:
    """Where a page of payouts ended."""

    created_at: datetime
    payout_id: str


class PayoutDiffersError(Exception):
    """There is a payout of this id for another currency."""

    def __init__(self, payout_id: str) -> None:
        """Name it."""
        super().__init__(f"payout {payout_id} was asked for with other details")
        self.payout_id = payout_id


class UnknownPayoutError(Exception):
    """There is no such payout."""

    def __init__(self, payout_id: str) -> None:
        """Name it."""
        super().__init__(f"there is no payout {payout_id}")
        self.payout_id = payout_id


def payable(*, posted: int, too_young: int, pending: int) -> int:
    """Return what of a balance can be paid, in minor units; negative where more has left than has come in.

    Args:
        posted: all credits minus all debits up to now.
        too_young: the credits among them that came after the cut and its delay.
        pending: what is on its way: negative for what leaves. What comes in counts once it has come.
    """
    return posted - too_young + min(pending, 0)


def reserved(payable_minor_units: int, plan: PayoutPlan) -> Reserved:
    """Return what a payout takes of what can be paid: together they are all of it, or nothing.

    What is kept back is rounded down, so that a payout always sends something.
    """
    if payable_minor_units <= 0:
        return Reserved(amount=0, withheld=0, carried=CarriedReason.NOTHING_PAYABLE)
    if payable_minor_units < plan.minimum_minor_units:
        return Reserved(amount=0, withheld=0, carried=CarriedReason.BELOW_MINIMUM)
    withheld = payable_minor_units * plan.reserve_basis_points // _BASIS_POINTS if plan.reserve_days else 0
    return Reserved(amount=payable_minor_units - withheld, withheld=withheld)


def needs_review(amount: int, plan: PayoutPlan) -> bool:
    """Return whether two people have to approve an amount in minor units."""
    return plan.review_above_minor_units is not None and amount > plan.review_above_minor_units


def is_due(schedule: PayoutSchedule, *, cut: datetime, last_cut: datetime | None) -> bool:
    """Return whether a run pays a partner: a weekly one by the first run of a week, even when Monday's was missed."""
    if schedule is PayoutSchedule.MANUAL:
        return False
    if schedule is PayoutSchedule.DAILY:
        return True
    midnight = cut.replace(hour=0, minute=0, second=0, microsecond=0)
    monday = midnight - timedelta(days=cut.weekday() % _DAYS_OF_A_WEEK)
    return last_cut is None or last_cut < monday


def pending_transaction(payout: StoredPayout, *, now: datetime) -> Transaction:
    """Return what takes a payout out of what is available, before anything is sent."""
    return _transaction(
        payout,
        TransactionKind.PAYOUT_PENDING,
        now,
        (partner_payable(payout.partner), payout.amount.minor_units + payout.withheld.minor_units),
        (cash_clearing(payout.provider), -payout.amount.minor_units),
        (partner_reserve(payout.partner), -payout.withheld.minor_units),
        phase=Phase.PENDING,
    )


def payout_transactions(payout: StoredPayout, *, now: datetime) -> list[Transaction]:
    """Return what a paid payout means: we owe the partner less, the provider owes us less, and some is kept back."""
    paid = _transaction(
        payout,
        TransactionKind.PAYOUT,
        now,
        (partner_payable(payout.partner), payout.amount.minor_units),
        (cash_clearing(payout.provider), -payout.amount.minor_units),
    )
    if not payout.withheld.minor_units:
        return [paid]
    kept = _transaction(
        payout,
        TransactionKind.RESERVE,
        now,
        (partner_payable(payout.partner), payout.withheld.minor_units),
        (partner_reserve(payout.partner), -payout.withheld.minor_units),
    )
    return [paid, kept]


def _transaction(
    payout: StoredPayout,
    kind: TransactionKind,
    now: datetime,
    *amounts: tuple[str, int],
    phase: Phase = Phase.POSTED,
) -> Transaction:
    return Transaction(
        tenant=payout.partner,
        operation_id=payout.payout_id,
        kind=kind,
        postings=[
            Posting(account=account, amount=payout.amount.model_copy(update={"minor_units": minor_units}))
            for account, minor_units in amounts
            if minor_units
        ],
        posted_at=now,
        phase=phase,
    )
