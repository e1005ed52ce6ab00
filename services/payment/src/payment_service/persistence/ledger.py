"""The ledger in the database: rows are added, and the database refuses everything else."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from payment_service.domain.ledger import Transaction
from payment_service.persistence.tables import LEDGER_POSTINGS, LEDGER_TRANSACTIONS
from platform_contracts.money import Money
from platform_runtime.database import Database


class SqlLedger:
    """The port `Ledger` on SQLite and PostgreSQL."""

    def __init__(self, database: Database) -> None:
        """Read the ledger in the database."""
        self._database = database

    async def credit_balances(self, account: str, *, at: datetime) -> Sequence[Money]:
        """Return what has been credited to the account minus what was debited up to a moment, for each currency."""
        table = LEDGER_POSTINGS.c
        query = (
            select(table.currency, table.exponent, func.sum(table.minor_units).label("debit"))
            .where(table.account == account, table.posted_at <= at)
            .group_by(table.currency, table.exponent)
            .order_by(table.currency, table.exponent)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [
            # PostgreSQL sums whole numbers to a decimal one.
            Money(minor_units=-int(row.debit), currency=row.currency, exponent=row.exponent)
            for row in rows
        ]


async def post(connection: AsyncConnection, transaction: Transaction) -> None:
    """Add a transaction to the ledger, within the transaction of the database that its cause is written in.

    Raises:
        IntegrityError: when the same tenant, operation and kind was posted before.
    """
    key = {
        "tenant": transaction.tenant,
        "operation_id": transaction.operation_id,
        "kind": transaction.kind,
        "posted_at": transaction.posted_at,
    }
    await connection.execute(insert(LEDGER_TRANSACTIONS).values(**key))
    await connection.execute(
        insert(LEDGER_POSTINGS),
        [
            {
                **key,
                "position": position,
                "account": posting.account,
                "minor_units": posting.amount.minor_units,
                "currency": posting.amount.currency,
                "exponent": posting.amount.exponent,
            }
            for position, posting in enumerate(transaction.postings)
        ],
    )
