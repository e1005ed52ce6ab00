"""One log line for each request: what was asked, what came of it; never a body."""

import asyncio
import time
from functools import partial
from http import HTTPStatus
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from platform_gateway.identity.callers import Caller
from platform_runtime.logs import get_logger

QUIET_PATHS: Final = ("/livez", "/readyz")
"""Asked by machines every few seconds: neither logged nor traced nor counted."""

_log = get_logger("platform_gateway.access")


class AccessLog:
    """ASGI middleware; it runs inside the request's span, so the line carries the trace id."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request and log it."""
        if scope["type"] != "http" or scope["path"] in QUIET_PATHS:
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        state: dict[str, Any] = scope.setdefault("state", {})
        status: int = HTTPStatus.INTERNAL_SERVER_ERROR

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        finally:
            caller: Caller | None = state.get("caller")
            note = partial(
                _log.info,
                "request.served",
                method=scope["method"],
                # Not the path: whoever asks chooses it, and it may be anything.
                route=route_of(scope),
                status=int(status),
                duration_ms=round((time.perf_counter() - started) * 1000, 1),
                tenant=None if caller is None else caller.tenant,
            )
            # The loop sends what is written at the end of its turn: the client need not wait for the line as well.
            asyncio.get_running_loop().call_soon(note)


def route_of(scope: Scope) -> str | None:
    """Return the template of the route that served the request; None when there was none."""
    route = scope.get("route")
    return getattr(route, "path", None)
