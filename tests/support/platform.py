"""The whole platform as a person runs it: `partner up`, real processes, real HTTP, on ports of its own."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from temporalio.client import Client

from platform_cli.demo.gateway_api import GatewayApi
from platform_cli.demo.mailpit_api import MailpitApi
from platform_cli.settings import StackSettings
from platform_cli.stack.local_stack import LocalStack
from platform_cli.stack.status import ProcessStatus
from platform_runtime.settings import TemporalSettings
from platform_runtime.temporal_client import connect
from tests.support.network import free_row
from tests.support.waiting import eventually

_UP_WITHIN_SECONDS = 120
_PORT_VARIABLES = (
    "TEMPORAL_UI_PORT",
    "JAEGER_OTLP_GRPC_PORT",
    "JAEGER_OTLP_HTTP_PORT",
    "JAEGER_UI_PORT",
    "MAILPIT_SMTP_PORT",
    "MAILPIT_UI_PORT",
    "ACQUIRER_PORT",
    "GATEWAY_PORT",
    "GATEWAY_INTERNAL_PORT",
)
_SERVICES = ("USER", "PAYMENT", "LISTING", "ANALYTICS")
_OURS = (
    *(f"{service}_" for service in _SERVICES),
    *("ACQUIRER_", "DRILL_", "GATEWAY_", "OTEL_", "SERVICE_", "TEMPORAL_"),
)
# Each instance of a service has the next port.
_INSTANCES = 4


@dataclass(frozen=True)
class Platform:
    """A platform that is up, and ways to look at it and to hurt it."""

    stack: LocalStack
    environment: Mapping[str, str]
    urls: Mapping[str, str]
    http: httpx.AsyncClient
    """Calls on the gateway."""
    gateway: GatewayApi
    mail: MailpitApi
    jaeger: httpx.AsyncClient
    acquirer: httpx.AsyncClient
    temporal: Client

    def process(self, name: str) -> ProcessStatus:
        """Return how a process of the stack is: `user-1`, `gateway`, `temporal`."""
        return next(each for each in self.stack.status().processes if each.name == name)

    async def kill(self, name: str) -> None:
        """Kill a process with -9 and return once the supervisor has replaced it."""
        before = self.process(name)
        assert before.pid is not None
        os.kill(before.pid, signal.SIGKILL)

        async def replaced() -> bool:
            now = self.process(name)
            return now.restarts > before.restarts and now.state == "ready" and now.problem is None

        await eventually(replaced, within_seconds=60, every_seconds=0.2)

    async def partner(self, *arguments: str, within_seconds: float = _UP_WITHIN_SECONDS) -> str:
        """Run a `partner` command on this platform and return what it printed; it has to exit with 0."""
        return await run_partner(self.environment, *arguments, within_seconds=within_seconds)


@asynccontextmanager
async def running_platform(
    home: Path, *, workers: tuple[str, ...] = (), **environment: str
) -> AsyncGenerator[Platform]:
    """Bring a platform up, and take it down at the end.

    Args:
        home: its PARTNER_HOME.
        workers: as for `partner up --workers`.
        environment: variables of this platform alone.
    """
    variables = own_environment(home) | environment
    options = [option for each in workers for option in ("--workers", each)]
    async with AsyncExitStack() as stack:
        stack.push_async_callback(run_partner, variables, "down")
        try:
            await run_partner(variables, "up", "--detach", *options)
        except AssertionError:
            _show_logs(home)
            raise
        yield await _connected(home, variables, stack)


async def _connected(home: Path, variables: Mapping[str, str], stack: AsyncExitStack) -> Platform:
    local = LocalStack(StackSettings(partner_home=home))
    urls = local.status().urls
    clients = {
        name: await stack.enter_async_context(httpx.AsyncClient(base_url=urls[name], timeout=30))
        for name in ("gateway", "mail", "traces", "acquirer")
    }
    return Platform(
        stack=local,
        environment=variables,
        urls=urls,
        http=clients["gateway"],
        gateway=GatewayApi(clients["gateway"]),
        mail=MailpitApi(clients["mail"]),
        jaeger=clients["traces"],
        acquirer=clients["acquirer"],
        temporal=await connect(TemporalSettings(address=variables["TEMPORAL_ADDRESS"])),
    )


def own_environment(home: Path) -> dict[str, str]:
    """Return an environment in which `partner` meets no other platform: its own home, every port free."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    variables |= {name: str(free_row(1)) for name in _PORT_VARIABLES}
    variables |= {
        "PARTNER_HOME": str(home),
        "TEMPORAL_ADDRESS": f"127.0.0.1:{free_row(1)}",
        # Spans are read back: not every five seconds, but soon.
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        "LOG_FORMAT": "json",
    }
    for service in _SERVICES:
        variables[f"{service}_INTERNAL_PORT"] = str(free_row(_INSTANCES))
    return variables


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on, each once."""
    return [free_row(1) for _ in range(count)]


async def run_partner(
    environment: Mapping[str, str], *arguments: str, within_seconds: float = _UP_WITHIN_SECONDS, exit_code: int = 0
) -> str:
    """Run `partner` with these arguments and return what it printed.

    Raises:
        AssertionError: when it takes too long or exits with another code.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "platform_cli",
        *arguments,
        env=dict(environment),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        printed, _ = await asyncio.wait_for(process.communicate(), within_seconds)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise AssertionError(f"partner {' '.join(arguments)} took more than {within_seconds} s") from None
    text = printed.decode()
    assert process.returncode == exit_code, f"partner {' '.join(arguments)} exited {process.returncode}:\n{text}"
    return text


def _show_logs(home: Path) -> None:
    for log in sorted((home / "logs").glob("*.log")):
        print(f"--- {log.name}\n{log.read_text()[-2000:]}")


def new_id(prefix: str) -> str:
    """Return an id that no other test uses."""
    return f"{prefix}-{uuid4().hex[:10]}"


def onboarding_body(user_id: str) -> dict[str, str]:
    """Return the body that onboards a user whose address is their own."""
    return {"userId": user_id, "email": f"{user_id}@example.com", "name": "Ada"}


@pytest.fixture(scope="session")
async def platform(tmp_path_factory: pytest.TempPathFactory, local_stack_tools: None) -> AsyncGenerator[Platform]:
    """One platform for every test that leaves it as it found it."""
    async with running_platform(tmp_path_factory.mktemp("platform")) as running:
        yield running


def result_of(status: Mapping[str, Any]) -> dict[str, Any]:
    """Return the result in a status; it has to have one."""
    assert status["status"] == "COMPLETED", status
    return status["result"]
