"""The asked routes inside somebody else's FastAPI application."""

from collections.abc import AsyncGenerator

import httpx
import pytest
from fastapi import FastAPI, HTTPException, Request
from temporalio.client import Client

from platform_gateway.routes.temporal import temporal_router
from platform_gateway.workflow_gateway import WorkflowGateway
from platform_runtime.problem import PROBLEM_MEDIA_TYPE
from tests.gateway.api import LINKS, documented_by, notification, onboarding
from tests.gateway.stubs import FAILS

START = "/partners/api/temporal/notification/start"


async def _customer(request: Request) -> str:
    match request.headers.get("X-Customer"):
        case None:
            raise HTTPException(401)
        case "blocked":
            raise HTTPException(403, headers={"X-Reason": "unpaid"})
        case "bug":
            raise KeyError("secret of the application")
        case customer:
            return customer


@pytest.fixture
async def foreign(client: Client, worker: None) -> AsyncGenerator[httpx.AsyncClient]:
    """Return a client of an application of its own, which has our routes under a prefix."""
    app = FastAPI()
    workflows = WorkflowGateway(client, links=LINKS)
    app.include_router(temporal_router(workflows, authenticate=_customer), prefix="/partners")

    @app.get("/own/{number}")
    async def own(number: int) -> int:
        return number

    check = documented_by(app)

    async def check_ours(response: httpx.Response) -> None:
        if response.url.path.startswith("/partners") and response.status_code not in (403, 404):
            await check(response)

    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app, raise_app_exceptions=False),
        base_url="http://foreign.test",
        headers={"X-Customer": "shop-7"},
        event_hooks={"response": [check_ours]},
    ) as api:
        yield api


async def test_the_routes_work_under_the_prefix(foreign: httpx.AsyncClient) -> None:
    started = await foreign.post(START, json=notification())
    executed = await foreign.post("/partners/api/temporal/onboarding/execute", json=onboarding())
    status = await foreign.get(started.headers["location"])
    cancel = await foreign.post(f"/partners/api/temporal/workflow/{executed.json()['workflowId']}/cancel")

    assert started.headers["location"].startswith("/partners/api/temporal/workflow/shop-7:user:notification:")
    assert executed.status_code == 200
    assert status.json()["links"]["self"] == started.headers["location"]
    # The application does not show it.
    assert status.json()["links"]["resource"] is None
    assert cancel.status_code == 409


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b'{"userId": 7}', "application/json", 422),
        (b"{}", "text/plain", 415),
        (b" " * 2_000_000, "application/json", 413),
    ],
)
async def test_errors_of_the_routes_are_problems_there_too(
    foreign: httpx.AsyncClient, content: bytes, content_type: str, status: int
) -> None:
    answer = await foreign.post(START, content=content, headers={"Content-Type": content_type})

    assert answer.status_code == status
    assert answer.headers["content-type"] == PROBLEM_MEDIA_TYPE


@pytest.mark.parametrize(
    ("customer", "status", "problem"), [("blocked", 403, "forbidden"), ("bug", 500, "internal_error")]
)
async def test_what_the_applications_own_check_raises_is_a_problem(
    foreign: httpx.AsyncClient, customer: str, status: int, problem: str
) -> None:
    answer = await foreign.post(START, json=notification(), headers={"X-Customer": customer})

    assert answer.status_code == status
    assert answer.json()["type"] == problem
    assert "secret" not in answer.text


async def test_a_caller_that_the_application_does_not_know_is_401(foreign: httpx.AsyncClient) -> None:
    del foreign.headers["X-Customer"]

    answer = await foreign.post(START, content=b"{")

    assert answer.status_code == 401
    assert answer.headers["content-type"] == PROBLEM_MEDIA_TYPE


async def test_a_failed_workflow_is_a_problem_there_too(foreign: httpx.AsyncClient) -> None:
    answer = await foreign.post("/partners/api/temporal/onboarding/execute", json=onboarding(name=FAILS))

    assert answer.status_code == 422
    assert answer.json()["type"] == "user.InvalidAccountDetails"


async def test_a_method_that_a_route_does_not_have_is_a_problem_there_too(foreign: httpx.AsyncClient) -> None:
    answer = await foreign.get(START)

    assert answer.status_code == 405
    assert answer.headers["content-type"] == PROBLEM_MEDIA_TYPE
    assert answer.headers["allow"] == "POST"


async def test_the_routes_work_in_an_application_that_is_mounted(client: Client) -> None:
    app, inner = FastAPI(), FastAPI()
    inner.include_router(temporal_router(WorkflowGateway(client, links=LINKS), authenticate=_customer))
    app.mount("/shops", inner)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://foreign.test", headers={"X-Customer": "shop-7"}
    ) as api:
        started = await api.post("/shops/api/temporal/notification/start", json=notification())
        status = await api.get(started.headers["location"])

    assert started.headers["location"].startswith("/shops/api/temporal/workflow/shop-7:")
    assert status.json()["runId"] == started.json()["runId"]


async def test_the_applications_own_routes_keep_their_errors(foreign: httpx.AsyncClient) -> None:
    answer = await foreign.get("/own/seven")

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/json"
    assert "detail" in answer.json()
