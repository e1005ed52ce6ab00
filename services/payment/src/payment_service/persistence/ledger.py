"""The ledger in the database: rows are added, and the database refuses everything else."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, func, insert, select
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from payment_service.domain.ledger import Phase, Posting, Transaction, TransactionKey, TransactionKind
from payment_service.persistence.tables import LEDGER_BALANCES, LEDGER_POSTINGS, LEDGER_TRANSACTIONS
from platform_contracts.money import Money
from platform_runtime.database import Database, upsert


class SqlLedger:
    """The port `Ledger` on SQLite and PostgreSQL."""

    def __init__(self, database: Database) -> None:
        """Read the ledger in the database."""
        self._database = database

    async def credit_balances(
        self, account: str, *, at: datetime | None = None, phases: Sequence[Phase] = (Phase.POSTED,)
    ) -> Sequence[Money]:
        """Return what was credited to the account minus what was debited, for each currency; now, or up to a moment.

        Now is read from the projection, a moment of the past from the postings themselves.
        """
        async with self._database.read() as connection:
            return await credit_balances(connection, account, at=at, phases=phases)

    async def find(self, key: TransactionKey) -> Transaction | None:
        """Return a transaction as it was posted; None when there is none."""
        async with self._database.read() as connection:
            return await find(connection, key)


async def credit_balances(
    connection: AsyncConnection,
    account: str,
    *,
    at: datetime | None = None,
    phases: Sequence[Phase] = (Phase.POSTED,),
) -> Sequence[Money]:
    """Return the balances of an account, within a transaction of the database."""
    table = LEDGER_BALANCES.c if at is None else LEDGER_POSTINGS.c
    query = (
        select(table.currency, table.exponent, func.sum(table.minor_units).label("debit"))
        .where(table.account == account, table.phase.in_(sorted(phases)))
        .group_by(table.currency, table.exponent)
        .order_by(table.currency, table.exponent)
    )
    if at is not None:
        query = query.where(LEDGER_POSTINGS.c.posted_at <= at)
    return [
        # PostgreSQL sums whole numbers to a decimal one.
        Money(minor_units=-int(row.debit), currency=row.currency, exponent=row.exponent)
        for row in (await connection.execute(query)).all()
    ]


async def find(connection: AsyncConnection, key: TransactionKey) -> Transaction | None:
    """Return a transaction as it was posted, within a transaction of the database; None when there is none."""
    query = with_postings().where(
        LEDGER_TRANSACTIONS.c.tenant == key.tenant,
        LEDGER_TRANSACTIONS.c.operation_id == key.operation_id,
        LEDGER_TRANSACTIONS.c.kind == key.kind,
    )
    rows = (await connection.execute(query)).all()
    return transaction_of(rows) if rows else None


def with_postings() -> Select[Any]:
    """Return the query for transactions with their postings, a row for each posting; the oldest first."""
    of, posting = LEDGER_TRANSACTIONS.c, LEDGER_POSTINGS.c
    same = and_(of.tenant == posting.tenant, of.operation_id == posting.operation_id, of.kind == posting.kind)
    return (
        select(*of, posting.account, posting.minor_units, posting.currency, posting.exponent)
        .join(LEDGER_POSTINGS, same)
        .order_by(of.posted_at, of.tenant, of.operation_id, of.kind, posting.position)
    )


def transaction_of(rows: Sequence[Row[Any]]) -> Transaction:
    """Return the transaction whose rows these are."""
    row = rows[0]
    return Transaction(
        tenant=row.tenant,
        operation_id=row.operation_id,
        kind=TransactionKind(row.kind),
        postings=[Posting(account=each.account, amount=money_of(each)) for each in rows],
        posted_at=row.posted_at,
        phase=Phase(row.phase),
        charge_id=row.charge_id,
        reverses=None
        if row.reverses_kind is None
        else TransactionKey(
            tenant=row.tenant, operation_id=row.reverses_operation_id, kind=TransactionKind(row.reverses_kind)
        ),
    )


def money_of(row: Row[Any]) -> Money:
    """Return the amount of a posting or of a balance."""
    return Money(minor_units=row.minor_units, currency=row.currency, exponent=row.exponent)


async def post(connection: AsyncConnection, transaction: Transaction) -> None:
    """Add a transaction to the ledger, within the transaction of the database that its cause is written in.

    Raises:
        IntegrityError: when the same tenant, operation and kind was posted before, or what it reverses was reversed.
    """
    key = {
        "tenant": transaction.tenant,
        "operation_id": transaction.operation_id,
        "kind": transaction.kind,
        "posted_at": transaction.posted_at,
        "phase": transaction.phase,
    }
    reverses = transaction.reverses
    await connection.execute(
        insert(LEDGER_TRANSACTIONS).values(
            **key,
            charge_id=transaction.charge_id,
            reverses_operation_id=reverses and reverses.operation_id,
            reverses_kind=reverses and reverses.kind,
        )
    )
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
    await _project(connection, transaction)


async def _project(connection: AsyncConnection, transaction: Transaction) -> None:
    """Move the balances by a transaction; in one order everywhere, so that no two wait for each other."""
    sums: dict[tuple[str, str, int], int] = {}
    for posting in transaction.postings:
        of = posting.account, posting.amount.currency, posting.amount.exponent
        sums[of] = sums.get(of, 0) + posting.amount.minor_units
    table = LEDGER_BALANCES.c
    for (account, currency, exponent), minor_units in sorted(sums.items()):
        row = upsert(connection, LEDGER_BALANCES).values(
            account=account,
            phase=transaction.phase,
            currency=currency,
            exponent=exponent,
            minor_units=minor_units,
            changed_at=transaction.posted_at,
        )
        await connection.execute(
            row.on_conflict_do_update(
                index_elements=[table.account, table.phase, table.currency, table.exponent],
                set_={
                    "minor_units": table.minor_units + row.excluded.minor_units,
                    "changed_at": row.excluded.changed_at,
                },
            )
        )
