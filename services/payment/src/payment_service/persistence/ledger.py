"""The ledger in the database: rows are added, and the database refuses everything else."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, insert, select
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
    row = (await connection.execute(select(LEDGER_TRANSACTIONS).where(_is(LEDGER_TRANSACTIONS.c, key)))).one_or_none()
    if row is None:
        return None
    postings = await connection.execute(
        select(LEDGER_POSTINGS).where(_is(LEDGER_POSTINGS.c, key)).order_by(LEDGER_POSTINGS.c.position)
    )
    return Transaction(
        tenant=key.tenant,
        operation_id=key.operation_id,
        kind=key.kind,
        postings=[
            Posting(
                account=posting.account,
                amount=Money(minor_units=posting.minor_units, currency=posting.currency, exponent=posting.exponent),
            )
            for posting in postings
        ],
        posted_at=row.posted_at,
        phase=Phase(row.phase),
        charge_id=row.charge_id,
        reverses=None
        if row.reverses_kind is None
        else TransactionKey(
            tenant=key.tenant,
            operation_id=row.reverses_operation_id,
            kind=TransactionKind(row.reverses_kind),
        ),
    )


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


def _is(columns: Any, key: TransactionKey) -> ColumnElement[bool]:
    return and_(columns.tenant == key.tenant, columns.operation_id == key.operation_id, columns.kind == key.kind)
