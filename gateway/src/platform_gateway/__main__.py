"""The gateway's process: `python -m platform_gateway` serves, `… prepare` makes ready, `… keys` manages API keys."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import NoReturn

import httpx

from platform_gateway.app import create_app
from platform_gateway.bulk.worker import working_on_bulk_operations
from platform_gateway.keys_command import manage_keys, parsed_arguments
from platform_gateway.operations.status import LinkTargets
from platform_gateway.settings import GatewaySettings
from platform_gateway.stores import opened_stores, prepare_stores
from platform_gateway.views_client import ViewsClient
from platform_gateway.workflow_gateway import WorkflowGateway
from platform_runtime.internal_app import bind, internal_app, serving
from platform_runtime.logs import configure_logs, get_logger
from platform_runtime.process import run_process, stop_event
from platform_runtime.settings import (
    InternalSettings,
    LogSettings,
    TemporalSettings,
    load_environment,
    load_settings,
)
from platform_runtime.telemetry import telemetry
from platform_runtime.temporal_client import connect

_log = get_logger("platform_gateway")


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Do what the command line says; without a command, serve."""
    arguments = parsed_arguments(argv)
    load_environment()
    match arguments.command:
        case "prepare":
            run_process(_prepare)
        case "keys":
            run_process(lambda: manage_keys(arguments))
        case _:
            run_process(serve)


async def _prepare() -> int:
    settings = load_settings(GatewaySettings)
    configure_logs(load_settings(LogSettings), service="gateway")
    await prepare_stores(settings)
    _log.info("gateway.prepared")
    return 0


async def serve() -> int:
    """Serve until SIGTERM or SIGINT; return the exit code.

    Raises:
        SystemExit: with one line, when a setting is wrong, a port is taken, or the database is not prepared.
    """
    settings = load_settings(GatewaySettings)
    temporal = load_settings(TemporalSettings)
    token = load_settings(InternalSettings).service_token
    configure_logs(load_settings(LogSettings), service="gateway")
    stop = stop_event()
    listener = bind(settings.host, settings.port, variable="GATEWAY_PORT")
    internal_listener = bind(settings.internal_host, settings.internal_port, variable="GATEWAY_INTERNAL_PORT")

    async with AsyncExitStack() as stack:
        seen = await stack.enter_async_context(telemetry(service="gateway"))
        # The environment's proxies are for the world outside; the services are next door.
        http = await stack.enter_async_context(httpx.AsyncClient(trust_env=False))
        workflows = WorkflowGateway(
            await connect(temporal, runtime=seen.runtime, lazy=True),
            links=LinkTargets(temporal_ui_url=settings.temporal_ui_url, jaeger_ui_url=settings.jaeger_ui_url),
        )
        stores = await stack.enter_async_context(opened_stores(settings))
        # The issuer is in the world outside, perhaps behind a proxy.
        issuer_http = await stack.enter_async_context(httpx.AsyncClient())
        app = create_app(
            settings,
            workflows=workflows,
            user_views=ViewsClient(http, url=settings.user_views_url, token=token),
            payment_views=ViewsClient(http, url=settings.payment_views_url, token=token),
            listing_views=ViewsClient(http, url=settings.listing_views_url, token=token),
            analytics_views=ViewsClient(http, url=settings.analytics_views_url, token=token),
            stores=stores,
            issuer_http=issuer_http,
        )
        internal = internal_app(
            registry=seen.registry, checks={"temporal": workflows.problem, "database": stores.database.problem}
        )
        await stack.enter_async_context(serving(internal, internal_listener))
        await stack.enter_async_context(serving(app, listener))
        host, port = listener.getsockname()[:2]
        await stack.enter_async_context(working_on_bulk_operations(temporal, runtime=seen.runtime))
        _log.info(
            "gateway.serves", host=host, port=port, tenant=settings.tenant, authenticated=settings.is_authenticated
        )
        await stop.wait()
        workflows.close()
    _log.info("gateway.stopped")
    return 0


if __name__ == "__main__":
    main()
