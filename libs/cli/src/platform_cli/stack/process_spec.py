"""What there is to know about a process before it runs."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from platform_cli.stack.network import Address

Probe = Callable[[], Awaitable[str | None]]
"""Returns why a process is not ready, None when it is."""


@dataclass(frozen=True)
class PortUse:
    """A port a process will listen on, and the variable that moves it elsewhere."""

    address: Address
    variable: str


@dataclass(frozen=True, kw_only=True)
class ProcessSpec:
    """One process of the stack."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    log: Path
    ready: Probe | None
    """None: a command that runs once, to its end."""
    where: str = ""
    """What a person opens or connects to."""
    ports: tuple[PortUse, ...] = field(default=())
    ready_timeout_seconds: float = 60
    stop_timeout_seconds: float = 20
    """From SIGTERM to SIGKILL: longer than a worker drains and flushes its telemetry."""
