"""The schema is what the code expects, on both databases, and refuses what no code of ours may ever do."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, update
from sqlalchemy.exc import IntegrityError

from listing_service.persistence.tables import LISTINGS, METADATA
from platform_runtime.database import Database
from platform_runtime.migrations import migrate, schema_problem
from tests.integration.listing.samples import MIGRATIONS, Market


async def test_migrations_make_the_tables_that_the_code_uses(database: Database) -> None:
    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), METADATA))

    async with database.read() as connection:
        found = await connection.run_sync(differences)

    assert found == []


def test_migrating_again_changes_nothing(database_url: str) -> None:
    migrate(database_url, MIGRATIONS)

    assert schema_problem(database_url, MIGRATIONS) is None


@pytest.mark.parametrize(
    "change",
    [{"available": -1, "held": 4}, {"held": 1}, {"sold": 1}, {"available": 2}],
    ids=["below zero", "held twice", "sold twice", "lost"],
)
async def test_database_refuses_a_unit_that_is_nowhere_or_twice(market: Market, change: dict[str, int]) -> None:
    await market.publish()

    with pytest.raises(IntegrityError):
        async with market.database.write() as connection:
            await connection.execute(update(LISTINGS).values(**change))

    assert await market.stock() == (3, 0, 0)
