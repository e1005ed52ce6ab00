"""A small HTTP server on loopback whose answers a test makes up, and which remembers what it was asked."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    path: str
    """With its query."""
    headers: Mapping[str, str]
    """By lower-case names."""
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        """What a form or, where there is no body, the query says."""
        return dict(parse_qsl(self.body.decode() or self.path.partition("?")[2]))


@dataclass(frozen=True)
class Answer:
    """One answer; a `body` that is no bytes is sent as JSON."""

    body: Any = None
    status: int = 200

    def content(self) -> bytes:
        """Return the body as it is sent."""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


Handler = Callable[[Asked], Awaitable[Answer]]


@dataclass
class LocalHttp:
    """The server; its answers can be changed while it runs."""

    url: str
    handler: Handler
    asked: list[Asked] = field(default_factory=list[Asked])

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request on one connection."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            request_line, *lines = head.strip().split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            method, path, _ = request_line.split(" ")
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            asked = Asked(method, path, headers, body)
            self.asked.append(asked)
            answer = await self.handler(asked)
            content = answer.content()
            lines = [
                f"HTTP/1.1 {answer.status} Made up",
                f"Content-Length: {len(content)}",
                "Content-Type: application/json",
                "Connection: close",
            ]
            writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + content)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def local_http(handler: Handler) -> AsyncGenerator[LocalHttp]:
    """Serve while the block runs; connections that still hang are cut at its end."""
    served: set[asyncio.Task[None]] = set()
    local = LocalHttp(url="", handler=handler)

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(local.serve(reader, writer))
        served.add(task)
        task.add_done_callback(served.discard)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    local.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield local
    finally:
        server.close()
        hanging = list(served)
        for task in hanging:
            task.cancel()
        await asyncio.gather(*hanging, return_exceptions=True)
        await server.wait_closed()
