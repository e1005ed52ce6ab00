"""Purchases: what they hold of the stock, what they cost, whose the money is."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from platform_contracts.money import CurrencyMismatchError, Money, total


class PurchaseState(StrEnum):
    """Where a purchase stands; the words are stored, and equal those of the contract."""

    HELD = "held"
    CONFIRMED = "confirmed"
    SOLD = "sold"
    RELEASED = "released"


HOLDING: Final = (PurchaseState.HELD, PurchaseState.CONFIRMED)
"""The states in which a purchase holds stock: only from these can there be anything to give back."""


@dataclass(frozen=True, kw_only=True, order=True)
class OrderLine:
    """So many units of a listing that somebody wants."""

    seller: str
    listing_id: str
    quantity: int


@dataclass(frozen=True, kw_only=True)
class ReservedLine:
    """So many units of a listing that are held or sold, at the price of the moment of the reservation."""

    seller: str
    listing_id: str
    quantity: int
    price: Money
    """Of one unit."""

    @property
    def amount(self) -> Money:
        """What the line costs."""
        return self.price.times(self.quantity)

    @property
    def order(self) -> OrderLine:
        """What was asked for."""
        return OrderLine(seller=self.seller, listing_id=self.listing_id, quantity=self.quantity)


@dataclass(frozen=True, kw_only=True)
class StoredPurchase:
    """A purchase for which stock was reserved once."""

    purchase_id: str
    buyer_id: str
    state: PurchaseState
    lines: tuple[ReservedLine, ...]
    """One for each listing, in the order of seller and listing id."""
    reserved_at: datetime
    held_until: datetime
    """From then on it cannot be confirmed any more."""

    @property
    def total(self) -> Money:
        """What it costs."""
        return total([line.amount for line in self.lines])


@dataclass(frozen=True, kw_only=True)
class Sale:
    """One line that was sold, as its seller sees it."""

    purchase_id: str
    listing_id: str
    quantity: int
    price: Money
    sold_at: datetime


@dataclass(frozen=True, kw_only=True)
class PurchasePosition:
    """Where a page of purchases ends: its last one. The id decides between purchases of the same moment."""

    reserved_at: datetime
    purchase_id: str


@dataclass(frozen=True, kw_only=True)
class SalePosition:
    """Where a page of sales ends: its last one."""

    sold_at: datetime
    purchase_id: str
    listing_id: str


class NotForSaleError(Exception):
    """The listing is not published."""

    def __init__(self, listing_id: str) -> None:
        """Name the listing."""
        super().__init__(f"listing {listing_id} is not for sale")
        self.listing_id = listing_id


class SoldOutError(Exception):
    """There are fewer units available than were asked for."""

    def __init__(self, listing_id: str, quantity: int) -> None:
        """Say what was asked for."""
        super().__init__(f"there are no {quantity} units of listing {listing_id} available")
        self.listing_id = listing_id
        self.quantity = quantity


class MixedCurrenciesError(Exception):
    """The lines have prices in several currencies, which nobody can add up."""

    def __init__(self, purchase_id: str) -> None:
        """Name the purchase."""
        super().__init__(f"the lines of purchase {purchase_id} have several currencies")
        self.purchase_id = purchase_id


class ReservationExpiredError(Exception):
    """The purchase holds nothing that could be sold: its hold has lapsed, or was released, or never was."""

    def __init__(self, purchase_id: str) -> None:
        """Name the purchase."""
        super().__init__(f"purchase {purchase_id} holds no stock any more")
        self.purchase_id = purchase_id


class PurchaseFailedError(Exception):
    """The purchase has failed before, and stays failed: what is tried again has another id."""

    def __init__(self, purchase_id: str, failure: str) -> None:
        """Say how it failed."""
        super().__init__(f"purchase {purchase_id} has ended with {failure}")
        self.purchase_id = purchase_id
        self.failure = failure


class PurchaseDiffersError(Exception):
    """There is a purchase of this id with other contents."""

    def __init__(self, purchase_id: str) -> None:
        """Name the purchase."""
        super().__init__(f"purchase {purchase_id} was made with other contents")
        self.purchase_id = purchase_id


def merged(lines: Iterable[OrderLine]) -> tuple[OrderLine, ...]:
    """Return one line for each listing, in the order of seller and listing id.

    Every transaction touches listings in this order, so that no two of them can wait for each other.
    """
    quantities: Counter[tuple[str, str]] = Counter()
    for line in lines:
        quantities[line.seller, line.listing_id] += line.quantity
    return tuple(
        OrderLine(seller=seller, listing_id=listing_id, quantity=quantity)
        for (seller, listing_id), quantity in sorted(quantities.items())
    )


def check_one_currency(purchase_id: str, prices: Sequence[Money]) -> None:
    """Make sure that the prices can be added up.

    Raises:
        MixedCurrenciesError: when they cannot.
    """
    try:
        total(list(prices))
    except CurrencyMismatchError:
        raise MixedCurrenciesError(purchase_id) from None


def shares(lines: Iterable[ReservedLine]) -> dict[str, Money]:
    """Return what of a purchase belongs to each seller, by seller; together they are its total."""
    amounts: dict[str, Money] = {}
    for line in sorted(lines, key=lambda line: (line.seller, line.listing_id)):
        known = amounts.get(line.seller)
        amounts[line.seller] = line.amount if known is None else known + line.amount
    return amounts
