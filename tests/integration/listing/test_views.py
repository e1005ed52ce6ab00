"""The views of the listing service over HTTP, as the gateway reads them."""

from collections.abc import AsyncGenerator
from datetime import timedelta

import httpx
import pytest
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from listing_service.views import views
from platform_contracts.listing.listing_draft import ListingStatus
from platform_contracts.listing.views import (
    LISTING,
    LISTINGS,
    PURCHASE,
    PURCHASES,
    SALES,
    ListingAnswer,
    Listings,
    PurchaseAnswer,
    Purchases,
    PurchaseState,
    Sales,
    Stock,
)
from platform_runtime.internal_app import internal_app
from tests.integration.listing.samples import NOON, Market, details, order

SELLER = {"Authorization": "Bearer secret", "X-Tenant": "acme"}
BUYER = {**SELLER, "X-Tenant": "buyers"}


@pytest.fixture
async def http(market: Market) -> AsyncGenerator[httpx.AsyncClient]:
    """Return a client of the internal port of a service with two listings and three purchases, two of them sold."""
    await market.publish("cup", what=details(stock=9))
    await market.publish("teapot")
    for number in range(3):
        await market.reserve(f"p-{number}", [order("cup", 2)], now=NOON + timedelta(seconds=number))
    for number in range(2):
        await market.confirm(f"p-{number}")
        await market.sell(f"p-{number}", now=NOON + timedelta(seconds=number))
    routes = views(listings=market.listings, purchases=market.reader, token=SecretStr("secret"))
    app = internal_app(registry=CollectorRegistry(), checks={}, views=routes)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://listing") as client:
        yield client


async def _get(http: httpx.AsyncClient, path: str, headers: dict[str, str], **query: str | int | None) -> bytes:
    response = await http.get(path, params=query, headers=headers)
    response.raise_for_status()
    return response.content


async def test_listing_is_shown_with_its_stock(http: httpx.AsyncClient) -> None:
    answer = ListingAnswer.model_validate_json(await _get(http, LISTING.path, SELLER, listing_id="cup"))

    assert answer.listing is not None
    assert answer.listing.status is ListingStatus.PUBLISHED
    assert answer.listing.stock == Stock(available=3, held=2, sold=4)


async def test_listings_are_read_page_by_page(http: httpx.AsyncClient) -> None:
    first = Listings.model_validate_json(await _get(http, LISTINGS.path, SELLER, limit=1, status="published"))
    cursor = first.next_cursor
    last = Listings.model_validate_json(
        await _get(http, LISTINGS.path, SELLER, limit=1, status="published", cursor=cursor)
    )

    assert [listing.listing_id for listing in first.listings + last.listings] == ["cup", "teapot"]
    assert last.next_cursor is None


async def test_purchases_are_read_page_by_page(http: httpx.AsyncClient) -> None:
    one = PurchaseAnswer.model_validate_json(await _get(http, PURCHASE.path, BUYER, purchase_id="p-0"))
    first = Purchases.model_validate_json(await _get(http, PURCHASES.path, BUYER, limit=2))
    last = Purchases.model_validate_json(await _get(http, PURCHASES.path, BUYER, limit=2, cursor=first.next_cursor))

    shown = first.purchases + last.purchases
    assert [(each.purchase_id, each.state) for each in shown] == [
        ("p-2", PurchaseState.HELD),
        ("p-1", PurchaseState.SOLD),
        ("p-0", PurchaseState.SOLD),
    ]
    assert one.purchase == shown[-1]
    assert last.next_cursor is None


async def test_sales_are_read_page_by_page(http: httpx.AsyncClient) -> None:
    first = Sales.model_validate_json(await _get(http, SALES.path, SELLER, limit=1))
    last = Sales.model_validate_json(await _get(http, SALES.path, SELLER, limit=1, cursor=first.next_cursor))

    assert [(sale.purchase_id, sale.quantity) for sale in first.sales + last.sales] == [("p-1", 2), ("p-0", 2)]
    assert last.next_cursor is None


async def test_another_tenant_sees_nothing(http: httpx.AsyncClient) -> None:
    listing = ListingAnswer.model_validate_json(await _get(http, LISTING.path, BUYER, listing_id="cup"))
    purchase = PurchaseAnswer.model_validate_json(await _get(http, PURCHASE.path, SELLER, purchase_id="p-0"))
    sales = Sales.model_validate_json(await _get(http, SALES.path, BUYER))

    assert (listing.listing, purchase.purchase, sales.sales) == (None, None, ())


@pytest.mark.parametrize("path", [LISTINGS.path, PURCHASES.path, SALES.path])
@pytest.mark.parametrize(
    ("headers", "query", "status"),
    [
        ({}, {}, 401),
        ({**SELLER, "X-Tenant": "A:B"}, {}, 422),
        (SELLER, {"limit": 0}, 422),
        (SELLER, {"cursor": "x"}, 422),
    ],
    ids=["no token", "no tenant", "no page", "no cursor"],
)
async def test_what_cannot_be_answered_is_refused(
    http: httpx.AsyncClient, path: str, headers: dict[str, str], query: dict[str, str], status: int
) -> None:
    response = await http.get(path, params=query, headers=headers)

    assert response.status_code == status
    assert response.headers["Content-Type"] == "application/problem+json"
