"""What a stack consists of: for each part whether it is used as the environment names it, or started by us."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from platform_cli.bytecode import with_bytecode
from platform_cli.errors import StackError
from platform_cli.services import SERVICES, Service
from platform_cli.settings import StackSettings, internal_address
from platform_cli.stack.backends import Backend, card_acquirer, mail_server, temporal_server, trace_backend
from platform_cli.stack.home import Home
from platform_cli.stack.network import Address, http_problem, reachable
from platform_cli.stack.process_spec import PortUse, ProcessSpec


@dataclass(frozen=True)
class Plan:
    """A whole stack, before any of it runs."""

    settings: StackSettings
    home: Home
    backends: tuple[Backend, ...]
    environment: Mapping[str, str]
    workers: Mapping[str, int]
    """Instances by service."""

    @property
    def backend_tiers(self) -> list[list[ProcessSpec]]:
        """What to start before our own processes, in order: Temporal, then everything beside it."""
        first, *others = [[backend.process] if backend.process else [] for backend in self.backends]
        return [tier for tier in (first, [process for tier in others for process in tier]) if tier]

    def prepare(self, service: Service) -> ProcessSpec:
        """Return the one-shot process that migrates a service's database and ensures its schedules."""
        name = f"{service.name}-prepare"
        return ProcessSpec(
            name=name,
            command=(sys.executable, "-m", service.module, "prepare"),
            environment={**self.environment, "OTEL_SERVICE_NAME": service.name},
            log=self.home.log_of(name),
            ready=None,
        )

    def prepare_gateway(self) -> ProcessSpec:
        """Return the one-shot process that migrates the gateway's database."""
        name = "gateway-prepare"
        return ProcessSpec(
            name=name,
            command=(sys.executable, "-m", "platform_gateway", "prepare"),
            environment={**self.environment, "OTEL_SERVICE_NAME": "gateway"},
            log=self.home.log_of(name),
            ready=None,
        )

    def worker(self, service: Service, instance: int) -> ProcessSpec:
        """Return instance 1, 2, … of a service's worker."""
        name = f"{service.name}-{instance}"
        host, base_port = internal_address(service)
        address = Address(reachable(host), base_port + instance - 1)
        variable = f"{service.name.upper()}_INTERNAL_PORT"
        return ProcessSpec(
            name=name,
            command=(sys.executable, "-m", service.module),
            environment={**self.environment, "OTEL_SERVICE_NAME": service.name, variable: str(address.port)},
            log=self.home.log_of(name),
            ready=lambda: http_problem(f"http://{address}/readyz"),
            where=f"queue {service.name}, http://{address}/metrics",
            ports=(PortUse(Address(host, address.port), variable),),
        )

    def gateway(self) -> ProcessSpec:
        """Return the gateway."""
        settings = self.settings
        address = Address(reachable(settings.gateway_host), settings.gateway_port)
        return ProcessSpec(
            name="gateway",
            command=(sys.executable, "-m", "platform_gateway"),
            environment={**self.environment, "OTEL_SERVICE_NAME": "gateway"},
            log=self.home.log_of("gateway"),
            ready=lambda: http_problem(f"http://{address}/readyz"),
            where=f"http://{address}/docs",
            ports=(
                PortUse(Address(settings.gateway_host, settings.gateway_port), "GATEWAY_PORT"),
                PortUse(Address("127.0.0.1", settings.gateway_internal_port), "GATEWAY_INTERNAL_PORT"),
            ),
        )

    def initial_processes(self) -> list[ProcessSpec]:
        """Return every process that will listen somewhere, in the order of their start."""
        workers = [
            self.worker(service, instance + 1) for service in SERVICES for instance in range(self.workers[service.name])
        ]
        return [*(process for tier in self.backend_tiers for process in tier), *workers, self.gateway()]

    def urls(self) -> dict[str, str]:
        """Return what a person can open, by name."""
        address = Address(reachable(self.settings.gateway_host), self.settings.gateway_port)
        urls = {"gateway": f"http://{address}", "api": f"http://{address}/docs"}
        return urls | {name: url for backend in self.backends for name, url in backend.urls.items()}


def make_plan(settings: StackSettings, workers: Mapping[str, int]) -> Plan:
    """Decide what to use and what to start; fetches or builds the tools that are missing.

    Raises:
        StackError: something the environment names does not answer, or a tool is not to be had.
    """
    refuse_task_queue(settings)
    home = Home(settings.partner_home)
    home.create()
    backends = (
        temporal_server(settings, home),
        trace_backend(settings, home),
        mail_server(settings, home),
        card_acquirer(settings, home),
    )
    return Plan(
        settings=settings,
        home=home,
        backends=backends,
        environment=process_environment(settings, home, backends),
        workers={service.name: workers.get(service.name, 1) for service in SERVICES},
    )


def refuse_task_queue(settings: StackSettings) -> None:
    """Refuse TEMPORAL_TASK_QUEUE, which is meant for a single worker.

    Raises:
        StackError: it is set.
    """
    if settings.temporal_task_queue is not None:
        raise StackError(
            "TEMPORAL_TASK_QUEUE would put every service on one queue: unset it, here and in .env "
            "(a single `python -m user_service` may have it)"
        )


def check_ports(plan: Plan) -> None:
    """Make sure that whatever is to be started finds its ports free.

    Raises:
        StackError: one is taken, or two processes want the same one.
    """
    wanted: dict[int, PortUse] = {}
    for process in plan.initial_processes():
        check_ports_of(process)
        for use in process.ports:
            other = wanted.setdefault(use.address.port, use)
            if other is not use:
                raise StackError(
                    f"{other.variable} and {use.variable} (of {process.name}) both mean port {use.address.port}: "
                    "change one of them"
                )


def check_ports_of(process: ProcessSpec) -> None:
    """Make sure that one process finds its ports free.

    Raises:
        StackError: one is taken.
    """
    for use in process.ports:
        if not use.address.is_free():
            raise StackError(
                f"port {use.address.port}, which {process.name} wants, is taken by another program: end that one, or "
                f"set {use.variable} to a free port"
            )


def process_environment(settings: StackSettings, home: Home, backends: tuple[Backend, ...]) -> dict[str, str]:
    """Return the environment of our own processes: the user's, completed by where everything is."""
    environment = dict(os.environ)
    environment |= {
        "PARTNER_HOME": str(home.directory),
        "SERVICE_TOKEN": settings.service_token or home.service_token(),
    }
    environment.setdefault("GATEWAY_DATABASE_URL", f"sqlite:///{home.data / 'gateway'}.sqlite3")
    for service in SERVICES:
        host, port = internal_address(service)
        prefix = service.name.upper()
        environment.setdefault(f"{prefix}_DATABASE_URL", f"sqlite:///{home.data / service.name}.sqlite3")
        environment.setdefault(f"{prefix}_VIEWS_URL", f"http://{Address(reachable(host), port)}")
    if Address(settings.gateway_host, settings.gateway_port).is_loopback:
        # Whoever can reach it develops here, also with a key.
        environment.setdefault("GATEWAY_DOCS", "true")
    for backend in backends:
        environment |= backend.environment
    # A worker writes a line and may be killed: without a buffer the line is in the log.
    return with_bytecode(environment) | {"PYTHONUNBUFFERED": "1"}
