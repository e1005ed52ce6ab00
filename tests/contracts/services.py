"""What each service registers, built by its own composition root on a database that nobody opens."""

import importlib
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from platform_runtime.database import Database
from platform_runtime.service_process import Registrations, Resources, Service
from tests.architecture.members import SERVICES


@dataclass(frozen=True)
class Registered:
    """A service, and what it registers."""

    service: Service[Any]
    registrations: Registrations


@asynccontextmanager
async def registered_services(directory: Path) -> AsyncGenerator[list[Registered]]:
    """Yield every service of the workspace."""
    async with AsyncExitStack() as stack:
        found: list[Registered] = []
        for member in SERVICES:
            service: Service[Any] = importlib.import_module(f"{member.package}.__main__").SERVICE
            database = await stack.enter_async_context(Database.opened(f"sqlite:///{directory}/{service.name}.sqlite3"))
            resources: Resources[Any] = Resources(
                settings=service.settings_type(), database=database, service_token=None, stack=stack
            )
            found.append(Registered(service, await service.build(resources)))
        yield found
