"""A database of the listing service for each test, on SQLite and again on PostgreSQL."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from platform_runtime.database import Database
from platform_runtime.migrations import migrate
from tests.integration.listing.samples import MIGRATIONS, Market


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of a database without tables."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite:///{tmp_path}/listing.sqlite3"


@pytest.fixture
def database_url(empty_database_url: str) -> str:
    """Return the URL of a database with the schema of the listing service."""
    migrate(empty_database_url, MIGRATIONS)
    return empty_database_url


@pytest.fixture
async def database(database_url: str) -> AsyncGenerator[Database]:
    """Return that database, opened."""
    async with Database.opened(database_url) as database:
        yield database


@pytest.fixture
def market(database: Database) -> Market:
    """Return the service's ports on that database."""
    return Market(database)
