"""A database of analytics for each test: on SQLite, and the same again on PostgreSQL."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from platform_runtime.database import Database
from platform_runtime.migrations import migrate
from tests.integration.analytics.samples import MIGRATIONS


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of an empty database with the schema of analytics."""
    url = f"sqlite:///{tmp_path}/analytics.sqlite3"
    if request.param == "postgresql":
        url = str(request.getfixturevalue("postgres_url"))
    migrate(url, MIGRATIONS)
    return url


@pytest.fixture
async def database(database_url: str) -> AsyncGenerator[Database]:
    """Return that database, opened."""
    async with Database.opened(database_url) as database:
        yield database


@pytest.fixture
async def postgres(postgres_url: str) -> AsyncGenerator[Database]:
    """Return a database on PostgreSQL: for what SQLite, with one writer at a time, cannot do."""
    migrate(postgres_url, MIGRATIONS)
    async with Database.opened(postgres_url) as database:
        yield database
