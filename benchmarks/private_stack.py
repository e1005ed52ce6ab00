"""A platform for the benchmark alone, as `partner up` runs it, and the workers of the bare program beside it."""

import asyncio
import os
import random
import socket
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from listing_service.domain.listings import ListingDetails
from listing_service.persistence.listings import SqlListings
from platform_cli.services import MAXIMUM_INSTANCES, SERVICES
from platform_cli.settings import StackSettings
from platform_cli.stack.local_stack import LocalStack
from platform_contracts.money import Money
from platform_runtime.database import Database, default_database_url

LISTING = "lamp"
_STOCK = 1_000_000
_DOMAINS = ("listing", "payment", "user", "analytics")
_PORTS = (
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
_STOP_SECONDS = 15


@dataclass(frozen=True)
class PrivateStack:
    """What runs, and where."""

    local: LocalStack
    environment: Mapping[str, str]

    @property
    def temporal_address(self) -> str:
        """Where Temporal is."""
        return self.environment["TEMPORAL_ADDRESS"]

    @property
    def gateway_port(self) -> int:
        """Where the gateway is, on the loopback address."""
        return int(self.environment["GATEWAY_PORT"])


def private_environment(home: Path, *, traces: bool) -> dict[str, str]:
    """Return an environment in which nothing of the platform is known but a home of its own and free ports."""
    ours = (*(f"{service.name.upper()}_" for service in SERVICES), "ACQUIRER_", "DRILL_", "GATEWAY_", "OTEL_")
    variables = {
        name: value for name, value in os.environ.items() if not name.startswith((*ours, "SERVICE_", "TEMPORAL_"))
    }
    # In one row, below those that a system hands out by itself; instance n of a worker has the port n - 1 higher.
    names = [*_PORTS, "TEMPORAL"]
    row = _free_row(len(names) + len(SERVICES) * MAXIMUM_INSTANCES)
    ports = dict(zip(names, row, strict=False))
    variables |= {name: str(ports[name]) for name in _PORTS}
    for service, port in zip(SERVICES, row[len(names) :: MAXIMUM_INSTANCES], strict=True):
        variables[f"{service.name.upper()}_INTERNAL_PORT"] = str(port)
    variables |= {
        "PARTNER_HOME": str(home),
        "TEMPORAL_ADDRESS": f"127.0.0.1:{ports['TEMPORAL']}",
        "PAYMENT_ACQUIRER_URL": f"http://127.0.0.1:{variables['ACQUIRER_PORT']}",
        "LOG_FORMAT": "json",
    }
    if not traces:
        variables["OTEL_TRACES_EXPORTER"] = "none"
    for domain in _DOMAINS:
        variables[f"{domain.upper()}_DATABASE_URL"] = default_database_url(home, domain)
    return variables


@asynccontextmanager
async def private_stack(
    home: Path, *, traces: bool, bare: bool = True, settings: Mapping[str, str] | None = None
) -> AsyncGenerator[PrivateStack]:
    """Bring up the platform and the bare workers, with one listing to sell; take all of it down at the end.

    The environment of this process becomes that of the platform: it is a process of its own.

    Args:
        home: its PARTNER_HOME.
        traces: whether every process exports its spans, and Jaeger runs to take them.
        bare: whether there are bare workers.
        settings: environment variables of every process besides those.

    Raises:
        StackError: when something does not become ready.
    """
    variables = private_environment(home, traces=traces) | dict(settings or {})
    os.environ.clear()
    os.environ.update(variables)
    async with AsyncExitStack() as stack:
        local = LocalStack(StackSettings())
        stack.push_async_callback(asyncio.to_thread, local.stop)
        await asyncio.to_thread(local.ensure_running)
        await _publish(default_database_url(home, "listing"))
        for domain in _DOMAINS if bare else ():
            await stack.enter_async_context(_bare_worker(domain))
        yield PrivateStack(local, variables)


async def _publish(database_url: str) -> None:
    async with Database.opened(database_url) as database:
        listings = SqlListings(database)
        now = datetime.now(UTC)
        await listings.save_draft(
            tenant="demo",
            listing_id=LISTING,
            details=ListingDetails(
                title="A lamp", description="", price=Money(minor_units=1250, currency="EUR"), stock=_STOCK
            ),
            now=now,
        )
        await listings.take_into_review(tenant="demo", listing_id=LISTING, submission_id="s-1")
        await listings.publish(tenant="demo", listing_id=LISTING, submission_id="s-1", now=now)


@asynccontextmanager
async def _bare_worker(domain: str) -> AsyncGenerator[None]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.bare_worker", domain), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(_STOP_SECONDS * 2):
            async for line in process.stdout:
                if line == b"ready\n":
                    break
            else:
                raise RuntimeError(f"the bare worker of {domain} ended before it was ready")
        reading = asyncio.create_task(process.stdout.read())
        yield
        reading.cancel()
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), _STOP_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()


def _free_row(count: int) -> range:
    while True:
        first = random.randrange(10_000, 30_000)
        row = range(first, first + count)
        with ExitStack() as held, suppress(OSError):
            for port in row:
                held.enter_context(socket.create_server(("127.0.0.1", port)))
            return row
