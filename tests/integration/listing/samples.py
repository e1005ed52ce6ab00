"""What the integration tests of the listing service ask for again and again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select

from listing_service.domain.listings import ListingDetails, StoredListing
from listing_service.domain.purchases import (
    OrderLine,
    PurchasePosition,
    PurchaseState,
    Sale,
    SalePosition,
    StoredPurchase,
)
from listing_service.persistence.listings import SqlListings
from listing_service.persistence.purchase_reader import SqlPurchaseReader
from listing_service.persistence.purchases import SqlPurchases
from listing_service.persistence.tables import PURCHASES
from platform_contracts.money import Money
from platform_runtime.database import Database

MIGRATIONS = "listing_service.persistence.migrations"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOLD = timedelta(minutes=15)
TEAPOT = ListingDetails(
    title="Teapot", description="Short and stout.", price=Money(minor_units=1250, currency="EUR"), stock=3
)


def details(*, stock: int = 3, minor_units: int = 1250, currency: str = "EUR", title: str = "Teapot") -> ListingDetails:
    """Return what is offered."""
    return ListingDetails(
        title=title, description="", price=Money(minor_units=minor_units, currency=currency), stock=stock
    )


def order(listing_id: str = "teapot", quantity: int = 1, *, seller: str = "acme") -> OrderLine:
    """Return a line of a purchase."""
    return OrderLine(seller=seller, listing_id=listing_id, quantity=quantity)


@dataclass(frozen=True)
class Market:
    """The ports of the service on one database, and short words for what is done with them."""

    database: Database

    @property
    def listings(self) -> SqlListings:
        """The listings."""
        return SqlListings(self.database)

    @property
    def purchases(self) -> SqlPurchases:
        """What purchases do."""
        return SqlPurchases(self.database)

    @property
    def reader(self) -> SqlPurchaseReader:
        """What can be read of them."""
        return SqlPurchaseReader(self.database)

    async def publish(self, listing_id: str = "teapot", *, seller: str = "acme", what: ListingDetails = TEAPOT) -> None:
        """Put something up for sale."""
        of: dict[str, Any] = {"tenant": seller, "listing_id": listing_id}
        await self.listings.save_draft(**of, details=what, now=NOON)
        await self.listings.take_into_review(**of, submission_id="s-1")
        await self.listings.publish(**of, submission_id="s-1", now=NOON)

    async def reserve(
        self,
        purchase_id: str,
        lines: Sequence[OrderLine] = (order(),),
        *,
        tenant: str = "buyers",
        buyer_id: str = "b-1",
        now: datetime = NOON,
    ) -> StoredPurchase:
        """Reserve for 15 minutes."""
        return await self.purchases.reserve(
            tenant=tenant, purchase_id=purchase_id, buyer_id=buyer_id, lines=lines, now=now, held_until=now + HOLD
        )

    async def confirm(self, purchase_id: str, *, now: datetime = NOON) -> None:
        """Confirm."""
        await self.purchases.confirm(tenant="buyers", purchase_id=purchase_id, now=now)

    async def unconfirm(self, purchase_id: str) -> None:
        """Take the confirmation back."""
        await self.purchases.unconfirm(tenant="buyers", purchase_id=purchase_id)

    async def sell(self, purchase_id: str, *, now: datetime = NOON) -> None:
        """Sell."""
        await self.purchases.sell(tenant="buyers", purchase_id=purchase_id, now=now)

    async def release(self, purchase_id: str) -> None:
        """Give back."""
        await self.purchases.release(tenant="buyers", purchase_id=purchase_id)

    async def stored(self, listing_id: str = "teapot", *, seller: str = "acme") -> StoredListing:
        """Return a listing."""
        found = await self.listings.find(tenant=seller, listing_id=listing_id)
        assert found is not None
        return found

    async def stock(self, listing_id: str = "teapot", *, seller: str = "acme") -> tuple[int, int, int]:
        """Return how many units are available, held and sold."""
        found = await self.stored(listing_id, seller=seller)
        return found.available, found.held, found.sold

    async def state(self, purchase_id: str) -> PurchaseState | None:
        """Return the state of a purchase, also of one that was never reserved."""
        query = select(PURCHASES.c.state).where(PURCHASES.c.tenant == "buyers", PURCHASES.c.purchase_id == purchase_id)
        async with self.database.read() as connection:
            state = await connection.scalar(query)
        return None if state is None else PurchaseState(state)

    def position_of(self, purchase: StoredPurchase) -> PurchasePosition:
        """Return where a page ends that ends with this purchase."""
        return PurchasePosition(reserved_at=purchase.reserved_at, purchase_id=purchase.purchase_id)

    def position_of_sale(self, sale: Sale) -> SalePosition:
        """Return where a page ends that ends with this sale."""
        return SalePosition(sold_at=sale.sold_at, purchase_id=sale.purchase_id, listing_id=sale.listing_id)
