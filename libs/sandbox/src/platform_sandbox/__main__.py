"""`python -m platform_sandbox` is the acquirer: it makes its own book, serves until SIGTERM, and forgets nothing."""

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta

import httpx
from prometheus_client import CollectorRegistry

from platform_runtime.database import Database, default_database_url
from platform_runtime.internal_app import bind, internal_app, serving
from platform_runtime.logs import configure_logs
from platform_runtime.process import run_process, stop_event
from platform_runtime.settings import InternalSettings, LogSettings, load_environment, load_settings
from platform_sandbox.book import Book, prepare_file
from platform_sandbox.clock import Clock
from platform_sandbox.fault_routes import fault_routes
from platform_sandbox.misbehaviour import Misbehaviour
from platform_sandbox.movement_book import MovementBook
from platform_sandbox.movement_routes import movement_routes
from platform_sandbox.operation_book import OperationBook
from platform_sandbox.operation_routes import operation_routes
from platform_sandbox.outbox import Outbox
from platform_sandbox.report_routes import report_routes
from platform_sandbox.settings import AcquirerSettings
from platform_sandbox.webhooks import Webhooks


async def serve() -> int:
    """Serve until the process is told to stop; return its exit code."""
    settings = load_settings(AcquirerSettings)
    home = load_settings(InternalSettings).partner_home
    configure_logs(load_settings(LogSettings), service="acquirer")
    stop = stop_event()
    listener = bind(settings.host, settings.port, variable="ACQUIRER_PORT")
    misbehaviour = Misbehaviour(slow_seconds=settings.slow_seconds)
    async with AsyncExitStack() as stack:
        url = settings.database_url or default_database_url(home, "acquirer")
        prepare_file(url)
        database = await stack.enter_async_context(Database.opened(url))
        book = Book(database)
        await book.open()
        operations = OperationBook(
            book,
            fate_of=misbehaviour.fate_of,
            expires_after=timedelta(seconds=settings.expires_after_seconds),
        )
        movements = MovementBook(
            book,
            fate_of=misbehaviour.fate_of,
            settles_after=timedelta(seconds=settings.settles_after_seconds),
        )
        outbox = Outbox(book)
        app = internal_app(
            registry=CollectorRegistry(),
            checks={"book": database.problem},
            views=[
                *operation_routes(operations, misbehaviour),
                *movement_routes(movements, misbehaviour),
                *report_routes(book, outbox, misbehaviour),
                *fault_routes(misbehaviour),
            ],
        )
        works = [Clock(book, operations, movements).run()]
        if settings.webhook_url is not None and settings.webhook_secret is not None:
            webhooks = Webhooks(
                outbox,
                misbehaviour,
                await stack.enter_async_context(httpx.AsyncClient(trust_env=False)),
                url=str(settings.webhook_url),
                secret=settings.webhook_secret.get_secret_value(),
            )
            works.append(webhooks.run())
        async with serving(app, listener), asyncio.TaskGroup() as group:
            # One that fails takes the process with it: whoever supervises starts it again, and the book knows the rest.
            tasks = [group.create_task(work) for work in works]
            await stop.wait()
            for task in tasks:
                task.cancel()
    return 0


if __name__ == "__main__":
    load_environment()
    run_process(serve)
