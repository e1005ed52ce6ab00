from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from analytics_service.persistence.tables import METADATA
from platform_runtime.database import Database
from platform_runtime.migrations import migrate, schema_problem
from tests.integration.analytics.samples import MIGRATIONS


async def test_migrations_make_the_tables_that_the_code_uses(database: Database) -> None:
    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), METADATA))

    async with database.read() as connection:
        found = await connection.run_sync(differences)

    assert found == []


def test_migrating_again_changes_nothing(database_url: str) -> None:
    migrate(database_url, MIGRATIONS)

    assert schema_problem(database_url, MIGRATIONS) is None
