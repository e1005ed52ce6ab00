"""The process of a service: `python -m user_service` works, `python -m user_service prepare` makes ready."""

import argparse
import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from importlib.metadata import version
from typing import Any, Generic, NoReturn, TypeVar

from pydantic import SecretStr
from starlette.routing import BaseRoute
from temporalio.client import Client
from temporalio.worker import Worker

from platform_runtime.activity_context import ActivityContext
from platform_runtime.database import Database, default_database_url
from platform_runtime.internal_app import bind, internal_app, serving
from platform_runtime.logs import configure_logs
from platform_runtime.migrations import migrate, schema_problem
from platform_runtime.process import run_process, stop_event
from platform_runtime.rights import grant_rights
from platform_runtime.sandbox import workflow_runner
from platform_runtime.settings import (
    DrillSettings,
    InternalSettings,
    LogSettings,
    ServiceSettings,
    TemporalSettings,
    load_environment,
    load_settings,
    parse_delays,
)
from platform_runtime.telemetry import telemetry
from platform_runtime.temporal_client import connect_when_there

SettingsT = TypeVar("SettingsT", bound=ServiceSettings)

_log = logging.getLogger(__name__)


Tool = Callable[[Database, Sequence[str]], Awaitable[int]]
"""Works on the database of a service, given the rest of the command line; returns the exit code."""


@dataclass(frozen=True)
class Registrations:
    """What a service's worker runs and shows."""

    workflows: Sequence[type]
    activities: Sequence[Callable[..., Any]]
    views: Sequence[BaseRoute] = field(default=())


@dataclass(frozen=True)
class Resources(Generic[SettingsT]):
    """What a service's composition root gets to wire its parts with."""

    settings: SettingsT
    database: Database
    service_token: SecretStr | None
    stack: AsyncExitStack
    """Closes, in reverse order, what the composition root opens."""


@dataclass(frozen=True)
class Service(Generic[SettingsT]):
    """One domain's service, as its `__main__` declares it."""

    name: str
    task_queue: str
    settings_type: type[SettingsT]
    migrations: str
    """The package that holds the Alembic revisions."""
    build: Callable[[Resources[SettingsT]], Awaitable[Registrations]]
    append_only: Sequence[str] = ()
    """The tables whose rows the worker's role may add and read, and neither change nor delete."""
    tools: Mapping[str, Tool] = field(default_factory=dict[str, "Tool"])
    """Commands of an operator beside `work` and `prepare`; each gets the database and what else was typed."""
    ensure_schedules: Callable[[Client], Awaitable[None]] | None = None


def run_service(service: Service[SettingsT], argv: Sequence[str] | None = None) -> NoReturn:
    """Run the service's process: the worker, or with `prepare` the migrations and schedules, once.

    Exits with 0 after SIGTERM or SIGINT, once running activities are done or out of time; with 2 for a wrong setting.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {service.name}_service")
    parser.add_argument(
        "command",
        nargs="?",
        choices=["work", "prepare", *service.tools],
        default="work",
        help="work: poll the task queue; prepare: migrate the database and ensure the schedules, once per deployment",
    )
    asked, rest = parser.parse_known_args(argv)
    command: str = asked.command
    if rest and command not in service.tools:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    load_environment()
    if command in service.tools:
        run_process(lambda: _use_tool(service, service.tools[command], rest))
    run_process(lambda: _prepare(service) if command == "prepare" else _work(service))


async def _use_tool(service: Service[SettingsT], tool: Tool, arguments: Sequence[str]) -> int:
    settings = load_settings(service.settings_type)
    configure_logs(load_settings(LogSettings), service=service.name)
    url = settings.database_url or default_database_url(load_settings(InternalSettings).partner_home, service.name)
    async with Database.opened(url) as database:
        return await tool(database, arguments)


async def _prepare(service: Service[SettingsT]) -> int:
    settings = load_settings(service.settings_type)
    temporal = load_settings(TemporalSettings)
    configure_logs(load_settings(LogSettings), service=service.name)
    url = settings.database_url or default_database_url(load_settings(InternalSettings).partner_home, service.name)
    await asyncio.to_thread(migrate, settings.owner_database_url or url, service.migrations)
    if settings.owner_database_url is not None:
        await asyncio.to_thread(
            grant_rights, settings.owner_database_url, worker_url=url, append_only=service.append_only
        )
    if service.ensure_schedules is not None:
        async with telemetry(service=service.name):
            await service.ensure_schedules(await connect_when_there(temporal))
    _log.info("service.prepared")
    return 0


async def _work(service: Service[SettingsT]) -> int:
    settings = load_settings(service.settings_type)
    temporal = load_settings(TemporalSettings)
    internal = load_settings(InternalSettings)
    drill = load_settings(DrillSettings)
    configure_logs(load_settings(LogSettings), service=service.name)
    stop = stop_event()
    url = settings.database_url or default_database_url(internal.partner_home, service.name)
    prefix = service.settings_type.model_config.get("env_prefix", "")

    async with AsyncExitStack() as stack:
        listener = bind(settings.internal_host, settings.internal_port, variable=f"{prefix}INTERNAL_PORT")
        seen = await stack.enter_async_context(telemetry(service=service.name))
        problem = await asyncio.to_thread(schema_problem, url, service.migrations)
        if problem is not None:
            raise SystemExit(f"{prefix}DATABASE_URL: {problem}: run `python -m {service.name}_service prepare`")
        database = await stack.enter_async_context(Database.opened(url))
        registrations = await service.build(
            Resources(settings=settings, database=database, service_token=internal.service_token, stack=stack)
        )
        polling = asyncio.Event()

        async def worker_polls() -> str | None:
            return None if polling.is_set() else "the worker does not poll yet: Temporal has not answered"

        app = internal_app(
            registry=seen.registry,
            checks={"worker": worker_polls, "database": database.problem},
            views=registrations.views,
        )
        await stack.enter_async_context(serving(app, listener))
        connecting = asyncio.create_task(connect_when_there(temporal, runtime=seen.runtime))
        if not await _first(connecting, stop):
            connecting.cancel()
            return 0
        worker = Worker(
            connecting.result(),
            task_queue=temporal.task_queue or service.task_queue,
            workflows=registrations.workflows,
            activities=registrations.activities,
            workflow_runner=workflow_runner(),
            interceptors=[ActivityContext(parse_delays(drill.activity_delay_seconds))],
            # Without a name for this build the SDK hashes every loaded module, which takes a worker 2 s at each start.
            build_id=f"{service.name}-service {version(f'{service.name}-service')}",
            max_cached_workflows=temporal.max_cached_workflows,
            max_concurrent_workflow_tasks=temporal.max_concurrent_workflows,
            max_concurrent_activities=temporal.max_concurrent_activities,
            graceful_shutdown_timeout=timedelta(seconds=settings.shutdown_seconds),
        )
        running = asyncio.create_task(worker.run())
        polling.set()
        _log.info("worker.polls", extra={"task_queue": worker.task_queue})
        if not await _first(running, stop):
            polling.clear()
            await worker.shutdown()
        # Raises what ended a worker that nobody stopped: then the process ends too, and is started again from outside.
        await running
        _log.info("worker.stopped")
    return 0


async def _first(task: asyncio.Task[Any], stop: asyncio.Event) -> bool:
    """Wait for the task or for the stop, whichever is first; return whether it was the task."""
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    return task.done()
