"""The whole ledger, read from its beginning to its end."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from payment_service.domain.ledger import Phase, Transaction
from payment_service.persistence.ledger import money_of, transaction_of, with_postings
from payment_service.persistence.tables import LEDGER_BALANCES, LEDGER_TRANSACTIONS
from platform_contracts.money import Money
from platform_runtime.database import Database

_PAGE = 1_000


class LedgerBook:
    """The ledger as it is at one moment, however long the reading takes."""

    def __init__(self, connection: AsyncConnection) -> None:
        """Read within a transaction of the database that sees one moment."""
        self._connection = connection

    @classmethod
    @asynccontextmanager
    async def opened(cls, database: Database) -> AsyncGenerator["LedgerBook"]:
        """Yield the book as it is now."""
        async with database.snapshot() as connection:
            yield cls(connection)

    async def days(self) -> tuple[date, date] | None:
        """Return the days of the first and of the last transaction, in UTC; None for an empty ledger."""
        column = LEDGER_TRANSACTIONS.c.posted_at
        first, last = (await self._connection.execute(select(func.min(column), func.max(column)))).one()
        return None if first is None else (first.date(), last.date())

    async def balances(self) -> Sequence[tuple[str, Phase, Money]]:
        """Return the debits minus the credits of every account that was ever posted to, as the projection has them."""
        table = LEDGER_BALANCES.c
        query = select(LEDGER_BALANCES).order_by(table.account, table.phase, table.currency)
        return [(row.account, Phase(row.phase), money_of(row)) for row in (await self._connection.execute(query)).all()]

    async def transactions(self) -> AsyncIterator[Transaction]:
        """Yield every transaction, the oldest first."""
        result = await self._connection.stream(with_postings().execution_options(yield_per=_PAGE))
        rows: list[Row[Any]] = []
        async for row in result:
            if rows and _key(rows[0]) != _key(row):
                yield transaction_of(rows)
                rows = []
            rows.append(row)
        if rows:
            yield transaction_of(rows)


def _key(row: Row[Any]) -> tuple[str, str, str]:
    return row.tenant, row.operation_id, row.kind
