"""A database of the gateway for each test, on SQLite and again on PostgreSQL."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from platform_gateway.stores import Stores
from platform_runtime.database import Database
from platform_runtime.migrations import migrate
from tests.gateway.api import MIGRATIONS, stores_of


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of a database without tables."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite:///{tmp_path}/gateway.sqlite3"


@pytest.fixture
def database_url(empty_database_url: str) -> str:
    """Return the URL of a database with the schema of the gateway."""
    migrate(empty_database_url, MIGRATIONS)
    return empty_database_url


@pytest.fixture
async def stores(database_url: str) -> AsyncGenerator[Stores]:
    """Return what is in that database."""
    async with Database.opened(database_url) as database:
        yield stores_of(database)
