"""Temporal is stopped and started again: every route says so at once, and nothing of ours has to be restarted."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path

import pytest

from platform_cli.tools import temporal_server as dev_server
from tests.support.platform import free_ports, new_id, onboarding_body, running_platform
from tests.support.waiting import eventually

# Three times the promised 5 s.
ANSWER_WITHIN_SECONDS = 15

ROUTES = [
    ("POST", "/api/temporal/notification/start", {"userId": "u-1", "message": "Hello", "type": "info"}),
    ("POST", "/api/temporal/onboarding/execute", onboarding_body("u-1")),
    ("GET", "/api/temporal/workflow/demo:user:user-onboarding:u-1/status", None),
    ("POST", "/api/temporal/workflow/demo:user:user-onboarding:u-1/cancel", None),
    ("POST", "/v1/users/u-1/notifications", {"message": "Hello", "type": "info"}),
    ("POST", "/v1/users/u-1/onboarding", {"email": "ada@example.com", "name": "Ada"}),
    ("GET", "/v1/operations/demo:user:user-onboarding:u-1", None),
    ("POST", "/v1/operations/demo:user:user-onboarding:u-1/cancel", None),
]


@pytest.mark.timeout(240)
async def test_platform_goes_on_when_temporal_is_back(
    tmp_path_factory: pytest.TempPathFactory, local_stack_tools: None
) -> None:
    home = tmp_path_factory.mktemp("temporal-away")
    port, ui_port = free_ports(2)
    async with _temporal(home, port, ui_port):
        platform_context = running_platform(home, TEMPORAL_ADDRESS=f"127.0.0.1:{port}")
        platform = await platform_context.__aenter__()
    try:
        for method, route, body in ROUTES:
            before = time.monotonic()
            answer = await platform.http.request(method, route, json=body)
            assert time.monotonic() - before < ANSWER_WITHIN_SECONDS, route
            assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE, route
            assert answer.headers["content-type"] == "application/problem+json"
            assert "retry-after" in answer.headers

        async with _temporal(home, port, ui_port):
            user = new_id("u")

            async def onboarded() -> bool:
                answer = await platform.gateway.onboard(user_id=user, email=f"{user}@example.com", name="Ada")
                return answer.status_code == HTTPStatus.OK

            assert await eventually(onboarded, within_seconds=60, every_seconds=0.5)
            restarts = [process.restarts for process in platform.stack.status().processes]
    finally:
        await platform_context.__aexit__(None, None, None)

    assert set(restarts) == {0}


@asynccontextmanager
async def _temporal(home: Path, port: int, ui_port: int) -> AsyncGenerator[None]:
    """Run a Temporal that the stack finds there and does not start itself."""
    process = await asyncio.create_subprocess_exec(
        dev_server.executable(),
        *("server", "start-dev", "--ip", "127.0.0.1", "--port", str(port), "--ui-port", str(ui_port)),
        *("--db-filename", str(home / "temporal.sqlite3"), "--log-level", "error"),
        *dev_server.tuning_arguments(database_file=True),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await eventually(lambda: _listens(port), within_seconds=30)
        yield
    finally:
        process.terminate()
        await asyncio.wait_for(process.wait(), 20)


async def _listens(port: int) -> bool:
    _reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.close()
    return True
