"""A database of the payment service for each test, on SQLite and again on PostgreSQL, and a real acquirer."""

from collections.abc import AsyncGenerator
from pathlib import Path

import httpx
import pytest

from payment_service.activities.charges import ChargeActivities
from payment_service.persistence.charges import SqlCharges
from payment_service.providers.card_acquirer import HttpCardAcquirer
from platform_runtime.database import Database
from platform_runtime.migrations import migrate
from tests.integration.payment.samples import MIGRATIONS
from tests.integration.sandbox.acquirer_process import AcquirerProcess, running_acquirer


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of a database without tables."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite:///{tmp_path}/payment.sqlite3"


@pytest.fixture
def database_url(empty_database_url: str) -> str:
    """Return the URL of a database with the schema of the payment service."""
    migrate(empty_database_url, MIGRATIONS)
    return empty_database_url


@pytest.fixture
async def database(database_url: str) -> AsyncGenerator[Database]:
    """Return that database, opened."""
    async with Database.opened(database_url) as database:
        yield database


@pytest.fixture(scope="session")
async def acquirer_process(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[AcquirerProcess]:
    """Return an acquirer that runs."""
    async with running_acquirer(tmp_path_factory.mktemp("acquirer"), slow_seconds=1.5) as process:
        yield process


@pytest.fixture
async def book(acquirer_process: AcquirerProcess) -> AsyncGenerator[httpx.AsyncClient]:
    """Return a client of the acquirer, to read its book and to make it misbehave; faults end with the test."""
    async with httpx.AsyncClient(base_url=acquirer_process.url, timeout=10, trust_env=False) as client:
        yield client
        await client.delete("/v1/faults")


@pytest.fixture
async def acquirer(acquirer_process: AcquirerProcess) -> AsyncGenerator[HttpCardAcquirer]:
    """Return the adapter on it, less patient than in production so that the tests are quick."""
    async with httpx.AsyncClient(trust_env=False) as http:
        yield HttpCardAcquirer(http, url=acquirer_process.url, timeout_seconds=1)


@pytest.fixture
def activities(database: Database, acquirer: HttpCardAcquirer) -> ChargeActivities:
    """Return the activities on a real database and a real acquirer."""
    return ChargeActivities(SqlCharges(database), acquirer, fee_basis_points=1_000)
