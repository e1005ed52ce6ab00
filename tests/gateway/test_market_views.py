"""What is for sale, bought, sold and owed, as the listing and payment services show it."""

from collections.abc import AsyncGenerator
from typing import Any

import httpx
import pytest
from temporalio.client import Client

from platform_contracts.view import TENANT_HEADER
from tests.gateway.api import opened_api
from tests.gateway.views_server import FakeViews

PRICE = {"minor_units": 1250, "currency": "EUR", "exponent": 2}
SHOWN_PRICE = {"minorUnits": 1250, "currency": "EUR", "exponent": 2}
LISTING = {
    "listing_id": "lamp",
    "title": "A lamp",
    "description": "It shines.",
    "price": PRICE,
    "status": "published",
    "stock": {"available": 3, "held": 1, "sold": 1},
}
SHOWN_LISTING = {
    "listingId": "lamp",
    "title": "A lamp",
    "description": "It shines.",
    "price": SHOWN_PRICE,
    "status": "published",
    "stock": {"available": 3, "held": 1, "sold": 1},
    "links": {"self": "/v1/listings/lamp", "operation": "/v1/operations/acme:listing:listing-draft:lamp"},
}
PURCHASE = {
    "purchase_id": "p-1",
    "buyer_id": "ada",
    "state": "sold",
    "total": PRICE,
    "lines": [{"seller": "acme", "listing_id": "lamp", "quantity": 1, "price": PRICE}],
    "reserved_at": "2026-11-23T12:00:00Z",
}
SHOWN_PURCHASE = {
    "purchaseId": "p-1",
    "buyerId": "ada",
    "state": "sold",
    "total": SHOWN_PRICE,
    "lines": [{"seller": "acme", "listingId": "lamp", "quantity": 1, "price": SHOWN_PRICE}],
    "reservedAt": "2026-11-23T12:00:00Z",
    "links": {"self": "/v1/purchases/p-1", "operation": "/v1/operations/acme:listing:purchase:p-1"},
}


@pytest.fixture
async def reading(client: Client, views: FakeViews) -> AsyncGenerator[httpx.AsyncClient]:
    async with opened_api(client, views_url=views.url, api_key="k", tenant="acme", headers={"X-API-Key": "k"}) as api:
        yield api


async def test_listings_are_shown_page_by_page_and_by_status(reading: httpx.AsyncClient, views: FakeViews) -> None:
    views.answers["/views/listings"] = {"listings": [LISTING], "next_cursor": "c-2"}

    answer = await reading.get("/v1/listings", params={"status": "published", "limit": 1, "cursor": "c-1"})

    assert answer.json() == {"listings": [SHOWN_LISTING], "nextCursor": "c-2"}
    assert dict(views.requests[0].query_params) == {"status": "published", "limit": "1", "cursor": "c-1"}
    assert views.requests[0].headers[TENANT_HEADER] == "acme"


@pytest.mark.parametrize(
    ("path", "view", "member", "row", "shown", "unknown"),
    [
        ("/v1/listings/lamp", "/views/listing", "listing", LISTING, SHOWN_LISTING, "unknown_listing"),
        ("/v1/purchases/p-1", "/views/purchase", "purchase", PURCHASE, SHOWN_PURCHASE, "unknown_purchase"),
    ],
)
async def test_one_is_shown_and_an_unknown_one_is_404(
    reading: httpx.AsyncClient,
    views: FakeViews,
    path: str,
    view: str,
    member: str,
    row: dict[str, Any],
    shown: dict[str, Any],
    unknown: str,
) -> None:
    views.answers[view] = {member: row}
    found = await reading.get(path)
    views.answers[view] = {member: None}
    missing = await reading.get(path)

    assert found.json() == shown
    assert views.requests[0].headers[TENANT_HEADER] == "acme"
    assert (missing.status_code, missing.json()["type"]) == (404, unknown)


async def test_purchases_are_shown_newest_first(reading: httpx.AsyncClient, views: FakeViews) -> None:
    views.answers["/views/purchases"] = {"purchases": [PURCHASE]}

    answer = await reading.get("/v1/purchases", params={"limit": 7})

    assert answer.json() == {"purchases": [SHOWN_PURCHASE], "nextCursor": None}
    assert dict(views.requests[0].query_params) == {"limit": "7"}


async def test_sales_are_those_of_the_account_that_asks(reading: httpx.AsyncClient, views: FakeViews) -> None:
    sale = {
        "purchase_id": "p-1",
        "listing_id": "lamp",
        "quantity": 1,
        "price": PRICE,
        "sold_at": "2026-11-23T12:00:00Z",
    }
    views.answers["/views/sales"] = {"sales": [sale], "next_cursor": None}

    answer = await reading.get("/v1/sales", params={"cursor": "c-1"})

    assert answer.json()["sales"] == [
        {
            "purchaseId": "p-1",
            "listingId": "lamp",
            "quantity": 1,
            "price": SHOWN_PRICE,
            "soldAt": "2026-11-23T12:00:00Z",
        }
    ]
    assert views.requests[0].headers[TENANT_HEADER] == "acme"


async def test_balances_are_shown_as_of_a_moment(reading: httpx.AsyncClient, views: FakeViews) -> None:
    views.answers["/views/balances"] = {"balances": [PRICE], "as_of": "2026-11-23T12:00:00Z"}

    now = await reading.get("/v1/balances")
    then = await reading.get("/v1/balances", params={"at": "2026-11-23T12:00:00Z"})

    assert now.json() == then.json() == {"balances": [SHOWN_PRICE], "asOf": "2026-11-23T12:00:00Z"}
    assert "at" not in views.requests[0].query_params
    assert views.requests[1].query_params["at"] == "2026-11-23T12:00:00Z"


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/v1/listings?status=stolen", "status"),
        ("/v1/listings?limit=0", "limit"),
        ("/v1/listings/a:b", "listingId"),
        ("/v1/purchases?limit=201", "limit"),
        ("/v1/purchases/a:b", "purchaseId"),
        ("/v1/sales?limit=many", "limit"),
        ("/v1/balances?at=yesterday", "at"),
        ("/v1/balances?at=2026-11-23T12:00:00", "at"),
    ],
)
async def test_a_wrong_query_names_its_field(
    reading: httpx.AsyncClient, views: FakeViews, path: str, field: str
) -> None:
    answer = await reading.get(path)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field
    assert views.requests == []
