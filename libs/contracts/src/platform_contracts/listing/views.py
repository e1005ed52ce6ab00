"""What the listing service shows: listings, purchases and sales."""

from datetime import datetime
from enum import StrEnum
from typing import Final

from platform_contracts.identifiers import ClientId, Tenant
from platform_contracts.listing.listing_draft import ListingStatus
from platform_contracts.message import ContractModel
from platform_contracts.money import Money
from platform_contracts.view import PageSize, View


class ListingQuery(ContractModel):
    """Which listing of the tenant that asks."""

    listing_id: ClientId


class Stock(ContractModel):
    """Where the units are: available, held by purchases that go on, sold. Together they are all there ever were."""

    available: int
    held: int
    sold: int


class ListingView(ContractModel):
    """A listing as its seller sees it."""

    listing_id: ClientId
    title: str
    description: str
    price: Money
    status: ListingStatus
    stock: Stock


class ListingAnswer(ContractModel):
    """The listing, or None where there is none."""

    listing: ListingView | None


class ListingsQuery(ContractModel):
    """Which page of the tenant's listings."""

    status: ListingStatus | None = None
    limit: PageSize = 50
    cursor: str | None = None


class Listings(ContractModel):
    """A page of listings, by id."""

    listings: tuple[ListingView, ...]
    next_cursor: str | None = None


class PurchaseState(StrEnum):
    """Where a purchase stands, as the listing database knows it."""

    HELD = "held"
    CONFIRMED = "confirmed"
    SOLD = "sold"
    RELEASED = "released"


class PurchaseQuery(ContractModel):
    """Which purchase of the tenant that asks."""

    purchase_id: ClientId


class PurchaseLineView(ContractModel):
    """One line, with the price it was reserved at."""

    seller: Tenant
    listing_id: ClientId
    quantity: int
    price: Money


class PurchaseView(ContractModel):
    """A purchase as its buyer's account sees it."""

    purchase_id: ClientId
    buyer_id: ClientId
    state: PurchaseState
    total: Money
    lines: tuple[PurchaseLineView, ...]
    reserved_at: datetime


class PurchaseAnswer(ContractModel):
    """The purchase, or None where nothing was ever reserved for it."""

    purchase: PurchaseView | None


class PurchasesQuery(ContractModel):
    """Which page of the tenant's purchases."""

    limit: PageSize = 50
    cursor: str | None = None


class Purchases(ContractModel):
    """A page of purchases, newest first."""

    purchases: tuple[PurchaseView, ...]
    next_cursor: str | None = None


class SalesQuery(ContractModel):
    """Which page of what the tenant has sold."""

    limit: PageSize = 50
    cursor: str | None = None


class Sale(ContractModel):
    """One line that was sold."""

    purchase_id: ClientId
    listing_id: ClientId
    quantity: int
    price: Money
    sold_at: datetime


class Sales(ContractModel):
    """A page of sales, newest first."""

    sales: tuple[Sale, ...]
    next_cursor: str | None = None


LISTING: Final = View(path="/views/listing", query_type=ListingQuery, answer_type=ListingAnswer)
LISTINGS: Final = View(path="/views/listings", query_type=ListingsQuery, answer_type=Listings)
PURCHASE: Final = View(path="/views/purchase", query_type=PurchaseQuery, answer_type=PurchaseAnswer)
PURCHASES: Final = View(path="/views/purchases", query_type=PurchasesQuery, answer_type=Purchases)
SALES: Final = View(path="/views/sales", query_type=SalesQuery, answer_type=Sales)
