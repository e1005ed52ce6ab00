from collections.abc import AsyncGenerator, Mapping
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from analytics_service.persistence.count_reader import SqlCountReader
from analytics_service.persistence.event_log import SqlEventLog
from analytics_service.views import views
from platform_contracts.analytics.views import EVENT_COUNTS, EventCounts
from platform_runtime.database import Database
from platform_runtime.internal_app import internal_app
from tests.integration.analytics.samples import NOON, event, roll_up

RIGHT = {"Authorization": "Bearer secret", "X-Tenant": "acme"}


@pytest.fixture
async def http(database: Database) -> AsyncGenerator[httpx.AsyncClient]:
    """Return a client of the internal port of a service that has counted two events."""
    await SqlEventLog(database).record([event("e-1"), event("e-2")], received_at=NOON)
    await roll_up(database)
    routes = views(counts=SqlCountReader(database), token=SecretStr("secret"))
    app = internal_app(registry=CollectorRegistry(), checks={}, views=routes)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://analytics") as client:
        yield client


async def _get(http: httpx.AsyncClient, headers: Mapping[str, str] = RIGHT, **query: Any) -> httpx.Response:
    return await http.get(EVENT_COUNTS.path, params=query, headers=headers)


async def test_counts_are_shown_to_who_holds_the_token(http: httpx.AsyncClient) -> None:
    response = await _get(http, granularity="hour")

    assert response.status_code == 200
    answer = EventCounts.model_validate_json(response.content)
    assert [(count.type, count.period_start, count.count) for count in answer.counts] == [("user.onboarded", NOON, 2)]
    assert answer.counted_at is not None


async def test_another_tenant_gets_nothing(http: httpx.AsyncClient) -> None:
    response = await _get(http, {**RIGHT, "X-Tenant": "other"})

    assert response.json()["counts"] == []


@pytest.mark.parametrize(
    ("headers", "status", "problem"),
    [
        ({"X-Tenant": "acme"}, 401, "unauthorized"),
        ({**RIGHT, "Authorization": "Bearer wrong"}, 401, "unauthorized"),
        ({"Authorization": "Bearer secret"}, 422, "invalid_query"),
        ({**RIGHT, "X-Tenant": "a:b"}, 422, "invalid_query"),
    ],
)
async def test_others_are_refused(http: httpx.AsyncClient, headers: dict[str, str], status: int, problem: str) -> None:
    response = await _get(http, headers)

    assert response.status_code == status
    assert response.json()["type"] == problem
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"granularity": "week"}, "granularity"),
        ({"limit": 201}, "limit"),
        ({"limit": 0}, "limit"),
        ({"since": "2026-11-23T12:00:00"}, "since"),
        ({"cursor": "made-up"}, "cursor"),
    ],
)
async def test_query_that_is_none_is_named_by_its_field(
    http: httpx.AsyncClient, query: dict[str, Any], field: str
) -> None:
    response = await _get(http, **query)

    assert response.status_code == 422
    assert response.json()["errors"][0]["loc"] == [field]
