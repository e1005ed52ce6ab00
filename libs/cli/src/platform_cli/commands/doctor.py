"""`partner doctor`: what is missing, not listening, or polled by nobody, each with what to do about it."""

import asyncio
import importlib.util
import shutil
import sys
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from rich.markup import escape
from temporalio.client import Client
from temporalio.service import RPCError

from platform_cli.commands.fairness_check import REMEDY, fairness_problem
from platform_cli.commands.queue_check import queue_problem
from platform_cli.errors import StackError
from platform_cli.services import SERVICES, Service
from platform_cli.settings import StackSettings, internal_address, stack_settings
from platform_cli.stack.local_stack import LocalStack
from platform_cli.stack.network import Address, connect_problem, http_problem, parse_address, reachable
from platform_cli.stack.report import console_for
from platform_cli.stack.temporal_probe import connect, temporal_address, temporal_problem
from platform_cli.tools import jaeger, mailpit, temporal_server
from platform_cli.tools.finder import Tool, find

_NEEDED_BYTES = 1024**3


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; with a problem there is a command or an action that mends it."""

    subject: str
    problem: str | None = None
    remedy: str = ""


def doctor() -> None:
    """Print every finding.

    Raises:
        SystemExit: with 1 when anything is wrong.
    """
    findings = asyncio.run(_all_findings(stack_settings()))
    console = console_for()
    for finding in findings:
        if finding.problem is None:
            console.print(f"[green]ok[/green]     {escape(finding.subject)}")
        else:
            console.print(f"[red]wrong[/red]  {escape(finding.subject)}: {escape(finding.problem)}")
            console.print(f"       -> {escape(finding.remedy)}")
    wrong = sum(finding.problem is not None for finding in findings)
    console.print(f"\n{wrong} of {len(findings)} need attention." if wrong else "\nEverything is as it should be.")
    if wrong:
        sys.exit(1)


async def _all_findings(settings: StackSettings) -> list[Finding]:
    stack = LocalStack(settings)
    start = "partner status" if stack.is_running else "partner up"
    findings = [*_machine(settings, stack), *_tools(settings)]
    findings += [finding async for finding in _backends(settings, start)]
    findings += [finding async for finding in _services(stack)]
    gateway = Address(reachable(settings.gateway_host), settings.gateway_port)
    problem = await http_problem(f"http://{gateway}/readyz")
    return [*findings, Finding(f"the gateway at {gateway}", problem, start)]


def _machine(settings: StackSettings, stack: LocalStack) -> list[Finding]:
    modules = [*(service.module for service in SERVICES), "platform_gateway"]
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    home = stack.home.directory
    there = next(path for path in (home, *home.parents) if path.exists())
    free = shutil.disk_usage(there).free
    queue = settings.temporal_task_queue
    return [
        Finding(
            "the packages of the platform",
            f"not installed: {', '.join(missing)}" if missing else None,
            "python3 noxfile.py setup",
        ),
        Finding(
            f"room for PARTNER_HOME={home}",
            f"{free / 1024**2:.0f} MB are free" if free < _NEEDED_BYTES else None,
            "make room, or set PARTNER_HOME to a directory on another disk",
        ),
        Finding(
            "one task queue per service",
            f"TEMPORAL_TASK_QUEUE={queue} would put all on one" if queue else None,
            "unset TEMPORAL_TASK_QUEUE, here and in .env",
        ),
    ]


def _tools(settings: StackSettings) -> list[Finding]:
    """Say of each tool that the stack would start whether it is there; one that is used elsewhere is not needed."""
    wanted = [(temporal_server.TOOL, temporal_address().is_loopback)]
    wanted.append((jaeger.TOOL, settings.traces_wanted and _is_local(settings.otel_exporter_otlp_endpoint)))
    wanted.append((mailpit.TOOL, _is_local(settings.user_smtp_url)))
    return [_tool(tool) for tool, is_wanted in wanted if is_wanted]


def _tool(tool: Tool) -> Finding:
    try:
        found = find(tool)
    except StackError as error:
        return Finding(f"the tool {tool.name}", str(error), f"correct or unset {tool.override_variable}")
    if found is None:
        return Finding(f"the tool {tool.name}", "not here yet", f"partner up (gets it once), or {tool.advice}")
    return Finding(f"the tool {tool.name}: {found}")


async def _backends(settings: StackSettings, start: str) -> AsyncGenerator[Finding]:
    temporal = temporal_address()
    local_remedy = start if temporal.is_loopback else f"start the server at {temporal}, or correct TEMPORAL_ADDRESS"
    problem = await connect_problem(temporal) or await temporal_problem()
    yield Finding(f"Temporal at {temporal}", problem, local_remedy)
    if settings.traces_wanted:
        endpoint = settings.otel_exporter_otlp_endpoint or f"http://localhost:{settings.jaeger_otlp_grpc_port}"
        address = parse_address(endpoint, variable="OTEL_EXPORTER_OTLP_ENDPOINT", default_port=4317)
        remedy = start if address.is_loopback else "start it, or correct OTEL_EXPORTER_OTLP_ENDPOINT"
        yield Finding(f"the trace backend at {address}", await connect_problem(address), remedy)
    url = settings.user_smtp_url or f"smtp://localhost:{settings.mailpit_smtp_port}"
    address = parse_address(url, variable="USER_SMTP_URL", default_port=25)
    remedy = start if address.is_loopback else "start it, or correct USER_SMTP_URL"
    yield Finding(f"the mail server at {address}", await connect_problem(address), remedy)
    address = parse_address(settings.acquirer_url, variable="PAYMENT_ACQUIRER_URL", default_port=80)
    remedy = start if address.is_loopback else "start it, or correct PAYMENT_ACQUIRER_URL"
    yield Finding(f"the card acquirer at {address}", await connect_problem(address), remedy)


async def _services(stack: LocalStack) -> AsyncGenerator[Finding]:
    client = await _client()
    if client is not None:
        yield await _fairness(client)
    for service in SERVICES:
        host, port = internal_address(service)
        address = Address(reachable(host), port)
        remedy = _how_to_run(service, stack)
        yield Finding(
            f"the {service.name} service at {address}", await http_problem(f"http://{address}/readyz"), remedy
        )
        if client is None:
            # Without Temporal nothing can be known of queues, and that Temporal is away has been said above.
            continue
        try:
            problem = await queue_problem(client, service.name)
        except (RPCError, TimeoutError) as error:
            problem = f"Temporal cannot tell who polls it: {error}"
        yield Finding(f"the queue {service.name}", problem, remedy)


async def _fairness(client: Client) -> Finding:
    try:
        problem = await fairness_problem(client)
    except (RPCError, TimeoutError) as error:
        problem = f"Temporal cannot tell: {error}"
    return Finding("tenants take turns on a queue", problem, REMEDY)


async def _client() -> Client | None:
    try:
        return await connect()
    except (RuntimeError, TimeoutError):
        return None


def _how_to_run(service: Service, stack: LocalStack) -> str:
    if not stack.is_running:
        return f"partner up, or partner worker {service.name} for this one alone"
    return f"partner scale {service.name}=1, and partner logs {service.name}"


def _is_local(url: str | None) -> bool:
    return url is None or parse_address(url, variable="URL", default_port=1).is_loopback
