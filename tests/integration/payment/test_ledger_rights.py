"""Where the tables have an owner of their own, the worker's role works on them and can only add to the ledger."""

from collections.abc import Generator
from dataclasses import dataclass
from uuid import uuid4

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import ProgrammingError

from payment_service.domain.charges import ChargeStatus
from payment_service.persistence.charges import SqlCharges
from payment_service.persistence.ledger_check import SqlLedgerCheck
from payment_service.tools import APPEND_ONLY
from platform_runtime.database import Database
from platform_runtime.migrations import migrate, schema_problem
from platform_runtime.rights import SameRoleError, grant_rights
from tests.integration.payment.samples import MIGRATIONS, NOW, captured, details
from tests.support.postgres import PostgresServer


@dataclass(frozen=True)
class Urls:
    owner: str
    worker: str


@pytest.fixture
def urls(postgres_server: PostgresServer, postgres_url: str) -> Generator[Urls]:
    """Return one database twice: for its owner, and for the worker with the rights that `prepare` grants."""
    role = f"worker_{uuid4().hex[:8]}"
    postgres_server.execute(f"CREATE ROLE {role} LOGIN")
    worker = make_url(postgres_url).set(username=role).render_as_string(hide_password=False)
    migrate(postgres_url, MIGRATIONS)
    grant_rights(postgres_url, worker_url=worker, append_only=APPEND_ONLY)
    yield Urls(owner=postgres_url, worker=worker)
    database = make_url(postgres_url).database
    postgres_server.execute(f"DROP DATABASE {database} WITH (FORCE)")
    postgres_server.execute(f"DROP ROLE {role}")
    postgres_server.execute(f"CREATE DATABASE {database}")


async def _capture(database: Database) -> None:
    charges = SqlCharges(database)
    charge, _ = await charges.begin(
        tenant="buyers", operation_id="p-1", details=details(1_500, 500), provider="acquirer", now=NOW
    )
    charge = await charges.move(charge, to=ChargeStatus.AUTHORISED, now=NOW)
    await charges.capture(charge, transaction=captured(charge))


async def test_worker_can_do_its_work(urls: Urls) -> None:
    async with Database.opened(urls.worker) as database:
        await _capture(database)

        found = await SqlCharges(database).find(tenant="buyers", operation_id="p-1")
        rebuilt = await SqlLedgerCheck(database).rebuild(now=NOW)
        differences = await SqlLedgerCheck(database).differences()

    assert rebuilt == 4  # clearing, fees and two sellers
    assert found is not None
    assert found.status is ChargeStatus.CAPTURED
    assert list(differences) == []
    assert schema_problem(urls.worker, MIGRATIONS) is None


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_postings SET minor_units = minor_units * 2",
        "UPDATE ledger_transactions SET charge_id = 'other'",
        "DELETE FROM ledger_postings",
        "DELETE FROM ledger_transactions",
        "TRUNCATE ledger_postings",
        "ALTER TABLE ledger_postings DISABLE TRIGGER USER",
        "DROP TABLE ledger_postings",
        "CREATE TABLE another (id integer)",
        "UPDATE alembic_version SET version_num = '9999'",
    ],
)
async def test_worker_has_no_right_to_change_the_ledger_or_a_table(urls: Urls, statement: str) -> None:
    async with Database.opened(urls.worker) as database:
        await _capture(database)

        with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"):
            async with database.write() as connection:
                await connection.execute(text(statement))


def test_granting_again_changes_nothing(urls: Urls) -> None:
    grant_rights(urls.owner, worker_url=urls.worker, append_only=APPEND_ONLY)

    assert schema_problem(urls.worker, MIGRATIONS) is None


def test_owner_that_is_the_worker_is_refused(urls: Urls) -> None:
    with pytest.raises(SameRoleError, match="two roles"):
        grant_rights(urls.owner, worker_url=urls.owner, append_only=APPEND_ONLY)
