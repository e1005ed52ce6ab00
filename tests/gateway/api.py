"""A client of the API that finds fault with every answer that the documentation does not have."""

import asyncio
import atexit
import re
import shutil
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache
from typing import Any, cast
from uuid import uuid4

import httpx
from fastapi import FastAPI
from pydantic import SecretStr
from temporalio.client import Client
from temporalio.contrib.opentelemetry import create_tracer_provider

from platform_gateway.app import create_app
from platform_gateway.operations.status import LinkTargets
from platform_gateway.persistence.api_keys import SqlKeyStore
from platform_gateway.persistence.audit_log import SqlAuditLog
from platform_gateway.settings import GatewaySettings
from platform_gateway.stores import Stores
from platform_gateway.telemetry.access_log import QUIET_PATHS
from platform_gateway.views_client import ViewsClient
from platform_gateway.workflow_gateway import WorkflowGateway
from platform_runtime.database import Database
from platform_runtime.migrations import migrate
from platform_runtime.problem import PROBLEM_MEDIA_TYPE

TRACER_PROVIDER = create_tracer_provider()
MIGRATIONS = "platform_gateway.persistence.migrations"
SERVICE_TOKEN = SecretStr("token-of-the-services")
TITLE = "Partner platform"
"""Of our own application, among those that have its routes."""
LINKS = LinkTargets(temporal_ui_url="http://temporal.example", jaeger_ui_url="http://jaeger.example/")


def gateway_app(
    client: Client,
    *,
    http: httpx.AsyncClient,
    views_url: str = "http://127.0.0.1:9",
    token: SecretStr | None = SERVICE_TOKEN,
    workflows: WorkflowGateway | None = None,
    stores: Stores | None = None,
    issuer_http: httpx.AsyncClient | None = None,
    **settings: Any,
) -> FastAPI:
    """Return the application as the process would make it."""
    return create_app(
        GatewaySettings(**settings),
        workflows=workflows or WorkflowGateway(client, links=LINKS),
        user_views=ViewsClient(http, url=views_url, token=token),
        payment_views=ViewsClient(http, url=views_url, token=token),
        listing_views=ViewsClient(http, url=views_url, token=token),
        analytics_views=ViewsClient(http, url=views_url, token=token),
        stores=stores or stores_of(Database(database_url())),
        issuer_http=issuer_http,
        tracer_provider=TRACER_PROVIDER,
    )


def document_of_the_api() -> dict[str, Any]:
    """Return the OpenAPI document; it needs no connection."""
    nowhere = stores_of(Database("sqlite:///nowhere.sqlite3"))
    return gateway_app(cast("Client", None), http=httpx.AsyncClient(), stores=nowhere).openapi()


@asynccontextmanager
async def opened_api(
    client: Client, *, headers: dict[str, str] | None = None, **options: Any
) -> AsyncGenerator[httpx.AsyncClient]:
    """Yield a client of the application."""
    async with httpx.AsyncClient(trust_env=False) as outgoing, AsyncExitStack() as stack:
        if "stores" not in options:
            database = await stack.enter_async_context(Database.opened(database_url()))
            options["stores"] = stores_of(database)
        app = gateway_app(client, http=outgoing, **options)
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app, raise_app_exceptions=False),
            base_url="http://gateway.test",
            headers=headers,
            event_hooks={"response": [documented_by(app)]},
            timeout=30,
        ) as api:
            yield api


def stores_of(database: Database) -> Stores:
    """Return what is in a database of the gateway."""
    return Stores(database, SqlKeyStore(database), SqlAuditLog(database))


@cache
def database_url() -> str:
    """Return the database of the tests that do not look into it; each process of a parallel run has its own."""
    directory = tempfile.mkdtemp(prefix="partner-gateway-")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    url = f"sqlite:///{directory}/gateway.sqlite3"
    migrate(url, MIGRATIONS)
    return url


def documented_by(app: FastAPI) -> Callable[[httpx.Response], Any]:
    """Return a hook that fails when an answer is not in the application's OpenAPI document, or is no problem."""
    patterns: dict[re.Pattern[str], dict[str, Any]] = {}

    async def check(response: httpx.Response) -> None:
        await response.aread()
        request = response.request
        if not patterns:
            # With the first answer: it takes a tenth of a second.
            paths: dict[str, dict[str, Any]] = app.openapi()["paths"]
            patterns.update({re.compile(re.sub(r"\{\w+\}", r"[^/]+", path)): each for path, each in paths.items()})
        if response.status_code >= 400:
            assert response.headers["content-type"] == PROBLEM_MEDIA_TYPE, response.text
            problem = response.json()
            assert {"type", "title", "status"} <= problem.keys(), problem
            assert problem["status"] == response.status_code
            if app.title == TITLE and request.url.path not in QUIET_PATHS:
                # Probes are not traced, and other applications may trace nothing.
                assert re.fullmatch("[0-9a-f]{32}", problem["traceId"]), problem
        operations = next((each for pattern, each in patterns.items() if pattern.fullmatch(request.url.path)), None)
        operation = (operations or {}).get(request.method.lower())
        if operation is None:
            assert response.status_code in (404, 405) or request.url.path in ("/docs", "/openapi.json")
            return
        documented = operation["responses"].get(str(response.status_code))
        assert documented is not None, f"{request.method} {request.url.path}: {response.status_code} is not documented"
        if response.status_code != 204:
            assert response.headers["content-type"].removesuffix("; charset=utf-8") in documented["content"]

    return check


def new_user_id() -> str:
    """Return a user id that no other test uses."""
    return f"u-{uuid4().hex[:12]}"


def onboarding(user_id: str | None = None, **changes: Any) -> dict[str, Any]:
    """Return the body of an onboarding."""
    return {"userId": user_id or new_user_id(), "email": "ann@example.com", "name": "Ann", **changes}


def notification(**changes: Any) -> dict[str, Any]:
    """Return the body of a notification."""
    return {"userId": new_user_id(), "message": "Hello", "type": "info", **changes}


async def closed_status(api: httpx.AsyncClient, workflow_id: str) -> dict[str, Any]:
    """Return the status of a workflow once it has closed, within five seconds."""
    return await status_when(api, workflow_id, lambda status: status["closeTime"] is not None)


async def status_when(
    api: httpx.AsyncClient, workflow_id: str, wanted: Callable[[dict[str, Any]], bool], *, within_seconds: float = 10
) -> dict[str, Any]:
    """Return the status of a workflow once it is as wanted."""
    answer = await asked_until(
        lambda: api.get(f"/api/temporal/workflow/{workflow_id}/status"),
        lambda answer: answer.status_code == 200 and wanted(answer.json()),
        within_seconds=within_seconds,
    )
    return answer.json()


async def asked_until(
    ask: Callable[[], Awaitable[httpx.Response]],
    wanted: Callable[[httpx.Response], bool],
    *,
    within_seconds: float = 15,
) -> httpx.Response:
    """Ask again and again, and return the first answer that is as wanted."""
    async with asyncio.timeout(within_seconds):
        while True:
            answer = await ask()
            if wanted(answer):
                return answer
            await asyncio.sleep(0.05)


def blocked_as(reason: str) -> Callable[[dict[str, Any]], bool]:
    """Return whether a status says that it is blocked for this reason."""

    def check(status: dict[str, Any]) -> bool:
        blocked: dict[str, Any] = status["blockedBy"] or {}
        return blocked.get("reason") == reason

    return check


def blocked_with(member: str) -> Callable[[dict[str, Any]], bool]:
    """Return whether a status says that it is blocked, and says this about it."""

    def check(status: dict[str, Any]) -> bool:
        blocked: dict[str, Any] = status["blockedBy"] or {}
        return blocked.get(member) is not None

    return check
