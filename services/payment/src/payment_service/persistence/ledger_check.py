"""Is the ledger what it has to be: does it sum to zero, and are the balances what the postings sum up to."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Table, delete, func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from payment_service.domain.ledger import LedgerDifference
from payment_service.persistence.tables import LEDGER_BALANCES, LEDGER_POSTINGS
from platform_runtime.database import Database

_BALANCE_OF = ("account", "phase", "currency", "exponent")


class SqlLedgerCheck:
    """The port `LedgerCheck` on SQLite and PostgreSQL."""

    def __init__(self, database: Database) -> None:
        """Check the ledger in the database."""
        self._database = database

    async def differences(self) -> Sequence[LedgerDifference]:
        """Return what is wrong: transactions and currencies that do not sum to zero, balances that are not the sum."""
        async with self._database.snapshot() as connection:
            posted = await _sums(connection, LEDGER_POSTINGS, _BALANCE_OF)
            projected = await _sums(connection, LEDGER_BALANCES, _BALANCE_OF)
            return [
                *await _unbalanced(connection, "transaction", "tenant", "operation_id", "kind", "currency", "exponent"),
                *await _unbalanced(connection, "currency", "phase", "currency", "exponent"),
                *(
                    _difference("balance", key, expected=posted.get(key, 0), found=projected.get(key, 0))
                    for key in sorted(posted.keys() | projected.keys())
                    if posted.get(key, 0) != projected.get(key, 0)
                ),
            ]

    async def rebuild(self, *, now: datetime) -> int:
        """Make the balances anew from the postings and return how many there are.

        Whoever posts meanwhile waits until it is done. A repeat makes the same.
        """
        async with self._database.write() as connection:
            if connection.dialect.name == "postgresql":
                # Who has moved a balance is waited for, who is about to waits: it adds to what is made here, and its
                # postings, not committed yet, are not in the sums.
                await connection.execute(text("LOCK TABLE ledger_balances IN SHARE ROW EXCLUSIVE MODE"))
            await connection.execute(delete(LEDGER_BALANCES))
            sums = await _sums(connection, LEDGER_POSTINGS, _BALANCE_OF)
            rows = [
                {**dict(zip(_BALANCE_OF, key, strict=True)), "minor_units": minor_units, "changed_at": now}
                for key, minor_units in sums.items()
            ]
            if rows:
                await connection.execute(insert(LEDGER_BALANCES), rows)
            return len(rows)


async def _unbalanced(connection: AsyncConnection, what: str, *names: str) -> Sequence[LedgerDifference]:
    sums = await _sums(connection, LEDGER_POSTINGS, names)
    return [_difference(what, key, expected=0, found=total) for key, total in sorted(sums.items()) if total != 0]


async def _sums(connection: AsyncConnection, table: Table, names: Sequence[str]) -> Mapping[tuple[str | int, ...], int]:
    columns = [table.c[name] for name in names]
    query = select(*columns, func.sum(table.c.minor_units)).group_by(*columns)
    # PostgreSQL sums whole numbers to a decimal one.
    return {tuple(row[:-1]): int(row[-1]) for row in (await connection.execute(query)).all()}


def _difference(what: str, key: Sequence[Any], *, expected: int, found: int) -> LedgerDifference:
    return LedgerDifference(what=what, name=" ".join(map(str, key)), expected=expected, found=found)
