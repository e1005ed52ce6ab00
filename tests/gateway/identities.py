"""A gateway with authentication on, and what callers need to be let in."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from temporalio.client import Client

from platform_gateway.identity.callers import Caller, Role, Scope, caller_with_every_scope
from platform_gateway.identity.key_management import create_key
from platform_gateway.stores import Stores
from platform_runtime.database import Database
from platform_runtime.migrations import migrate
from tests.gateway.api import MIGRATIONS, opened_api, stores_of


@asynccontextmanager
async def opened_stores(directory: Path) -> AsyncGenerator[Stores]:
    """Yield the stores of an empty database."""
    url = f"sqlite:///{directory}/gateway.sqlite3"
    migrate(url, MIGRATIONS)
    async with Database.opened(url) as database:
        yield stores_of(database)


@asynccontextmanager
async def guarded_api(client: Client, stores: Stores, **options: Any) -> AsyncGenerator[httpx.AsyncClient]:
    """Yield a client of an API that takes the keys of these stores."""
    async with opened_api(client, stores=stores, auth="on", **options) as api:
        yield api


async def key_of(
    stores: Stores, tenant: str, role: Role = Role.ADMIN, *, scopes: list[Scope] | None = None, **options: Any
) -> dict[str, str]:
    """Make a key, and return it as a header."""
    _, given = await create_key(stores.keys, _maker(tenant), role=role, scopes=scopes, **options)
    return {"Authorization": f"Bearer {given.text}"}


def _maker(tenant: str) -> Caller:
    return caller_with_every_scope(tenant, subject="test")


async def entries(stores: Stores, tenant: str | None = None) -> list[tuple[str | None, str, str]]:
    """Return who did what with which outcome, oldest first."""
    page = await stores.audit.page(tenant, before=None, limit=200)
    return [(entry.subject, entry.action, entry.outcome) for entry in reversed(page)]
