"""A client that goes away leaves nothing running behind it."""

import asyncio
import json

import httpx
from temporalio.client import Client

from platform_runtime.internal_app import bind, serving
from tests.gateway.api import gateway_app, onboarding
from tests.gateway.stubs import WAITS


async def test_a_wait_ends_when_its_client_has_gone(client: Client) -> None:
    body = json.dumps(onboarding(name=WAITS)).encode()
    head = (
        "POST /api/temporal/onboarding/execute HTTP/1.1\r\nHost: gateway.test\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    listener = bind("127.0.0.1", 0, variable="")
    async with httpx.AsyncClient() as http:
        app = gateway_app(client, http=http, execute_wait_seconds=60)
        async with serving(app, listener):
            await asyncio.sleep(0.2)
            before = asyncio.all_tasks()
            _, writer = await asyncio.open_connection(*listener.getsockname()[:2])
            writer.write(head.encode() + body)
            await writer.drain()
            await asyncio.sleep(0.5)
            waiting = asyncio.all_tasks() - before
            writer.close()
            await writer.wait_closed()

            done, left = await asyncio.wait(waiting, timeout=10)

    assert len(waiting) >= 2
    assert done == waiting
    assert not left
