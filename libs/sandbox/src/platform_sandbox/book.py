"""The acquirer's book in its database: which this process alone writes, one request after the other."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from platform_runtime.database import Database, driver_url
from platform_sandbox.tables import ANSWERS, METADATA


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What is being written: one transaction for what is done, its answer and the event that tells of it."""

    connection: AsyncConnection
    key: str
    """The idempotency key of the request; `clock` for what happens by itself."""
    now: datetime
    """Read while nobody else can write: later entries have later times, so who reads by time misses none."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the client is told."""

    http_status: int
    body: Mapping[str, Any]
    is_final: bool = True
    """Whether a repeat under the same key has to be answered the same for ever."""
    is_replayed: bool = False

    @property
    def is_refusal(self) -> bool:
        """Whether it is a problem."""
        return self.http_status >= HTTPStatus.BAD_REQUEST


class KeyReusedError(Exception):
    """The idempotency key was used for another request."""


def prepare_file(url: str) -> None:
    """Put the file of a book into WAL mode: who looks at the book and who writes it do not wait for each other.

    Nobody else may have it open; the file remembers the mode.
    """
    with closing(sqlite3.connect(driver_url(url, is_async=False).database or "")) as connection:
        connection.execute("PRAGMA journal_mode=WAL")


class Book:
    """The pages that operations and movements are written on."""

    def __init__(self, database: Database) -> None:
        """Keep the book in this database."""
        self._database = database
        self.changed = asyncio.Event()
        """Set when something was written; whoever waits for that clears it."""

    async def open(self) -> None:
        """Make the tables that are not there yet; a book of an earlier version keeps what is in it."""
        async with self._database.write() as connection:
            await connection.run_sync(METADATA.create_all)

    async def once(self, *, key: str, asked: str, do: Callable[[Entry], Awaitable[Answer]]) -> Answer:
        """Do what is asked and keep its answer, in one transaction; a repeat of the key does nothing.

        Args:
            key: the client's idempotency key.
            asked: the request, so that the key is known to come with another one.
            do: does it, and says what to answer.

        Raises:
            KeyReusedError: when the key came with another request before.
        """
        async with self.entry(key=key) as entry:
            found = (await entry.connection.execute(select(ANSWERS).where(ANSWERS.c.key == key))).one_or_none()
            if found is not None:
                if found.request != asked:
                    raise KeyReusedError
                return Answer(http_status=found.http_status, body=json.loads(found.body), is_replayed=True)
            answer = await do(entry)
            if answer.is_final:
                await entry.connection.execute(
                    insert(ANSWERS).values(
                        key=key, request=asked, http_status=int(answer.http_status), body=json.dumps(answer.body)
                    )
                )
        return answer

    @asynccontextmanager
    async def entry(self, *, key: str) -> AsyncGenerator[Entry]:
        """Yield what is to be written, all of it or nothing."""
        async with self.write() as connection:
            yield Entry(connection=connection, key=key, now=datetime.now(UTC))
        self.changed.set()

    def write(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Return a connection that writes what is no news to anybody."""
        return self._database.write()

    def read(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Return a connection that reads."""
        return self._database.read()
