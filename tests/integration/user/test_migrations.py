"""The schema is what the code expects, on both databases, however often and by however many it is made."""

import asyncio
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from platform_runtime.database import Database
from platform_runtime.migrations import migrate, schema_problem
from tests.integration.user.samples import MIGRATIONS
from user_service.persistence.tables import METADATA

WAIT_SECONDS = 50


async def test_migrations_make_the_tables_that_the_code_uses(database: Database) -> None:
    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), METADATA))

    async with database.read() as connection:
        found = await connection.run_sync(differences)

    assert found == []


def test_database_without_a_schema_is_noticed_and_prepared(empty_database_url: str) -> None:
    before = schema_problem(empty_database_url, MIGRATIONS)
    migrate(empty_database_url, MIGRATIONS)
    after = schema_problem(empty_database_url, MIGRATIONS)

    assert before == "the database has no schema yet"
    assert after is None


def test_migrating_again_changes_nothing(database_url: str) -> None:
    migrate(database_url, MIGRATIONS)

    assert schema_problem(database_url, MIGRATIONS) is None


async def test_several_processes_migrate_one_database_at_once(empty_database_url: str) -> None:
    program = "import sys; from platform_runtime.migrations import migrate; migrate(*sys.argv[1:])"
    command = (sys.executable, "-c", program, empty_database_url, MIGRATIONS)

    processes = [await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE) for _ in range(3)]
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            errors = [(await process.communicate())[1].decode() for process in processes]
    finally:
        for process in processes:
            if process.returncode is None:
                process.kill()

    assert [process.returncode for process in processes] == [0, 0, 0], errors
    assert schema_problem(empty_database_url, MIGRATIONS) is None


@pytest.mark.parametrize("folder", ["with space", "100%s", "a;b,c", "plain"])
def test_data_and_code_may_be_in_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str) -> None:
    package = tmp_path / folder / f"shop_{abs(hash(folder))}"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "v0001_first.py").write_text(
        'from alembic import op\nrevision = "0001"\ndown_revision = None\n'
        'def upgrade() -> None:\n    op.execute("CREATE TABLE things (id INTEGER)")\n'
    )
    monkeypatch.setattr(sys, "path", [str(package.parent), *sys.path])
    url = f"sqlite:///{package.parent}/shop.sqlite3"

    migrate(url, package.name)

    assert schema_problem(url, package.name) is None
    assert (package.parent / "shop.sqlite3").exists()
