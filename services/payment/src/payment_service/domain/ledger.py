"""The ledger: transactions that sum to zero, and how a captured charge becomes one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from payment_service.domain.charges import ChargeDetails
from platform_contracts.money import Money

ACQUIRER_CLEARING: Final = "acquirer_clearing"
"""What the acquirer owes us; it pays out what it has captured."""

PLATFORM_FEES: Final = "platform_fees"
"""What the platform has earned."""

_BASIS_POINTS: Final = 10_000


def partner_payable(seller: str) -> str:
    """Return the account of what the platform owes a seller."""
    return f"partner_payable:{seller}"


class TransactionKind(StrEnum):
    """Why money moved; with tenant and operation it names a transaction, so each is posted once."""

    CAPTURE = "capture"


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


def fee_of(minor_units: int, *, basis_points: int) -> int:
    """Return the platform's fee on an amount, rounded to the nearest minor unit, a half to the even one.

    Halves go up as often as down, so over many sales the rounding favours neither the platform nor the sellers.
    """
    fee, rest = divmod(minor_units * basis_points, _BASIS_POINTS)
    if 2 * rest > _BASIS_POINTS or (2 * rest == _BASIS_POINTS and fee % 2 == 1):
        fee += 1
    return fee


def capture_transaction(
    *, tenant: str, operation_id: str, details: ChargeDetails, fee_basis_points: int, now: datetime
) -> Transaction:
    """Return what a captured charge means: the acquirer owes us all of it, we owe each seller its share minus the fee.

    The fee is rounded for each share alone, so that a seller's statement can be checked without the others'.
    """
    fees = [fee_of(share.amount.minor_units, basis_points=fee_basis_points) for share in details.shares]
    amounts = [
        (ACQUIRER_CLEARING, details.amount.minor_units),
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
    )
