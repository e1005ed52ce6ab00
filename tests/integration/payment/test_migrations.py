"""The schema is what the code expects, on both databases, and the ledger is only added to."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from payment_service.domain.charges import ChargeStatus
from payment_service.persistence import payout_tables, provider_event_tables
from payment_service.persistence.charges import SqlCharges
from payment_service.persistence.reconciliation_tables import RECONCILIATION_FINDINGS, RECONCILIATIONS
from payment_service.persistence.refund_tables import DISPUTES, REFUNDS
from payment_service.persistence.tables import METADATA
from platform_runtime.database import Database
from platform_runtime.migrations import migrate, schema_problem
from tests.integration.payment.samples import MIGRATIONS, NOW, captured, details

TABLES_OF_ITS_OWN = (payout_tables.PAYOUTS, payout_tables.PAYOUT_PLANS, provider_event_tables.PROVIDER_EVENTS)
"""Of modules that no other of these tests imports: they have to be known to be compared."""


async def _capture(database: Database) -> None:
    charges = SqlCharges(database)
    charge, _ = await charges.begin(
        tenant="buyers", operation_id="p-1", details=details(1_500, 500), provider="acquirer", now=NOW
    )
    charge = await charges.move(charge, to=ChargeStatus.AUTHORISED, now=NOW)
    await charges.capture(charge, transaction=captured(charge))


async def test_migrations_make_the_tables_that_the_code_uses(database: Database) -> None:
    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), METADATA))

    async with database.read() as connection:
        found = await connection.run_sync(differences)

    assert all(METADATA.tables[table.name] is table for table in TABLES_OF_ITS_OWN)
    assert found == []
    assert {
        REFUNDS.name,
        DISPUTES.name,
        RECONCILIATIONS.name,
        RECONCILIATION_FINDINGS.name,
    } <= METADATA.tables.keys(), "a module of tables is not imported"


def test_migrating_again_changes_nothing(database_url: str) -> None:
    migrate(database_url, MIGRATIONS)

    assert schema_problem(database_url, MIGRATIONS) is None


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_postings SET minor_units = minor_units * 2",
        "UPDATE ledger_transactions SET kind = 'other'",
        "DELETE FROM ledger_postings",
        "DELETE FROM ledger_transactions",
    ],
)
async def test_ledger_refuses_to_be_changed(database: Database, statement: str) -> None:
    await _capture(database)

    with pytest.raises(DBAPIError, match="append only"):
        async with database.write() as connection:
            await connection.execute(text(statement))

    async with database.read() as connection:
        left = (await connection.execute(text("SELECT count(*), sum(minor_units) FROM ledger_postings"))).one()
    assert tuple(map(int, left)) == (4, 0)


@pytest.mark.parametrize("table", ["ledger_postings", "ledger_transactions"])
async def test_ledger_on_postgresql_refuses_to_be_emptied(postgres_url: str, table: str) -> None:
    migrate(postgres_url, MIGRATIONS)
    async with Database.opened(postgres_url) as database:
        await _capture(database)

        with pytest.raises(DBAPIError, match="append only"):
            async with database.write() as connection:
                await connection.execute(text(f"TRUNCATE {table} CASCADE"))


@pytest.mark.parametrize(
    "values",
    ["status = 'paid'", "minor_units = 0", "payment_token = NULL", "shares = NULL"],
)
async def test_charge_that_cannot_be_is_refused(database: Database, values: str) -> None:
    await _capture(database)

    with pytest.raises(DBAPIError):
        async with database.write() as connection:
            await connection.execute(text(f"UPDATE charges SET {values}"))
