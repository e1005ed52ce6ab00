"""A receiver of the acquirer's events, which checks each signature and can refuse."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from standardwebhooks.webhooks import Webhook
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from platform_runtime.internal_app import bind, serving
from tests.support.network import free_port
from tests.support.waiting import eventually

SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="


@dataclass(frozen=True)
class Received:
    """One event as it came in."""

    event_id: str
    sent_at: int
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        return json.loads(self.body)

    @property
    def about(self) -> str:
        """The type, and what it is about."""
        data = self.event["data"]
        (name, *_) = [data[each] for each in ("refund", "dispute", "payout", "operation") if each in data]
        return f"{self.event['type']} {name}"


@dataclass
class Receiver:
    """Takes events in at `url`; each one whose signature is wrong is a 400 and is not kept."""

    port: int = field(default_factory=free_port)
    accepted: list[Received] = field(default_factory=list[Received])
    refused: list[Received] = field(default_factory=list[Received])
    refusals: int = 0
    """How many it will refuse before it accepts again."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/events"

    async def take(self, request: Request) -> Response:
        body = await request.body()
        # Raises for a signature that is wrong or older than five minutes, and then answers 500.
        Webhook(SECRET).verify(body, dict(request.headers))
        received = Received(request.headers["webhook-id"], int(request.headers["webhook-timestamp"]), body)
        if self.refusals > 0:
            self.refusals -= 1
            self.refused.append(received)
            return Response(status_code=503)
        self.accepted.append(received)
        return Response(status_code=204)

    def copies(self) -> Counter[str]:
        """Return how often each event was accepted."""
        return Counter(received.event_id for received in self.accepted)

    async def until(self, *about: str, within_seconds: float = 15) -> None:
        """Wait until it has accepted these."""

        async def has_them() -> bool:
            return set(about) <= {received.about for received in self.accepted}

        await eventually(has_them, within_seconds=within_seconds)

    @asynccontextmanager
    async def listening(self) -> AsyncGenerator[None]:
        """Take events in while the block runs."""
        app = Starlette(routes=[Route("/events", self.take, methods=["POST"])])
        async with serving(app, bind("127.0.0.1", self.port, variable="the receiver's port")):
            await asyncio.sleep(0)
            yield
