"""The ledger: transactions that sum to zero, their reversals, and how a captured charge becomes one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from payment_service.domain.charges import ChargeDetails
from platform_contracts.money import Money

PLATFORM_FEES: Final = "platform_fees"
"""What the platform has earned."""

_BASIS_POINTS: Final = 10_000


def cash_clearing(provider: str) -> str:
    """Return the account of what a provider owes us: it has captured it and not paid it out yet."""
    return f"cash_clearing:{provider}"


def partner_payable(seller: str) -> str:
    """Return the account of what the platform owes a seller."""
    return f"partner_payable:{seller}"


def partner_reserve(seller: str) -> str:
    """Return the account of what the platform owes a seller and keeps back for a while, for refunds to come."""
    return f"partner_reserve:{seller}"


class TransactionKind(StrEnum):
    """Why money moved; with tenant and operation it names a transaction, so each is posted once. At most 16 letters."""

    CAPTURE = "capture"
    REFUND_PENDING = "refund_pending"
    REFUND_RELEASED = "refund_released"
    """The pending postings of a refund taken back: it was posted, or it failed."""
    REFUND = "refund"
    DISPUTE = "dispute"
    DISPUTE_WON = "dispute_won"
    PAYOUT_PENDING = "payout_pending"
    PAYOUT_RELEASED = "payout_released"
    """The pending postings of a payout taken back: it was posted, or it failed."""
    PAYOUT = "payout"
    PAYOUT_RETURNED = "payout_returned"
    """A payout that was paid came back."""
    RESERVE = "reserve"
    RESERVE_RELEASE = "reserve_release"
    CORRECTION = "correction"
    """The reversal of a transaction by a person."""


class Phase(StrEnum):
    """Whether a posting counts already; each phase of the ledger sums to zero by itself."""

    POSTED = "posted"
    PENDING = "pending"
    """On its way: what an account has available is its posted and its pending balance together."""


@dataclass(frozen=True, kw_only=True)
class TransactionKey:
    """What names a transaction."""

    tenant: str
    operation_id: str
    kind: TransactionKind


@dataclass(frozen=True, kw_only=True)
class Posting:
    """One amount on one account: a debit is positive, a credit negative."""

    account: str
    amount: Money


class UnbalancedError(Exception):
    """The postings of a transaction do not sum to zero, so it would make or lose money."""


@dataclass(frozen=True, kw_only=True)
class Transaction:
    """Postings that belong together. There is none that does not sum to zero in each of its currencies."""

    tenant: str
    operation_id: str
    kind: TransactionKind
    postings: Sequence[Posting]
    posted_at: datetime
    phase: Phase = Phase.POSTED
    charge_id: str | None = None
    """The operation id of the charge that it belongs to, under the same tenant; None for payouts and reserves."""
    reverses: TransactionKey | None = None
    """The transaction that this one takes back; each can be taken back once."""

    @property
    def key(self) -> TransactionKey:
        """What names it."""
        return TransactionKey(tenant=self.tenant, operation_id=self.operation_id, kind=self.kind)

    def __post_init__(self) -> None:
        """Refuse to exist unbalanced.

        Raises:
            UnbalancedError: when it would be.
        """
        sums: dict[tuple[str, int], int] = {}
        for posting in self.postings:
            currency = posting.amount.currency, posting.amount.exponent
            sums[currency] = sums.get(currency, 0) + posting.amount.minor_units
        if not sums or any(sums.values()):
            raise UnbalancedError(f"the postings of operation {self.operation_id} sum to {sums}")


@dataclass(frozen=True, kw_only=True)
class LedgerDifference:
    """Something in the ledger that is not as it has to be; amounts in minor units, a debit positive."""

    what: str
    """`transaction` or `currency`, which have to sum to zero, or `balance`, which has to be what was posted."""
    name: str
    expected: int
    found: int


def reversal(transaction: Transaction, *, operation_id: str, kind: TransactionKind, now: datetime) -> Transaction:
    """Return the transaction that takes another one back: the same postings the other way round, in the same phase."""
    return Transaction(
        tenant=transaction.tenant,
        operation_id=operation_id,
        kind=kind,
        postings=[
            Posting(
                account=posting.account,
                amount=posting.amount.model_copy(update={"minor_units": -posting.amount.minor_units}),
            )
            for posting in transaction.postings
        ],
        posted_at=now,
        phase=transaction.phase,
        charge_id=transaction.charge_id,
        reverses=transaction.key,
    )


def fee_of(minor_units: int, *, basis_points: int) -> int:
    """Return the platform's fee on an amount, rounded to the nearest minor unit, a half to the even one.

    Halves go up as often as down, so over many sales the rounding favours neither the platform nor the sellers.
    """
    fee, rest = divmod(minor_units * basis_points, _BASIS_POINTS)
    if 2 * rest > _BASIS_POINTS or (2 * rest == _BASIS_POINTS and fee % 2 == 1):
        fee += 1
    return fee


def capture_transaction(
    *, tenant: str, operation_id: str, provider: str, details: ChargeDetails, fee_basis_points: int, now: datetime
) -> Transaction:
    """Return what a captured charge means: the provider owes us all of it, we owe each seller its share minus the fee.

    The fee is rounded for each share alone, so that a seller's statement can be checked without the others'.
    """
    fees = [fee_of(share.amount.minor_units, basis_points=fee_basis_points) for share in details.shares]
    amounts = [
        (cash_clearing(provider), details.amount.minor_units),
        *(
            (partner_payable(share.seller), fee - share.amount.minor_units)
            for share, fee in zip(details.shares, fees, strict=True)
        ),
        (PLATFORM_FEES, -sum(fees)),
    ]
    return Transaction(
        tenant=tenant,
        operation_id=operation_id,
        kind=TransactionKind.CAPTURE,
        postings=[
            Posting(account=account, amount=details.amount.model_copy(update={"minor_units": minor_units}))
            for account, minor_units in amounts
            if minor_units
        ],
        posted_at=now,
        charge_id=operation_id,
    )
