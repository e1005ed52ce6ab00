"""`python -m platform_sandbox` is the acquirer: it makes its own book, serves until SIGTERM, and forgets nothing."""

from prometheus_client import CollectorRegistry

from platform_runtime.database import Database, default_database_url
from platform_runtime.internal_app import bind, internal_app, serving
from platform_runtime.logs import configure_logs
from platform_runtime.process import run_process, stop_event
from platform_runtime.settings import InternalSettings, LogSettings, load_environment, load_settings
from platform_sandbox.book import Book
from platform_sandbox.misbehaviour import Misbehaviour
from platform_sandbox.routes import routes
from platform_sandbox.settings import AcquirerSettings


async def serve() -> int:
    """Serve until the process is told to stop; return its exit code."""
    settings = load_settings(AcquirerSettings)
    home = load_settings(InternalSettings).partner_home
    configure_logs(load_settings(LogSettings), service="acquirer")
    stop = stop_event()
    listener = bind(settings.host, settings.port, variable="ACQUIRER_PORT")
    async with Database.opened(settings.database_url or default_database_url(home, "acquirer")) as database:
        book = Book(database)
        await book.open()
        app = internal_app(
            registry=CollectorRegistry(),
            checks={"book": database.problem},
            views=routes(book, Misbehaviour(slow_seconds=settings.slow_seconds)),
        )
        async with serving(app, listener):
            await stop.wait()
    return 0


if __name__ == "__main__":
    load_environment()
    run_process(serve)
