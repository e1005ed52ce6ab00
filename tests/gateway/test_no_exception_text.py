"""What an exception says is for the log: no answer repeats it, whatever breaks."""

from collections.abc import AsyncGenerator, Callable, Iterator
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from fastapi import FastAPI, HTTPException, Request
from structlog.testing import capture_logs
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from platform_gateway.identity.callers import Role
from platform_gateway.operations import temporal_calls
from platform_gateway.problem_route import guarded_route
from platform_gateway.routes.temporal import temporal_router
from platform_gateway.stores import Stores
from platform_gateway.workflow_gateway import WorkflowGateway
from platform_runtime.problem import PROBLEM_MEDIA_TYPE
from tests.gateway.api import LINKS, gateway_app, onboarding, status_when
from tests.gateway.documented_requests import DocumentedRequest, each_operation, send
from tests.gateway.identities import guarded_api, key_of, opened_stores
from tests.gateway.stubs import FAILS, FAILS_UNEXPECTEDLY, HAS_A_BUG, RETRIES, SECRET_TEXT

CANARY = "canary-7f3a: host db-7.internal said no to ann@example.com"
BODY = {"userId": "u-1", "message": "Hello", "type": "info"}


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Keep the log of all these exceptions from being drawn, which takes a second each."""
    with capture_logs():
        yield


class _Broken:
    """Temporal, or a database, of which everything fails in one way."""

    namespace = "default"

    def __init__(self, new_error: Callable[[], Exception]) -> None:
        self._new_error = new_error

    def __getattr__(self, name: str) -> Any:
        raise self._new_error()


def _broken(new_error: Callable[[], Exception]) -> httpx.AsyncClient:
    def fail(_request: httpx.Request) -> httpx.Response:
        raise new_error()

    views = httpx.AsyncClient(transport=httpx.MockTransport(fail))
    broken = cast("Any", _Broken(new_error))
    workflows = WorkflowGateway(broken, links=LINKS)
    return _api(gateway_app(broken, http=views, workflows=workflows, stores=Stores(broken, broken, broken)))


def _api(app: FastAPI) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://gateway.test")


def _tells(answer: httpx.Response) -> bool:
    said = f"{answer.text} {answer.headers}"
    return any(part in said for part in ("canary", "internal said", "ann@", "Traceback", "Error:"))


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        (RuntimeError, (CANARY,)),
        (RuntimeError, (f"Failed client connect: {CANARY}",)),
        (KeyError, (CANARY,)),
        (TimeoutError, (CANARY,)),
        (httpx.ConnectError, (CANARY,)),
        (RPCError, (CANARY, RPCStatusCode.UNAVAILABLE, b"")),
        (RPCError, (CANARY, RPCStatusCode.INVALID_ARGUMENT, b"")),
        (RPCError, (CANARY, RPCStatusCode.NOT_FOUND, b"")),
    ],
)
@each_operation
async def test_nothing_is_told_of_what_temporal_or_a_database_or_a_view_said(
    documented: DocumentedRequest, kind: type[Exception], arguments: tuple[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(temporal_calls, "CALLS_SECONDS", 0.05)
    async with _broken(lambda: kind(*arguments)) as api:
        answer = await send(api, documented)

    assert answer.status_code in (404, 500, 503)
    assert answer.headers["content-type"] == PROBLEM_MEDIA_TYPE
    assert not _tells(answer)


async def test_readiness_says_that_and_not_what_temporal_said() -> None:
    async with _broken(lambda: RPCError(CANARY, RPCStatusCode.UNAVAILABLE, b"")) as api:
        answer = await api.get("/readyz")

    assert answer.status_code == 503
    assert not _tells(answer)


@pytest.mark.parametrize(
    "content", [CANARY, f'"{CANARY}"', f'{{"{CANARY}": 1}}', f'{{"userId": "{CANARY}"}}', f'{{"a": {CANARY}']
)
async def test_nothing_is_repeated_of_a_body_that_is_wrong(content: str) -> None:
    async with _broken(RuntimeError) as api:
        answers = [
            await api.post(path, content=content, headers={"Content-Type": media_type})
            for path in ("/api/temporal/notification/start", "/v1/users/u-1/onboarding")
            for media_type in ("application/json", CANARY)
        ]

    assert {answer.status_code for answer in answers} <= {400, 415, 422}
    assert not any(_tells(answer) and CANARY in answer.text for answer in answers if answer.status_code != 422)
    assert not any("db-7" in str(error["detail"]) for each in answers for error in each.json().get("errors", []))


@pytest.mark.parametrize(
    "error", [HTTPException(401, CANARY), HTTPException(403, CANARY), HTTPException(418, CANARY), ValueError(CANARY)]
)
async def test_nothing_is_told_of_what_an_application_around_the_routes_raised(error: Exception) -> None:
    async def authenticate(_request: Request) -> str:
        raise error

    app = FastAPI()
    app.include_router(temporal_router(cast("WorkflowGateway", None), authenticate=authenticate))
    async with _api(app) as api:
        answer = await api.post("/api/temporal/notification/start", json=BODY)

    assert answer.status_code == getattr(error, "status_code", 500)
    assert not _tells(answer)


async def test_nothing_is_told_when_an_answer_is_not_what_its_route_promises() -> None:
    app = gateway_app(cast("Client", None), http=cast("Any", None), workflows=cast("Any", _Ready()))
    guarded = guarded_route(lambda _request: "demo")

    async def wrong() -> Any:
        return CANARY

    app.router.add_api_route("/wrong", wrong, response_model=int, operation_id="getUser", route_class_override=guarded)
    async with _api(app) as api:
        answer = await api.get("/wrong")

    assert answer.status_code == 500
    assert not _tells(answer)


class _Ready:
    async def problem(self) -> str | None:
        return None


async def test_nothing_is_told_when_something_around_the_routes_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    app = gateway_app(cast("Client", None), http=cast("Any", None), workflows=cast("Any", _Ready()))

    def broken() -> Any:
        raise ZeroDivisionError(CANARY)

    monkeypatch.setattr(app, "openapi", broken)
    async with _api(app) as api:
        answer = await api.get("/openapi.json")

    assert answer.status_code == 500
    assert answer.json()["type"] == "internal_error"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert not _tells(answer)


@pytest.fixture
async def partners_api(client: Client, worker: None, tmp_path: Path) -> AsyncGenerator[httpx.AsyncClient]:
    """Return a client of the API for a partner: operators may read what failures said."""
    async with opened_stores(tmp_path) as stores:
        key = await key_of(stores, "acme", Role.PARTNER)
        async with guarded_api(client, stores, headers=key) as api:
            yield api


@pytest.mark.parametrize("name", [FAILS, FAILS_UNEXPECTEDLY, HAS_A_BUG, RETRIES])
async def test_partners_are_not_told_what_a_workflow_or_an_activity_said(
    partners_api: httpx.AsyncClient, client: Client, name: str
) -> None:
    body = onboarding(name=name)
    executed = await partners_api.post(
        f"/v1/users/{body['userId']}/onboarding",
        json={"email": body["email"], "name": name},
        headers={"Prefer": "wait=1"},
    )
    workflow_id = executed.json()["workflowId"]
    await status_when(partners_api, workflow_id, lambda status: status["failure"] or status["blockedBy"])
    answers = [
        executed,
        await partners_api.get(f"/v1/operations/{workflow_id}"),
        await partners_api.get(f"/api/temporal/workflow/{workflow_id}/status"),
    ]

    assert SECRET_TEXT in CANARY
    assert not any(_tells(answer) for answer in answers)
    if name in (HAS_A_BUG, RETRIES):
        await client.get_workflow_handle(workflow_id).terminate()
