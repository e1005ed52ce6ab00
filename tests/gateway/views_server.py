"""A small server of views over real HTTP: it answers what a test puts in, and remembers what it was asked."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from platform_runtime.internal_app import bind, serving


@dataclass
class FakeViews:
    """What the server answers, and what it was asked."""

    url: str = ""
    answers: dict[str, object] = field(default_factory=dict[str, object])
    status: int = 200
    delay_seconds: float = 0
    requests: list[Request] = field(default_factory=list[Request])

    async def serve(self, request: Request) -> Response:
        self.requests.append(request)
        await asyncio.sleep(self.delay_seconds)
        return JSONResponse(self.answers.get(request.url.path), status_code=self.status)


@asynccontextmanager
async def served_views() -> AsyncGenerator[FakeViews]:
    """Serve on a random port while the block runs."""
    views = FakeViews()
    listener = bind("127.0.0.1", 0, variable="")
    views.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with serving(Starlette(routes=[Route("/views/{name}", views.serve)]), listener):
        yield views
