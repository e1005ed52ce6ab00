"""A tenant that asks for too much is told so, and the others do not notice."""

import asyncio
import math
from collections.abc import AsyncGenerator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from temporalio.client import Client

from platform_gateway.identity.api_keys import PREFIX
from platform_gateway.identity.audit import LoggedAudit
from platform_gateway.identity.auth import Authentication
from platform_gateway.identity.callers import SCOPES_OF, STAFF_TENANT, Caller, Role
from platform_gateway.problems import Kind, Problem
from platform_gateway.protection.tenant_limits import TenantLimits
from platform_gateway.routes.temporal import temporal_router
from platform_gateway.workflow_gateway import WorkflowGateway
from tests.gateway.api import LINKS, notification, onboarding, opened_api

STATUS = "/v1/operations/demo:user:notification:nobody"
KEY = {"X-API-Key": "key-of-acme"}


class _HeldGateway(WorkflowGateway):
    """Answers no status before it is told to."""

    def __init__(self, client: Client) -> None:
        super().__init__(client, links=LINKS)
        self.asked = asyncio.Semaphore(0)
        self.may_answer = asyncio.Event()

    async def status(self, *arguments: Any, **options: Any) -> Any:
        self.asked.release()
        await self.may_answer.wait()
        return await super().status(*arguments, **options)


@pytest.fixture
def held(client: Client) -> _HeldGateway:
    return _HeldGateway(client)


async def test_more_than_the_rate_is_429_and_says_when_to_come_again(client: Client) -> None:
    async with opened_api(client, rate_limit="3/minute") as api:
        answers = [await api.get(STATUS) for _ in range(4)]

    *let_in, refused = answers
    assert [answer.status_code for answer in let_in] == [404, 404, 404]
    assert [answer.headers["ratelimit"].partition(";t=")[0] for answer in let_in] == [
        '"rate";r=2',
        '"rate";r=1',
        '"rate";r=0',
    ]
    assert {answer.headers["ratelimit-policy"] for answer in answers} == {'"rate";q=3;w=60'}
    assert refused.status_code == 429
    assert refused.json()["type"] == "rate_limited"
    assert 55 <= int(refused.headers["retry-after"]) <= 60
    assert refused.headers["ratelimit"] == f'"rate";r=0;t={refused.headers["retry-after"]}'


async def test_after_retry_after_the_tenant_is_let_in_again(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    # The window has its own time: however slow the machine, it does not move by itself.
    now = 1_000.0
    monkeypatch.setattr("time.time", lambda: now)
    async with opened_api(client, rate_limit="2/minute") as api:
        for _ in range(2):
            await api.get(STATUS)
        refused = await api.get(STATUS)
        wait = int(refused.headers["retry-after"])
        now += wait - 1
        too_early = await api.get(STATUS)
        # Whoever has waited for so long comes a moment later: the last instant of the window is still within it.
        now += 1.01
        again = await api.get(STATUS)

    assert wait == 60
    assert [answer.status_code for answer in (refused, too_early, again)] == [429, 429, 404]


async def test_a_refusal_comes_before_the_body_is_read(client: Client) -> None:
    read: list[int] = []

    async def body() -> AsyncGenerator[bytes]:
        read.append(1)
        yield b"not json at all"

    async with opened_api(client, rate_limit="1/minute") as api:
        await api.get(STATUS)
        refused = await api.post("/api/temporal/notification/start", content=body())

    assert refused.status_code == 429
    assert read == []


async def test_who_may_not_come_in_takes_nothing_of_the_tenants_share(client: Client) -> None:
    async with opened_api(client, api_key=KEY["X-API-Key"], tenant="acme", rate_limit="1/minute") as api:
        strangers = [await api.get(STATUS) for _ in range(3)]
        its_own = await api.get(STATUS, headers=KEY)

    assert {answer.status_code for answer in strangers} == {401}
    assert "ratelimit" not in strangers[0].headers
    assert its_own.status_code == 404


async def test_health_is_answered_whatever_the_limits(client: Client) -> None:
    async with opened_api(client, rate_limit="1/minute", in_flight_per_tenant=1) as api:
        await api.get(STATUS)
        answers = [await api.get(path) for path in ("/livez", "/readyz", "/livez", "/readyz")]

    assert {answer.status_code for answer in answers} == {200}


async def test_more_than_so_many_at_once_is_429_until_one_of_them_is_answered(
    client: Client, held: _HeldGateway
) -> None:
    async with opened_api(client, workflows=held, in_flight_per_tenant=2) as api, asyncio.timeout(20):
        waiting = [asyncio.create_task(api.get(STATUS)) for _ in range(2)]
        for _ in waiting:
            await held.asked.acquire()
        refused = await api.get(STATUS)
        held.may_answer.set()
        answered = await asyncio.gather(*waiting)
        after = await api.get(STATUS)

    assert refused.status_code == 429
    assert refused.json()["type"] == "too_many_in_flight"
    assert refused.headers["retry-after"] == "1"
    assert refused.headers["ratelimit-policy"] == '"in-flight";q=2;qu="concurrent-requests"'
    assert {answer.status_code for answer in answered} == {404}
    assert sorted(answer.headers["ratelimit"] for answer in answered) == ['"in-flight";r=0', '"in-flight";r=1']
    assert after.headers["ratelimit"] == '"in-flight";r=1'


async def test_a_request_that_is_broken_off_gives_its_place_back(client: Client, held: _HeldGateway) -> None:
    async with opened_api(client, workflows=held, in_flight_per_tenant=1) as api, asyncio.timeout(20):
        broken_off = asyncio.create_task(api.get(STATUS))
        await held.asked.acquire()
        broken_off.cancel()
        await asyncio.gather(broken_off, return_exceptions=True)
        held.may_answer.set()
        after = await api.get(STATUS)

    assert after.status_code == 404


async def test_a_failed_request_gives_its_place_back(client: Client) -> None:
    async with opened_api(client, in_flight_per_tenant=1) as api:
        answers = [await api.post("/v1/users/u-1/onboarding", json={}) for _ in range(3)]

    assert {answer.status_code for answer in answers} == {422}


async def test_where_everybody_is_let_in_there_is_no_limit_unless_it_is_set(client: Client) -> None:
    async with opened_api(client) as open_api, opened_api(client, api_key=KEY["X-API-Key"], headers=KEY) as locked_api:
        of_open = await open_api.get(STATUS)
        of_locked = await locked_api.get(STATUS)

    assert "ratelimit-policy" not in of_open.headers
    assert of_locked.headers["ratelimit-policy"] == '"rate";q=500;w=1, "in-flight";q=250;qu="concurrent-requests"'


async def test_limits_can_be_turned_off(client: Client) -> None:
    settings = {"rate_limit": "off", "in_flight_per_tenant": 0}
    async with opened_api(client, api_key=KEY["X-API-Key"], headers=KEY, **settings) as api:
        answer = await api.get(STATUS)

    assert answer.status_code == 404
    assert "ratelimit-policy" not in answer.headers


async def test_a_start_that_was_refused_started_nothing(client: Client) -> None:
    user_id = onboarding()["userId"]
    async with opened_api(client, rate_limit="1/minute") as api:
        await api.get(STATUS)
        refused = await api.post("/api/temporal/onboarding/execute", json=onboarding(user_id))
        refused_too = await api.post("/api/temporal/notification/start", json=notification())
    async with opened_api(client) as api:
        status = await api.get(f"/v1/operations/demo:user:user-onboarding:{user_id}")

    assert (refused.status_code, refused_too.status_code, status.status_code) == (429, 429, 404)


async def test_staff_who_act_for_a_tenant_use_their_own_share(client: Client) -> None:
    async def whose(key: str) -> Caller:
        tenant = key.removeprefix(PREFIX)
        return Caller(
            tenant=tenant, subject=f"key:{tenant}", scopes=SCOPES_OF[Role.ADMIN], is_staff=tenant == STAFF_TENANT
        )

    app = FastAPI()
    authenticate = Authentication(LoggedAudit(), limits=TenantLimits(rate="1/minute"), keys=whose)
    app.include_router(temporal_router(WorkflowGateway(client, links=LINKS), authenticate=authenticate))
    path = "/api/temporal/workflow/acme:user:notification:nobody/status"
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://foreign.test") as api:
        its_own = await api.get(path, headers={"X-API-Key": f"{PREFIX}acme"})
        of_staff = await api.get(path, headers={"X-API-Key": f"{PREFIX}{STAFF_TENANT}", "Partner-Account": "acme"})
        its_next = await api.get(path, headers={"X-API-Key": f"{PREFIX}acme"})

    assert [answer.status_code for answer in (its_own, of_staff, its_next)] == [404, 404, 429]


def test_one_tenants_requests_do_not_count_for_another() -> None:
    limits = TenantLimits(rate="1/minute", in_flight=1)
    limits.admit("acme")

    with pytest.raises(Problem) as refused:
        limits.admit("acme")
    other = limits.admit("globex")

    assert refused.value.kind is Kind.TOO_MANY_IN_FLIGHT
    assert other.headers["RateLimit"].startswith('"rate";r=0;t=')


def test_a_window_moves_so_that_no_two_bursts_meet_at_its_edge(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000.0
    monkeypatch.setattr("time.time", lambda: now)
    limits = TenantLimits(rate="10/minute")
    let_in: list[float] = []
    told: list[tuple[str, int]] = []

    for second in range(180):
        now = 1_000.0 + second
        for _ in range(3):
            try:
                limits.admit("acme").leave()
            except Problem as refusal:
                told.append((refusal.headers["Retry-After"], max(math.ceil(let_in[-10] + 60 - now), 1)))
            else:
                let_in.append(now)

    assert all(later - earlier >= 60 for earlier, later in zip(let_in, let_in[10:], strict=False))
    assert len(let_in) == 30
    assert [int(seconds) for seconds, _ in told] == [until_there_is_room for _, until_there_is_room in told]
