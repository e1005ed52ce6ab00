"""The gateway as a process of its own, and what it sends to an OTLP backend."""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from platform_runtime.internal_app import bind, serving
from tests.support.network import free_port

_READY_WITHIN_SECONDS = 30


@dataclass
class GatewayProcess:
    """A running gateway."""

    process: asyncio.subprocess.Process
    log: Path
    url: str
    internal_url: str


@asynccontextmanager
async def running_gateway(directory: Path, **environment: str) -> AsyncGenerator[GatewayProcess]:
    """Run `python -m platform_gateway` until the block ends; yield once it serves."""
    port, internal_port = free_port(), free_port()
    process = await start_gateway(
        directory, GATEWAY_PORT=str(port), GATEWAY_INTERNAL_PORT=str(internal_port), **environment
    )
    gateway = GatewayProcess(
        process, directory / "log", f"http://127.0.0.1:{port}", f"http://127.0.0.1:{internal_port}"
    )
    try:
        await _wait_until_it_serves(gateway)
        yield gateway
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def start_gateway(directory: Path, **environment: str) -> asyncio.subprocess.Process:
    """Prepare the database and start the process; its output goes into the file `log`."""
    prepared = await start_command(directory, "prepare", **environment)
    assert await prepared.wait() == 0, (directory / "log").read_text()
    return await start_command(directory, **environment)


async def start_command(directory: Path, *arguments: str, **environment: str) -> asyncio.subprocess.Process:
    """Start `python -m platform_gateway` with nothing of this one's settings; its output goes into the file `log`."""
    ours = ("GATEWAY_", "TEMPORAL_", "OTEL_", "USER_", "PAYMENT_", "LISTING_", "ANALYTICS_", "LOG_", "SERVICE_TOKEN")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith((*ours, "PARTNER_HOME"))}
    with (directory / "log").open("wb") as log:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "platform_gateway", *arguments),
            cwd=directory,
            env={**inherited, "LOG_FORMAT": "json", **environment},
            stdout=log,
            stderr=log,
        )


async def _wait_until_it_serves(gateway: GatewayProcess) -> None:
    async with asyncio.timeout(_READY_WITHIN_SECONDS), httpx.AsyncClient(trust_env=False) as http:
        while True:
            assert gateway.process.returncode is None, gateway.log.read_text()
            try:
                await http.get(f"{gateway.url}/livez")
            except httpx.TransportError:
                await asyncio.sleep(0.05)
            else:
                return


@dataclass
class FakeCollector:
    """What has arrived at the OTLP backend."""

    url: str = ""
    spans: list[Span] = field(default_factory=list[Span])

    async def receive(self, request: Request) -> Response:
        export = ExportTraceServiceRequest.FromString(await request.body())
        for resource in export.resource_spans:
            for scope in resource.scope_spans:
                self.spans.extend(scope.spans)
        return Response()


@asynccontextmanager
async def running_collector() -> AsyncGenerator[FakeCollector]:
    """Receive traces over OTLP/HTTP while the block runs."""
    collector = FakeCollector()
    listener = bind("127.0.0.1", 0, variable="")
    collector.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with serving(Starlette(routes=[Route("/v1/traces", collector.receive, methods=["POST"])]), listener):
        yield collector
