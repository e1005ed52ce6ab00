"""Reads: what the services show, or an honest 503 within a second."""

import time
from collections.abc import AsyncGenerator

import httpx
import pytest
from temporalio.client import Client

from platform_contracts.view import TENANT_HEADER
from tests.gateway.api import SERVICE_TOKEN, opened_api
from tests.gateway.views_server import FakeViews

ROUTES = [
    "/v1/users/u-1/inbox",
    "/v1/users/u-1",
    "/v1/listings",
    "/v1/listings/l-1",
    "/v1/purchases",
    "/v1/purchases/p-1",
    "/v1/sales",
    "/v1/balances",
    "/v1/analytics/event-counts",
]


@pytest.fixture
async def reading(client: Client, views: FakeViews) -> AsyncGenerator[httpx.AsyncClient]:
    async with opened_api(client, views_url=views.url) as api:
        yield api


async def test_an_inbox_is_shown_in_camel_case(reading: httpx.AsyncClient, views: FakeViews) -> None:
    message = {
        "notification_id": "n-1",
        "type": "info",
        "subject": "Hello",
        "body": "World",
        "delivered_at": "2026-11-23T12:00:00Z",
    }
    views.answers["/views/inbox"] = {"user_id": "u-1", "messages": [message], "next_cursor": "c-2"}

    answer = await reading.get("/v1/users/u-1/inbox", params={"limit": 1, "cursor": "c-1"})

    assert answer.json() == {
        "userId": "u-1",
        "messages": [
            {
                "notificationId": "n-1",
                "type": "info",
                "subject": "Hello",
                "body": "World",
                "deliveredAt": "2026-11-23T12:00:00Z",
                "links": {"operation": "/v1/operations/demo:user:notification:n-1"},
            }
        ],
        "nextCursor": "c-2",
    }
    assert dict(views.requests[0].query_params) == {"user_id": "u-1", "limit": "1", "cursor": "c-1"}


async def test_a_view_is_read_for_the_tenant_with_the_token_and_the_trace(
    reading: httpx.AsyncClient, views: FakeViews
) -> None:
    views.answers["/views/inbox"] = {"user_id": "u-1", "messages": []}
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"

    await reading.get("/v1/users/u-1/inbox", headers={"traceparent": f"00-{trace_id}-00f067aa0ba902b7-01"})

    headers = views.requests[0].headers
    assert headers["Authorization"] == f"Bearer {SERVICE_TOKEN.get_secret_value()}"
    assert headers[TENANT_HEADER] == "demo"
    assert headers["traceparent"].split("-")[1] == trace_id
    assert headers["traceparent"].split("-")[2] != "00f067aa0ba902b7"


async def test_an_account_is_shown_and_an_unknown_one_is_404(reading: httpx.AsyncClient, views: FakeViews) -> None:
    account = {
        "user_id": "u-1",
        "status": "active",
        "created_at": "2026-11-23T12:00:00Z",
        "preferences": {"email_enabled": True},
    }
    views.answers["/views/account"] = {"account": account}
    known = await reading.get("/v1/users/u-1")
    views.answers["/views/account"] = {"account": None}
    unknown = await reading.get("/v1/users/u-1")

    assert known.json()["preferences"] == {"emailEnabled": True}
    assert known.json()["links"] == {
        "self": "/v1/users/u-1",
        "operation": "/v1/operations/demo:user:user-onboarding:u-1",
    }
    assert unknown.status_code == 404
    assert unknown.json()["type"] == "unknown_user"


async def test_event_counts_are_asked_for_by_type_and_time(reading: httpx.AsyncClient, views: FakeViews) -> None:
    count = {"type": "user.onboarded", "period_start": "2026-11-23T00:00:00Z", "count": 3}
    views.answers["/views/event-counts"] = {"granularity": "day", "counts": [count], "counted_at": None}

    answer = await reading.get(
        "/v1/analytics/event-counts",
        params={"granularity": "day", "type": "user.onboarded", "since": "2026-11-22T00:00:00Z"},
    )

    assert answer.json()["counts"] == [{"type": "user.onboarded", "periodStart": "2026-11-23T00:00:00Z", "count": 3}]
    assert answer.json()["countedAt"] is None
    assert views.requests[0].query_params["since"] == "2026-11-22T00:00:00Z"


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/v1/users/u-1/inbox?limit=0", "limit"),
        ("/v1/users/u-1/inbox?limit=many", "limit"),
        ("/v1/users/u%201", "userId"),
        ("/v1/analytics/event-counts?granularity=week", "granularity"),
        ("/v1/analytics/event-counts?since=2026-11-23T00:00:00", "since"),
        ("/v1/analytics/event-counts?type=User", "type"),
    ],
)
async def test_a_wrong_query_is_422_and_asks_nobody(
    reading: httpx.AsyncClient, views: FakeViews, path: str, field: str
) -> None:
    answer = await reading.get(path)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field
    assert views.requests == []


async def test_a_cursor_that_the_service_refuses_is_422(reading: httpx.AsyncClient, views: FakeViews) -> None:
    views.status = 422

    answer = await reading.get("/v1/users/u-1/inbox?cursor=made-up")

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "cursor"


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("status", [200, 401, 404, 500, 503])
async def test_a_service_that_answers_anything_else_is_503(
    reading: httpx.AsyncClient, views: FakeViews, route: str, status: int
) -> None:
    views.status = status

    answer = await reading.get(route)

    assert answer.status_code == 503
    assert answer.json()["type"] == "view_unavailable"
    assert int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize("route", ROUTES)
async def test_a_service_that_is_away_is_503(client: Client, route: str) -> None:
    async with opened_api(client) as api:
        answer = await api.get(route)

    assert answer.status_code == 503


async def test_a_service_that_hangs_is_503_after_a_second(reading: httpx.AsyncClient, views: FakeViews) -> None:
    views.delay_seconds = 5
    asked_at = time.monotonic()

    answer = await reading.get("/v1/users/u-1/inbox")

    assert answer.status_code == 503
    assert time.monotonic() - asked_at < 3


async def test_without_a_service_token_nobody_is_asked(client: Client, views: FakeViews) -> None:
    async with opened_api(client, views_url=views.url, token=None) as api:
        answer = await api.get("/v1/users/u-1/inbox")

    assert answer.status_code == 503
    assert views.requests == []
