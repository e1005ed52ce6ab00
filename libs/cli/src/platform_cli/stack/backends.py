"""What the platform's own processes need around them: Temporal, a trace backend, a mail server, a card acquirer.

Each function decides: what the environment names and what answers is used; a loopback address where nothing listens
means that ours is started there. The next one is one more function.
"""

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from platform_cli.bytecode import with_bytecode
from platform_cli.errors import StackError
from platform_cli.settings import StackSettings
from platform_cli.stack.home import Home
from platform_cli.stack.network import Address, connect_problem, http_problem, parse_address, reachable
from platform_cli.stack.process_spec import PortUse, ProcessSpec
from platform_cli.tools import jaeger, mailpit
from platform_cli.tools import temporal_server as temporal_tool

_OTLP_GRPC_PORT = 4317
_SMTP_PORT = 25
_HTTP_PORT = 80
# Enough for days of development; Jaeger forgets the oldest beyond it.
_KEPT_TRACES = 20_000
_KEPT_MAILS = 5_000


@dataclass(frozen=True, kw_only=True)
class Backend:
    """One of them: ours, then with a process, or somebody else's."""

    name: str
    where: str
    process: ProcessSpec | None = None
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    """What our own processes have to know about it."""
    urls: Mapping[str, str] = field(default_factory=dict[str, str])


def temporal_server(settings: StackSettings, home: Home) -> Backend:
    """Decide about Temporal.

    Raises:
        StackError: the one that is named does not answer and cannot be started here, or the tool is not to be had.
    """
    # Imported late: the Temporal SDK takes longer to import than most commands take to run.
    from platform_cli.stack.temporal_probe import temporal_address, temporal_problem  # noqa: PLC0415

    address = temporal_address()
    environment = {"TEMPORAL_ADDRESS": str(address)}
    if address.answers():
        problem = asyncio.run(temporal_problem())
        if problem is not None:
            raise StackError(
                f"what listens at TEMPORAL_ADDRESS={address} cannot be used as Temporal ({problem}): end it, or change "
                "TEMPORAL_ADDRESS"
            )
        urls = _page("temporal", settings.temporal_ui_url, address, settings.temporal_ui_port)
        return Backend(name="temporal", where=str(address), environment=environment, urls=urls)
    if not address.is_loopback:
        raise StackError(
            f"TEMPORAL_ADDRESS={address} does not answer: start it, or unset TEMPORAL_ADDRESS for a local one"
        )
    ui = Address(address.bind_host, settings.temporal_ui_port)
    ui_url = settings.temporal_ui_url or f"http://localhost:{ui.port}"
    process = ProcessSpec(
        name="temporal",
        command=(
            str(temporal_tool.executable()), "server", "start-dev",
            "--ip", address.bind_host, "--port", str(address.port),
            "--ui-ip", ui.host, "--ui-port", str(ui.port),
            "--namespace", settings.temporal_namespace or "default",
            "--db-filename", str(home.data / "temporal.sqlite3"),
            "--log-level", "warn",
            *temporal_tool.tuning_arguments(database_file=True),
        ),
        environment=os.environ,
        log=home.log_of("temporal"),
        ready=temporal_problem,
        where=ui_url,
        ports=(PortUse(address, "TEMPORAL_ADDRESS"), PortUse(ui, "TEMPORAL_UI_PORT")),
    )  # fmt: skip
    environment["TEMPORAL_UI_URL"] = ui_url
    return Backend(
        name="temporal", where=str(address), process=process, environment=environment, urls={"temporal": ui_url}
    )


def trace_backend(settings: StackSettings, home: Home) -> Backend:
    """Decide about the place where traces go.

    Raises:
        StackError: the one that is named does not answer and cannot be started here, or the tool is not to be had.
    """
    if not settings.traces_wanted:
        return Backend(name="traces", where="off, as OTEL_* says")
    grpc = Address("127.0.0.1", settings.jaeger_otlp_grpc_port)
    http = Address("127.0.0.1", settings.jaeger_otlp_http_port)
    grpc_variable, http_variable = "JAEGER_OTLP_GRPC_PORT", "JAEGER_OTLP_HTTP_PORT"
    endpoint = settings.otel_exporter_otlp_endpoint
    if endpoint is None:
        named = http if settings.otel_exporter_otlp_protocol == "http/protobuf" else grpc
        endpoint = f"http://localhost:{named.port}"
    else:
        variable = "OTEL_EXPORTER_OTLP_ENDPOINT"
        named = parse_address(endpoint, variable=variable, default_port=_OTLP_GRPC_PORT)
        if named.answers():
            urls = _page("traces", settings.jaeger_ui_url, named, settings.jaeger_ui_port)
            return Backend(name="traces", where=endpoint, urls=urls)
        if not named.is_loopback:
            raise StackError(f"{variable}={endpoint} does not answer: start it, or unset {variable} for a local one")
        if settings.otel_exporter_otlp_protocol == "http/protobuf":
            http, http_variable = named, variable
        else:
            grpc, grpc_variable = named, variable
    ui = Address("127.0.0.1", settings.jaeger_ui_port)
    ui_url = settings.jaeger_ui_url or f"http://localhost:{ui.port}"
    config = home.data / "jaeger.json"
    _write_jaeger_config(config, grpc=grpc, http=http, ui=ui)

    async def ready() -> str | None:
        return await http_problem(f"http://{ui}/api/services") or await connect_problem(grpc)

    process = ProcessSpec(
        name="jaeger",
        command=(str(jaeger.executable()), "--config", f"file:{config}"),
        environment=os.environ,
        log=home.log_of("jaeger"),
        ready=ready,
        where=ui_url,
        ports=(
            PortUse(grpc, grpc_variable),
            PortUse(http, http_variable),
            PortUse(ui, "JAEGER_UI_PORT"),
        ),
        # It takes ten seconds to end, and its traces are in memory: there is nothing to wait for.
        stop_timeout_seconds=0.5,
    )
    environment = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_EXPORTER_OTLP_PROTOCOL": settings.otel_exporter_otlp_protocol,
        "JAEGER_UI_URL": ui_url,
    }
    return Backend(name="traces", where=endpoint, process=process, environment=environment, urls={"traces": ui_url})


def mail_server(settings: StackSettings, home: Home) -> Backend:
    """Decide about the mail server.

    Raises:
        StackError: the one that is named does not answer and cannot be started here, or the tool is not to be had.
    """
    url, variable = settings.user_smtp_url, "USER_SMTP_URL"
    if url is None:
        smtp, variable = Address("127.0.0.1", settings.mailpit_smtp_port), "MAILPIT_SMTP_PORT"
        url = f"smtp://localhost:{smtp.port}"
    else:
        smtp = parse_address(url, variable=variable, default_port=_SMTP_PORT)
        if smtp.answers():
            return Backend(name="mail", where=str(smtp), urls=_page("mail", None, smtp, settings.mailpit_ui_port))
        if not smtp.is_loopback:
            raise StackError(f"the mail server of {variable}, {smtp}, does not answer: start it, or unset {variable}")
    ui = Address("127.0.0.1", settings.mailpit_ui_port)
    ui_url = f"http://localhost:{ui.port}"

    async def ready() -> str | None:
        return await http_problem(f"http://{ui}/readyz") or await connect_problem(smtp)

    process = ProcessSpec(
        name="mailpit",
        command=(
            str(mailpit.executable()),
            "--smtp", f"{smtp.bind_host}:{smtp.port}",
            "--listen", str(ui),
            "--database", str(home.data / "mailpit.sqlite3"),
            "--max", str(_KEPT_MAILS),
            "--smtp-disable-rdns",
        ),
        environment=dict(os.environ) | {"MP_DISABLE_VERSION_CHECK": "true", "MP_ENABLE_CHAOS": "true"},
        log=home.log_of("mailpit"),
        ready=ready,
        where=ui_url,
        ports=(PortUse(smtp, variable), PortUse(ui, "MAILPIT_UI_PORT")),
    )  # fmt: skip
    return Backend(
        name="mail", where=str(smtp), process=process, environment={"USER_SMTP_URL": url}, urls={"mail": ui_url}
    )


_WEBHOOK_SECRETS = "GATEWAY_ACQUIRER_WEBHOOK_SECRETS"


def card_acquirer(settings: StackSettings, home: Home) -> Backend:
    """Decide about the card acquirer; ours keeps its own book, which no service reads.

    Raises:
        StackError: the one that is named does not answer and cannot be started here.
    """
    url = settings.acquirer_url
    variable = "ACQUIRER_PORT" if settings.payment_acquirer_url is None else "PAYMENT_ACQUIRER_URL"
    address = parse_address(url, variable=variable, default_port=_HTTP_PORT)
    urls = {"acquirer": url.rstrip("/")}
    if settings.payment_acquirer_url is not None:
        if address.answers():
            return Backend(name="acquirer", where=str(address), urls=urls)
        if not address.is_loopback:
            raise StackError(f"the acquirer of {variable}, {address}, does not answer: start it, or unset {variable}")
    environment = with_bytecode(dict(os.environ)) | {
        "ACQUIRER_HOST": address.bind_host,
        "ACQUIRER_PORT": str(address.port),
        "PARTNER_HOME": str(home.directory),
        "PYTHONUNBUFFERED": "1",
    }
    found = {"PAYMENT_ACQUIRER_URL": url}
    if not environment.keys() & {"ACQUIRER_WEBHOOK_URL", "ACQUIRER_WEBHOOK_SECRET", _WEBHOOK_SECRETS}:
        gateway = Address(reachable(settings.gateway_host), settings.gateway_port)
        environment["ACQUIRER_WEBHOOK_URL"] = f"http://{gateway}/v1/provider-events/acquirer"
        environment["ACQUIRER_WEBHOOK_SECRET"] = found[_WEBHOOK_SECRETS] = home.webhook_secret()
    process = ProcessSpec(
        name="acquirer",
        command=(sys.executable, "-m", "platform_sandbox"),
        environment=environment,
        log=home.log_of("acquirer"),
        ready=lambda: http_problem(f"http://{_bound(address)}/readyz"),
        where=f"http://{address}/v1/book",
        ports=(PortUse(address, variable),),
    )
    return Backend(name="acquirer", where=str(address), process=process, environment=found, urls=urls)


def _page(name: str, url: str | None, backend: Address, port: int) -> dict[str, str]:
    """Return the page of a backend that is not ours: as the setting says, or where ours would be, if one is there."""
    if url is None and backend.is_loopback and Address("127.0.0.1", port).answers():
        url = f"http://localhost:{port}"
    return {} if url is None else {name: url}


def _write_jaeger_config(path: Path, *, grpc: Address, http: Address, ui: Address) -> None:
    """Write Jaeger's configuration; it is YAML, of which JSON is a part."""
    listening = {"grpc": {"endpoint": _bound(grpc)}, "http": {"endpoint": _bound(http)}}
    config = {
        "service": {
            "extensions": ["jaeger_storage", "jaeger_query"],
            "pipelines": {"traces": {"receivers": ["otlp"], "exporters": ["jaeger_storage_exporter"]}},
            # Its own metrics would take port 8888.
            "telemetry": {"metrics": {"level": "none"}, "logs": {"level": "warn"}},
        },
        "extensions": {
            "jaeger_storage": {"backends": {"main": {"memory": {"max_traces": _KEPT_TRACES}}}},
            "jaeger_query": {
                "storage": {"traces": "main"},
                "http": {"endpoint": _bound(ui)},
                # Nobody uses it, but it cannot be turned off.
                "grpc": {"endpoint": "127.0.0.1:0"},
            },
        },
        "receivers": {"otlp": {"protocols": listening}},
        "exporters": {"jaeger_storage_exporter": {"trace_storage": "main"}},
    }
    path.write_text(json.dumps(config, indent=2))


def _bound(address: Address) -> str:
    return str(Address(address.bind_host, address.port))
