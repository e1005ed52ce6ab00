"""What every answer tells a browser: to guess nothing, keep nothing, show it in nobody's page."""

from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

DOCS_PATH: Final = "/docs"
OPENAPI_PATH: Final = "/openapi.json"

_FOR_DATA: Final = b"default-src 'none'; frame-ancestors 'none'"
_FOR_DOCS: Final = (
    # The page of the documentation takes its program and its style from where FastAPI has them.
    b"default-src 'none'; script-src https://cdn.jsdelivr.net 'unsafe-inline'; "
    b"style-src https://cdn.jsdelivr.net 'unsafe-inline'; img-src https://fastapi.tiangolo.com data:; "
    b"connect-src 'self'; frame-ancestors 'none'"
)
_PUBLIC: Final = frozenset({DOCS_PATH, OPENAPI_PATH})


class SecurityHeaders:
    """ASGI middleware around everything that can answer.

    Args:
        app: what answers.
        hsts_seconds: how long browsers shall come over https only; 0: they are not told.
    """

    def __init__(self, app: ASGIApp, *, hsts_seconds: int = 0) -> None:
        self._app = app
        self._always = [(b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer")]
        if hsts_seconds:
            self._always.append((b"strict-transport-security", f"max-age={hsts_seconds}".encode()))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request, with these headers on its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path: str = scope["path"]
        added = [*self._always, (b"content-security-policy", _FOR_DOCS if path == DOCS_PATH else _FOR_DATA)]

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers: list[tuple[bytes, bytes]] = list(message.get("headers", ()))
                if path not in _PUBLIC and all(name.lower() != b"cache-control" for name, _ in headers):
                    added.append((b"cache-control", b"no-store"))
                message["headers"] = headers + added
            await send(message)

        await self._app(scope, receive, send_with_headers)
