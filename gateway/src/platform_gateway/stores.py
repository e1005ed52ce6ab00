"""The gateway's own database, opened and made ready: the one place that builds what reads and writes it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from platform_gateway.persistence.api_keys import SqlKeyStore
from platform_gateway.persistence.audit_log import SqlAuditLog
from platform_gateway.settings import GatewaySettings
from platform_runtime.database import Database, default_database_url
from platform_runtime.migrations import migrate, schema_problem
from platform_runtime.settings import InternalSettings, load_settings

_MIGRATIONS: Final = "platform_gateway.persistence.migrations"


@dataclass(frozen=True)
class Stores:
    """What is in the database."""

    database: Database
    keys: SqlKeyStore
    audit: SqlAuditLog


async def prepare_stores(settings: GatewaySettings) -> None:
    """Bring the database to the schema that this code needs; safe to repeat, and from several processes at once."""
    await asyncio.to_thread(migrate, _url(settings), _MIGRATIONS)


@asynccontextmanager
async def opened_stores(settings: GatewaySettings) -> AsyncGenerator[Stores]:
    """Yield the database, and close it at the end.

    Raises:
        SystemExit: with one line, when the schema is older than the code, or cannot be read.
    """
    url = _url(settings)
    problem = await asyncio.to_thread(schema_problem, url, _MIGRATIONS)
    if problem is not None:
        raise SystemExit(f"GATEWAY_DATABASE_URL: {problem}: run `python -m platform_gateway prepare`")
    async with Database.opened(url) as database:
        yield Stores(database, SqlKeyStore(database), SqlAuditLog(database))


def _url(settings: GatewaySettings) -> str:
    return settings.database_url or default_database_url(load_settings(InternalSettings).partner_home, "gateway")
