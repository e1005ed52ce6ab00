"""How a part of a charge is captured, and how what was captured is taken back: whole minor units, and exact sums."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from payment_service.domain.charges import ChargeDetails, InvalidChargeError, StoredCharge
from payment_service.domain.ledger import (
    PLATFORM_FEES,
    Phase,
    Posting,
    Transaction,
    TransactionKind,
    cash_clearing,
    partner_payable,
)
from platform_contracts.money import Money


def in_proportion(amount: int, weights: Sequence[int]) -> list[int]:
    """Split an amount in proportion to weights, by the largest remainder: the parts add up to it exactly.

    No part is more than its weight where the amount is not more than their sum. Of equal remainders the first come
    first, so that every process splits alike.
    """
    whole = sum(weights)
    parts = [amount * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda index: -(amount * weights[index] % whole))
    for index in by_remainder[: amount - sum(parts)]:
        parts[index] += 1
    return parts


def captured_details(details: ChargeDetails, amount: Money | None) -> ChargeDetails:
    """Return what is charged when this much is captured: the shares keep their proportions; None: all of it.

    Raises:
        InvalidChargeError: when the amount is not positive, more than what is authorised, or in another currency.
    """
    if amount is None or amount == details.amount:
        return details
    whole = details.amount
    if (amount.currency, amount.exponent) != (whole.currency, whole.exponent):
        raise InvalidChargeError("what is captured has to be in the currency of the charge")
    if not 0 < amount.minor_units <= whole.minor_units:
        raise InvalidChargeError("no more can be captured than what is authorised, and no less than one minor unit")
    parts = in_proportion(amount.minor_units, [share.amount.minor_units for share in details.shares])
    return replace(
        details,
        amount=amount,
        shares=tuple(
            replace(share, amount=share.amount.model_copy(update={"minor_units": part}))
            for share, part in zip(details.shares, parts, strict=True)
            if part
        ),
    )


@dataclass(frozen=True, kw_only=True)
class SellerPart:
    """What of a movement belongs to one seller, and the fee in it."""

    seller: str
    minor_units: int
    fee: int

    def __post_init__(self) -> None:
        """Refuse to exist where the fee is more than the part, or less than nothing."""
        if not 0 <= self.fee <= self.minor_units:
            raise ValueError(f"a fee of {self.fee} in {self.minor_units}")


def captured_parts(charge: StoredCharge, capture: Transaction) -> tuple[SellerPart, ...]:
    """Return what each seller got of a captured charge, and the fee that was taken of it, as the ledger has it."""
    assert charge.details is not None, "a charge without details was voided, and is never captured"
    captured: dict[str, int] = {}
    for share in captured_details(charge.details, charge.capture_amount).shares:
        captured[share.seller] = captured.get(share.seller, 0) + share.amount.minor_units
    credited: dict[str, int] = {}
    for posting in capture.postings:
        credited[posting.account] = credited.get(posting.account, 0) - posting.amount.minor_units
    return tuple(
        SellerPart(seller=seller, minor_units=units, fee=units - credited.get(partner_payable(seller), 0))
        for seller, units in captured.items()
    )


class ReversalExceedsError(Exception):
    """More would be taken back than is left."""


class InvalidReversalError(Exception):
    """Nothing can be taken back like this."""


@dataclass(frozen=True, kw_only=True)
class Left:
    """What is left of a captured charge: with each seller, and of the fee."""

    captured: tuple[SellerPart, ...]
    parts: tuple[SellerPart, ...]
    """In the order of `captured`."""

    @property
    def minor_units(self) -> int:
        """The sum."""
        return sum(part.minor_units for part in self.parts)


def left_of(captured: Sequence[SellerPart], reversed_parts: Sequence[SellerPart]) -> Left:
    """Return what is left after what refunds and disputes have taken, or are taking."""
    parts: list[SellerPart] = []
    for part in captured:
        taken = [each for each in reversed_parts if each.seller == part.seller]
        parts.append(
            SellerPart(
                seller=part.seller,
                minor_units=part.minor_units - sum(each.minor_units for each in taken),
                fee=part.fee - sum(each.fee for each in taken),
            )
        )
    return Left(captured=tuple(captured), parts=tuple(parts))


def take_back(left: Left, amount: int, *, shares: Mapping[str, int] | None = None) -> tuple[SellerPart, ...]:
    """Return what each seller, and the fee, give of an amount that is taken back.

    Without shares each seller gives in proportion to what is left of their share. The fee follows the share: what the
    platform keeps is the fee of what remains, at the rate at which it was taken. So any split into refunds that gives
    back everything gives back exactly the whole fee.

    Raises:
        ReversalExceedsError: when more would be taken than is left, of all or of one seller.
        InvalidReversalError: when an amount is not positive, or a share is no seller's of the charge.
    """
    if amount <= 0 or (shares and (sum(shares.values()) != amount or min(shares.values()) <= 0)):
        raise InvalidReversalError("every amount has to be positive, and the shares add up to the whole")
    if shares and not shares.keys() <= {part.seller for part in left.parts}:
        raise InvalidReversalError("a share is of nobody who sold anything")
    if amount > left.minor_units:
        raise ReversalExceedsError("more than what is left")
    taken = (
        [shares.get(part.seller, 0) for part in left.parts]
        if shares
        else in_proportion(amount, [part.minor_units for part in left.parts])
    )
    if any(units > part.minor_units for units, part in zip(taken, left.parts, strict=True)):
        raise ReversalExceedsError("more than what is left with a seller")
    return tuple(
        SellerPart(seller=part.seller, minor_units=units, fee=_fee_given_back(captured, part, units))
        for captured, part, units in zip(left.captured, left.parts, taken, strict=True)
        if units
    )


def _fee_given_back(captured: SellerPart, left: SellerPart, units: int) -> int:
    remaining = left.minor_units - units
    given_back = left.fee - _rounded(captured.fee * remaining, captured.minor_units)
    # A refund that failed after a later one was made leaves the fee a unit beside its share: never more than a share.
    least = max(0, left.fee - remaining)
    return min(max(given_back, least), left.fee, units)


def _rounded(dividend: int, divisor: int) -> int:
    """Return the quotient rounded to the nearest whole number, a half to the even one, as the fee itself is."""
    quotient, rest = divmod(dividend, divisor)
    return quotient + (2 * rest > divisor or (2 * rest == divisor and quotient % 2 == 1))


def reversal_transaction(
    charge: StoredCharge,
    parts: Sequence[SellerPart],
    *,
    operation_id: str,
    kind: TransactionKind,
    phase: Phase = Phase.POSTED,
    now: datetime,
) -> Transaction:
    """Return what it means that parts of a captured charge are taken back: the capture's postings, the other way round.

    A seller's payable may fall below zero: then the seller owes the platform, until sales make up for it.
    """
    assert charge.details is not None, "only what is captured is taken back"
    amounts = [
        (cash_clearing(charge.provider), -sum(part.minor_units for part in parts)),
        *((partner_payable(part.seller), part.minor_units - part.fee) for part in parts),
        (PLATFORM_FEES, sum(part.fee for part in parts)),
    ]
    money = charge.details.amount
    return Transaction(
        tenant=charge.tenant,
        operation_id=operation_id,
        kind=kind,
        postings=[
            Posting(account=account, amount=money.model_copy(update={"minor_units": units}))
            for account, units in amounts
            if units
        ],
        posted_at=now,
        phase=phase,
        charge_id=charge.operation_id,
    )


def captured_amount(charge: StoredCharge) -> Money:
    """Return what was captured of a captured charge."""
    assert charge.details is not None, "a charge without details was voided, and is never captured"
    return charge.capture_amount or charge.details.amount
