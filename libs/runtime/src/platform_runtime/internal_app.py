"""The internal port of a process: health, metrics and, for a service, its views."""

import asyncio
import hmac
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from http import HTTPStatus
from typing import Any, Final

import uvicorn
from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from pydantic import SecretStr, TypeAdapter, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from platform_contracts.identifiers import Tenant
from platform_contracts.view import TENANT_HEADER, AnswerT, QueryT, View
from platform_runtime.page_cursor import InvalidCursorError
from platform_runtime.problem import problem_response

Check = Callable[[], Awaitable[str | None]]
"""Returns why the process is not ready, or None when this part of it is."""

_CHECK_SECONDS: Final = 3.0
"""A database that hangs must not take the metrics with it: Prometheus gives up after 10 s."""

_TENANT: TypeAdapter[str] = TypeAdapter(Tenant)


def internal_app(
    *, registry: CollectorRegistry, checks: Mapping[str, Check], views: Sequence[BaseRoute] = ()
) -> Starlette:
    """Return the ASGI app of the internal port.

    `/livez` says that the process answers; `/readyz` runs the checks and answers 503 with what each that fails says;
    `/metrics` is Prometheus text, and has the outcome of each check as `platform_ready`.
    """
    ready = Gauge("platform_ready", "Whether a check of this process passes", ["check"], registry=registry)

    async def livez(_request: Request) -> Response:
        return JSONResponse({"status": "alive"})

    async def readyz(_request: Request) -> Response:
        reasons = await _reasons(checks)
        if reasons:
            return problem_response(status=503, type="not_ready", title="Not ready", reasons=reasons)
        return JSONResponse({"status": "ready"})

    async def metrics(_request: Request) -> Response:
        reasons = await _reasons(checks)
        for name in checks:
            ready.labels(name).set(0 if name in reasons else 1)
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    health = [Route("/livez", livez), Route("/readyz", readyz), Route("/metrics", metrics)]
    return Starlette(routes=[*health, *views])


async def _reasons(checks: Mapping[str, Check]) -> dict[str, str]:
    """Run the checks, side by side, and return what each that fails says."""

    async def run(check: Check) -> str | None:
        try:
            async with asyncio.timeout(_CHECK_SECONDS):
                return await check()
        except TimeoutError:
            return f"no answer within {_CHECK_SECONDS:g} s"

    answers = await asyncio.gather(*(run(check) for check in checks.values()))
    return {name: reason for name, reason in zip(checks, answers, strict=True) if reason is not None}


def view_route(
    view: View[QueryT, AnswerT],
    read: Callable[[str, QueryT], Awaitable[AnswerT]],
    *,
    token: SecretStr | None,
) -> Route:
    """Return the route that serves a view to callers that hold the service token, for one tenant.

    Args:
        view: the contract.
        read: answers a query for the tenant given first; may raise InvalidCursorError, which is answered with 422.
        token: the shared secret; None: the view answers 503.
    """

    async def serve(request: Request) -> Response:
        refusal = _refusal(request, token)
        if refusal is not None:
            return refusal
        try:
            tenant = _TENANT.validate_python(request.headers.get(TENANT_HEADER))
            query = view.query_type.model_validate(dict(request.query_params))
        except ValidationError as error:
            problems = error.errors(include_url=False, include_input=False, include_context=False)
            return problem_response(status=422, type="invalid_query", title="Invalid query", errors=problems)
        try:
            answer = await read(tenant, query)
        except InvalidCursorError:
            problem = {"loc": ["cursor"], "msg": "This is no cursor of this view.", "type": "invalid_cursor"}
            return problem_response(status=422, type="invalid_query", title="Invalid query", errors=[problem])
        return Response(answer.model_dump_json(), media_type="application/json")

    return Route(view.path, serve, methods=["GET"])


def _refusal(request: Request, token: SecretStr | None) -> Response | None:
    if token is None:
        return problem_response(
            status=503, type="views_off", title="Views are off", detail="SERVICE_TOKEN is not set for this service."
        )
    given = request.headers.get("Authorization", "")
    if not hmac.compare_digest(given.encode(), f"Bearer {token.get_secret_value()}".encode()):
        return problem_response(status=HTTPStatus.UNAUTHORIZED, type="unauthorized", title="Unauthorized")
    return None


class _Server(uvicorn.Server):
    """A server that leaves the signals to the process it lives in."""

    def capture_signals(self) -> Any:
        return nullcontext()


def bind(host: str, port: int, *, variable: str) -> socket.socket:
    """Return a listening socket.

    Raises:
        SystemExit: with one line that names the variable to change, when the port is taken.
    """
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, reuse_port=False, backlog=128)
    except OSError as error:
        raise SystemExit(f"{variable}: cannot listen on {host}:{port}: {error.strerror}") from None


@asynccontextmanager
async def serving(app: Starlette, listener: socket.socket) -> AsyncGenerator[None]:
    """Serve the app on the socket while the block runs."""
    server = _Server(
        uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=1)
    )
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield
    finally:
        server.should_exit = True
        await task
