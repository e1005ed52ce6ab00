"""A service's database: SQLite in a file, or PostgreSQL, by its URL."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Self

from sqlalchemy import DateTime, Dialect, String, Table, event, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.types import TypeDecorator, TypeEngine

_BUSY_TIMEOUT_MILLISECONDS: Final = 8_000
"""How long a writer waits for other processes on the same file; below an activity's 10 s, so that it is told why."""

NAMING_CONVENTION: Final = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(referred_table_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
}
"""SQLite can change a constraint only by its name, so each has one. Migrations are full of these names: they stay."""


def default_database_url(partner_home: Path, service: str) -> str:
    """Return the SQLite file of a service that has no database URL."""
    return f"sqlite:///{partner_home / 'data' / f'{service}.sqlite3'}"


def driver_url(url: str, *, is_async: bool) -> URL:
    """Return the URL with the driver we use; the folder of a SQLite file is made."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        Path(parsed.database or "").parent.mkdir(parents=True, exist_ok=True)
        return parsed.set(drivername="sqlite+aiosqlite" if is_async else "sqlite")
    return parsed.set(drivername="postgresql+psycopg")


def ordered_text(length: int) -> TypeEngine[str]:
    """Return the type of a text that both databases order by its bytes, as Python does, so that pages are the same.

    In the order of a language, where PostgreSQL overlooks hyphens, a walk from tenant to tenant could leave some out.
    """
    return String(length).with_variant(String(length, collation="C"), "postgresql")


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, stored in UTC and read back with its zone; SQLite itself would forget the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store the moment in UTC.

        Raises:
            ValueError: for a time without a zone, which names no moment.
        """
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Return the moment in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Database:
    """Transactions on one database.

    What a failed statement was given is not in its error, which goes into logs and histories; it may be personal.

    A write is one transaction that takes the write lock at once on SQLite (BEGIN IMMEDIATE), so it never fails half way
    for want of it. Reads are read-only transactions.
    """

    def __init__(self, url: str) -> None:
        """Prepare to connect; nothing is opened yet. Call `dispose` at the end, or use `opened`."""
        address = driver_url(url, is_async=True)
        if address.get_backend_name() == "sqlite":
            # One writer at a time is all that SQLite has; the pool queues the writers of this process in order.
            self._writer = _sqlite_engine(address, begin="BEGIN IMMEDIATE", read_only=False, pool_size=1)
            self._reader = _sqlite_engine(address, begin="BEGIN", read_only=True, pool_size=5)
        else:
            self._writer = create_async_engine(
                address, pool_size=10, max_overflow=10, pool_pre_ping=True, hide_parameters=True
            )
            self._reader = create_async_engine(
                address,
                pool_size=5,
                pool_pre_ping=True,
                hide_parameters=True,
                execution_options={"postgresql_readonly": True},
            )

    @classmethod
    @asynccontextmanager
    async def opened(cls, url: str) -> AsyncGenerator[Self]:
        """Yield the database, and close its connections at the end."""
        database = cls(url)
        try:
            yield database
        finally:
            await database.dispose()

    async def dispose(self) -> None:
        """Close every connection."""
        await self._writer.dispose()
        await self._reader.dispose()

    @asynccontextmanager
    async def write(self) -> AsyncGenerator[AsyncConnection]:
        """Yield a connection in a transaction that commits at the end of the block, or rolls back when it raises."""
        async with self._writer.begin() as connection:
            yield connection

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[AsyncConnection]:
        """Yield a connection in a read-only transaction."""
        async with self._reader.begin() as connection:
            yield connection

    @asynccontextmanager
    async def snapshot(self) -> AsyncGenerator[AsyncConnection]:
        """Yield a connection in a read-only transaction whose every statement sees the database at one moment."""
        async with self._reader.connect() as connection:
            if connection.dialect.name == "postgresql":
                # What SQLite does of itself.
                await connection.execution_options(isolation_level="REPEATABLE READ")
            async with connection.begin():
                yield connection

    async def problem(self) -> str | None:
        """Return why the database cannot be used now, or None when it answers."""
        try:
            async with self.read() as connection:
                await connection.execute(text("SELECT 1"))
        except (SQLAlchemyError, OSError) as error:
            return f"the database does not answer: {type(error).__name__}"
        return None


def upsert(connection: AsyncConnection, table: Table) -> "sqlite.Insert | postgresql.Insert":
    """Return an insert that knows `on_conflict_do_nothing` and `on_conflict_do_update`, which both databases have."""
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)


def _sqlite_engine(address: URL, *, begin: str, read_only: bool, pool_size: int) -> AsyncEngine:
    engine = create_async_engine(address, pool_size=pool_size, max_overflow=0, pool_timeout=30, hide_parameters=True)
    configure_sqlite(engine.sync_engine, begin=begin, read_only=read_only)
    return engine


def configure_sqlite(engine: Any, *, begin: str, read_only: bool = False) -> None:
    """Let a SQLite engine work beside other processes on the same file: a patient lock, and an explicit BEGIN.

    The file itself is in WAL mode since it was migrated.
    """

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: object) -> None:
        # The driver's own BEGIN would come too late, before the first write instead of at the start.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={_BUSY_TIMEOUT_MILLISECONDS}")
        cursor.execute("PRAGMA foreign_keys=ON")
        # A commit that Temporal has been told of must survive a power cut, so it waits for the disk.
        cursor.execute("PRAGMA synchronous=FULL")
        if read_only:
            cursor.execute("PRAGMA query_only=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def on_begin(connection: Any) -> None:
        connection.exec_driver_sql(begin)
