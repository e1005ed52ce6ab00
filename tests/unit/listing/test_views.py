"""What the listing service shows."""

from datetime import UTC, datetime, timedelta

import pytest

from listing_service.domain.listings import ListingStatus as StoredStatus
from listing_service.domain.purchases import OrderLine
from listing_service.views import read_listing, read_listings, read_purchase, read_purchases, read_sales
from platform_contracts.listing.listing_draft import ListingStatus
from platform_contracts.listing.views import (
    ListingQuery,
    ListingsQuery,
    PurchaseQuery,
    PurchasesQuery,
    PurchaseState,
    SalesQuery,
    Stock,
)
from platform_contracts.money import Money
from platform_runtime.page_cursor import InvalidCursorError, encode_cursor
from tests.fakes.listing_database import FakeListings, FakePurchases

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


async def _sold(purchases: FakePurchases, purchase_id: str, *, quantity: int = 1, now: datetime = NOON) -> None:
    of = {"tenant": "buyers", "purchase_id": purchase_id}
    await purchases.reserve(
        **of,
        buyer_id="b-1",
        lines=[OrderLine(seller="acme", listing_id="teapot", quantity=quantity)],
        now=now,
        held_until=now + timedelta(minutes=15),
    )
    await purchases.confirm(**of, now=now)
    await purchases.sell(**of, now=now)


async def test_listing_is_shown_to_its_seller_with_its_stock() -> None:
    listings = FakeListings()
    listings.add("teapot")
    await _sold(FakePurchases(listings), "p-1", quantity=2)

    answer = await read_listing(listings, "acme", ListingQuery(listing_id="teapot"))
    foreign = await read_listing(listings, "buyers", ListingQuery(listing_id="teapot"))

    assert answer.listing is not None
    assert answer.listing.status is ListingStatus.PUBLISHED
    assert answer.listing.stock == Stock(available=1, held=0, sold=2)
    assert foreign.listing is None


async def test_pages_show_every_listing_once_by_id() -> None:
    listings = FakeListings()
    for listing_id in ("c", "a", "b"):
        listings.add(listing_id)
    listings.add("d", status=StoredStatus.DRAFT)

    first = await read_listings(listings, "acme", ListingsQuery(status=ListingStatus.PUBLISHED, limit=2))
    last = await read_listings(
        listings, "acme", ListingsQuery(status=ListingStatus.PUBLISHED, limit=2, cursor=first.next_cursor)
    )

    assert [listing.listing_id for listing in (*first.listings, *last.listings)] == ["a", "b", "c"]
    assert last.next_cursor is None


async def test_purchase_is_shown_with_the_prices_it_was_reserved_at() -> None:
    listings = FakeListings()
    listings.add("teapot")
    purchases = FakePurchases(listings)
    await _sold(purchases, "p-1", quantity=2)

    answer = await read_purchase(purchases, "buyers", PurchaseQuery(purchase_id="p-1"))
    foreign = await read_purchase(purchases, "acme", PurchaseQuery(purchase_id="p-1"))

    assert answer.purchase is not None
    assert answer.purchase.state is PurchaseState.SOLD
    assert answer.purchase.total == Money(minor_units=2500, currency="EUR")
    assert [(line.seller, line.quantity) for line in answer.purchase.lines] == [("acme", 2)]
    assert foreign.purchase is None


async def test_pages_show_every_purchase_and_every_sale_once_newest_first_also_at_equal_times() -> None:
    listings = FakeListings()
    listings.add("teapot")
    purchases = FakePurchases(listings)
    for number in range(3):
        await _sold(purchases, f"p-{number}", now=NOON + timedelta(seconds=number // 2))

    bought = await read_purchases(purchases, "buyers", PurchasesQuery(limit=2))
    more_bought = await read_purchases(purchases, "buyers", PurchasesQuery(limit=2, cursor=bought.next_cursor))
    sold = await read_sales(purchases, "acme", SalesQuery(limit=2))
    more_sold = await read_sales(purchases, "acme", SalesQuery(limit=2, cursor=sold.next_cursor))

    assert [each.purchase_id for each in (*bought.purchases, *more_bought.purchases)] == ["p-2", "p-1", "p-0"]
    assert [each.purchase_id for each in (*sold.sales, *more_sold.sales)] == ["p-2", "p-1", "p-0"]
    assert (more_bought.next_cursor, more_sold.next_cursor) == (None, None)


async def test_tenant_that_never_bought_or_sold_sees_empty_pages() -> None:
    purchases = FakePurchases(FakeListings())

    assert (await read_purchases(purchases, "buyers", PurchasesQuery())).purchases == ()
    assert (await read_sales(purchases, "acme", SalesQuery())).sales == ()


@pytest.mark.parametrize(
    "cursor",
    ["x", encode_cursor("a", "b", "c", "d"), encode_cursor("no time", "p-1"), encode_cursor("2026-01-02T03:04", "p-1")],
)
async def test_foreign_cursor_is_refused(cursor: str) -> None:
    purchases = FakePurchases(FakeListings())

    with pytest.raises(InvalidCursorError):
        await read_purchases(purchases, "buyers", PurchasesQuery(cursor=cursor))
    with pytest.raises(InvalidCursorError):
        await read_sales(purchases, "acme", SalesQuery(cursor=cursor))
    with pytest.raises(InvalidCursorError):
        await read_listings(FakeListings(), "acme", ListingsQuery(cursor=cursor))
