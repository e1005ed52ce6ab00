"""Bring a service's database to the schema that its code needs."""

import logging
import sqlite3
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from platform_runtime.database import configure_sqlite, driver_url

_WRITE_AHEAD_WITHIN_SECONDS: Final = 10.0

_log = logging.getLogger(__name__)


def migrate(url: str, migrations: str) -> None:
    """Apply the Alembic revisions of a package that the database does not have yet.

    Safe to repeat and to run from several processes at once: the second waits for the first and finds nothing to do.
    """
    engine = _engine(url, begin="BEGIN IMMEDIATE")
    try:
        if engine.dialect.name == "sqlite":
            _write_ahead(engine)
        with engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                # The number only has to be the same in every process that migrates this database.
                connection.execute(text("SELECT pg_advisory_xact_lock(727274)"))
            configuration = _configuration(migrations)
            configuration.attributes["connection"] = connection
            before = _current_revision(connection)
            command.upgrade(configuration, "head")
            after = _current_revision(connection)
    finally:
        engine.dispose()
    if before != after:
        _log.info("database.migrated", extra={"from_revision": before, "to_revision": after})


def _write_ahead(engine: Engine) -> None:
    """Put the file into WAL mode, in which readers and a writer do not wait for each other; the file remembers it.

    For this one change SQLite does not wait until other processes let go of the file, so we do.
    """
    deadline = time.monotonic() + _WRITE_AHEAD_WITHIN_SECONDS
    while True:
        try:
            # On the bare connection: the mode cannot be changed inside a transaction.
            connection = engine.raw_connection()
            try:
                connection.cursor().execute("PRAGMA journal_mode=WAL")
            finally:
                connection.close()
        except (SQLAlchemyError, sqlite3.OperationalError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


def schema_problem(url: str, migrations: str) -> str | None:
    """Return why this code cannot work on the database as it is, or None.

    A schema newer than the code is no problem: migrations only add what older code can ignore, so that the code can be
    rolled back without the database.
    """
    script = ScriptDirectory.from_config(_configuration(migrations))
    needed = script.get_current_head()
    known = {revision.revision for revision in script.walk_revisions()}
    engine = _engine(url, begin="BEGIN")
    try:
        with engine.begin() as connection:
            current = _current_revision(connection)
    except (SQLAlchemyError, OSError) as error:
        return f"the database does not answer ({type(error).__name__})"
    finally:
        engine.dispose()
    if current is None:
        return "the database has no schema yet"
    if current in known and current != needed:
        return f"the database schema is {current}, this code needs {needed}"
    return None


def _current_revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _configuration(migrations: str) -> Config:
    configuration = Config()
    # Alembic would split the path of the revisions at spaces or colons; a line break is in no path of ours.
    configuration.set_main_option("path_separator", "newline")
    configuration.set_main_option("script_location", _escaped(Path(__file__).parent / "alembic_environment"))
    configuration.set_main_option("version_locations", _escaped(_directory(migrations)))
    return configuration


def _directory(package: str) -> Path:
    found = find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError(f"there is no package {package}")
    return Path(found.submodule_search_locations[0])


def _escaped(path: Path) -> str:
    # A percent sign would be taken for the start of a placeholder.
    return str(path).replace("%", "%%")


def _engine(url: str, *, begin: str) -> Engine:
    engine = create_engine(driver_url(url, is_async=False))
    if engine.dialect.name == "sqlite":
        configure_sqlite(engine, begin=begin)
    return engine
