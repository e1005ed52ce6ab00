"""Gateways that can be followed over real HTTP, and what their streams say."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from temporalio.client import Client

from platform_gateway.workflow_gateway import WorkflowGateway
from platform_runtime.database import Database
from platform_runtime.internal_app import bind, serving
from tests.gateway.api import LINKS, database_url, gateway_app, stores_of


@dataclass(frozen=True)
class Told:
    """One event of a stream."""

    id: str
    name: str
    data: dict[str, Any]


@dataclass(frozen=True)
class Served:
    """A gateway that serves."""

    http: httpx.AsyncClient
    workflows: WorkflowGateway

    @asynccontextmanager
    async def stream(self, workflow_id: str, last_event_id: str | None = None) -> AsyncGenerator[httpx.Response]:
        """Open a stream."""
        headers = {} if last_event_id is None else {"Last-Event-ID": last_event_id}
        async with self.http.stream("GET", f"/v1/operations/{workflow_id}/events", headers=headers) as response:
            yield response

    async def told(self, workflow_id: str, last_event_id: str | None = None, *, within: float = 30) -> list[Told]:
        """Return the events of a stream that ends by itself."""
        async with asyncio.timeout(within), self.stream(workflow_id, last_event_id) as response:
            assert response.status_code == 200, await response.aread()
            return [event async for event in events_of(response)]


@asynccontextmanager
async def served_gateway(client: Client, **settings: Any) -> AsyncGenerator[Served]:
    """Serve a gateway on a port of its own."""
    listener = bind("127.0.0.1", 0, variable="")
    key = settings.get("api_key")
    async with httpx.AsyncClient(trust_env=False) as outgoing, Database.opened(database_url()) as database:
        workflows = WorkflowGateway(client, links=LINKS)
        app = gateway_app(client, http=outgoing, workflows=workflows, stores=stores_of(database), **settings)
        async with (
            serving(app, listener),
            httpx.AsyncClient(
                base_url=f"http://127.0.0.1:{listener.getsockname()[1]}",
                headers={} if key is None else {"X-API-Key": key},
                trust_env=False,
                timeout=30,
            ) as http,
        ):
            yield Served(http, workflows)
            workflows.close()


async def events_of(response: httpx.Response) -> AsyncGenerator[Told]:
    """Yield the events of a stream as they come."""
    fields: dict[str, str] = {}
    async for line in response.aiter_lines():
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        else:
            if "data" in fields:
                yield Told(fields["id"], fields["event"], json.loads(fields["data"]))
            fields = {}
