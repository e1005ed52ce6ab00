"""What the API takes and gives about purchases, sales and balances."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from platform_contracts.identifiers import ClientId, Tenant
from platform_contracts.listing.purchase import PurchaseStatus
from platform_contracts.listing.views import PurchaseState
from platform_contracts.payment.charge import PaymentToken
from platform_gateway.market.listing_models import Money
from platform_gateway.rest_models import Accepted, ResourceLinks, ResourceModel, RestModel


class PurchaseLineRequest(ResourceModel):
    """So many units of a listing. There is no amount: the price is the listing's."""

    listing_id: ClientId
    quantity: Annotated[int, Field(ge=1, le=1_000)]
    seller_id: Tenant | None = None
    """The account whose listing it is; None: the one that calls."""


class PurchaseRequest(ResourceModel):
    """What is bought, for whom, and with which card."""

    purchase_id: ClientId | None = None
    """None: the Idempotency-Key names it."""
    buyer_id: ClientId
    # A JSON array: strict as the model is, it would want a tuple.
    lines: Annotated[tuple[PurchaseLineRequest, ...], Field(strict=False, min_length=1, max_length=50)]
    payment_token: PaymentToken
    """What stands for the card at the acquirer; never a card number."""


class PurchaseResult(RestModel):
    """What was sold."""

    purchase_id: str
    status: PurchaseStatus
    total: Money


class PurchaseDone(Accepted):
    """A purchase that is captured; `status` is RUNNING while buyer and sellers are still being told."""

    result: PurchaseResult


class PurchaseLine(RestModel):
    """One line, with the price it was reserved at."""

    seller: str
    listing_id: str
    quantity: int
    price: Money


class Purchase(RestModel):
    """A purchase as its buyer's account sees it."""

    purchase_id: str
    buyer_id: str
    state: PurchaseState
    total: Money
    lines: tuple[PurchaseLine, ...]
    reserved_at: datetime
    links: ResourceLinks


class PurchasesPage(RestModel):
    """A page of the account's purchases, newest first."""

    purchases: tuple[Purchase, ...]
    next_cursor: str | None


class Sale(RestModel):
    """One line that the account sold."""

    purchase_id: str
    listing_id: str
    quantity: int
    price: Money
    sold_at: datetime


class SalesPage(RestModel):
    """A page of the account's sales, newest first."""

    sales: tuple[Sale, ...]
    next_cursor: str | None


class Balances(RestModel):
    """What the platform owes the account, an amount per currency; none without sales."""

    balances: tuple[Money, ...]
    as_of: datetime
