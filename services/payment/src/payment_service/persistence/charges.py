"""Charges in the database."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, select, update
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from payment_service.domain.charges import MAY_COME_FROM, ChargeDetails, ChargeStatus, Share, StoredCharge
from payment_service.domain.ledger import Transaction
from payment_service.persistence.ledger import post
from payment_service.persistence.tables import CHARGES
from platform_contracts.money import Money
from platform_runtime.database import Database, upsert


class SqlCharges:
    """The port `Charges` on SQLite and PostgreSQL."""

    def __init__(self, database: Database) -> None:
        """Keep the charges in the database."""
        self._database = database

    async def begin(
        self, *, tenant: str, operation_id: str, details: ChargeDetails, provider: str, now: datetime
    ) -> tuple[StoredCharge, bool]:
        """Write down that the charge is about to be sent, unless there is one; return it, and whether it is new."""
        async with self._database.write() as connection:
            written = await connection.execute(
                upsert(connection, CHARGES)
                .values(
                    tenant=tenant,
                    operation_id=operation_id,
                    status=ChargeStatus.AUTHORISING,
                    payment_token=details.payment_token,
                    minor_units=details.amount.minor_units,
                    currency=details.amount.currency,
                    exponent=details.amount.exponent,
                    shares=[[share.seller, share.amount.minor_units] for share in details.shares],
                    provider=provider,
                    created_at=now,
                    changed_at=now,
                )
                .on_conflict_do_nothing()
                .returning(CHARGES.c.operation_id)
            )
            if written.one_or_none() is not None:
                new = StoredCharge(
                    tenant=tenant,
                    operation_id=operation_id,
                    status=ChargeStatus.AUTHORISING,
                    details=details,
                    provider=provider,
                )
                return new, True
            return await _stored(connection, tenant, operation_id), False

    async def find(self, *, tenant: str, operation_id: str) -> StoredCharge | None:
        """Return the charge; None when there is none."""
        async with self._database.read() as connection:
            row = (await connection.execute(select(CHARGES).where(_is(tenant, operation_id)))).one_or_none()
        return None if row is None else _charge(row)

    async def refer(self, charge: StoredCharge, *, reference: str, now: datetime) -> StoredCharge:
        """Write down what the provider calls the charge, once; return it as it stands after that."""
        async with self._database.write() as connection:
            await connection.execute(
                update(CHARGES)
                .where(_is(charge.tenant, charge.operation_id), CHARGES.c.reference.is_(None))
                .values(reference=reference, changed_at=now)
            )
            return await _stored(connection, charge.tenant, charge.operation_id)

    async def move(self, charge: StoredCharge, *, to: ChargeStatus, now: datetime) -> StoredCharge:
        """Move the charge to a status if it may come from where it is now; return it as it stands after that."""
        async with self._database.write() as connection:
            await _move(connection, charge.tenant, charge.operation_id, to=to, now=now)
            return await _stored(connection, charge.tenant, charge.operation_id)

    async def capture(self, charge: StoredCharge, *, transaction: Transaction) -> StoredCharge:
        """Move the charge to captured and post the transaction, both or neither; return it as it stands after that."""
        async with self._database.write() as connection:
            has_moved = await _move(
                connection,
                charge.tenant,
                charge.operation_id,
                to=ChargeStatus.CAPTURED,
                now=transaction.posted_at,
            )
            if has_moved:
                await post(connection, transaction)
            return await _stored(connection, charge.tenant, charge.operation_id)

    async def void(self, *, tenant: str, operation_id: str, now: datetime) -> StoredCharge:
        """Move the charge to voided if it may; where there is none, leave a voided one for whoever comes late."""
        async with self._database.write() as connection:
            await connection.execute(
                upsert(connection, CHARGES)
                .values(
                    tenant=tenant,
                    operation_id=operation_id,
                    status=ChargeStatus.VOIDED,
                    created_at=now,
                    changed_at=now,
                )
                .on_conflict_do_nothing()
            )
            await _move(connection, tenant, operation_id, to=ChargeStatus.VOIDED, now=now)
            return await _stored(connection, tenant, operation_id)


async def _move(
    connection: AsyncConnection, tenant: str, operation_id: str, *, to: ChargeStatus, now: datetime
) -> bool:
    """Move the row if it is where it may come from; say whether it was."""
    moved = await connection.execute(
        update(CHARGES)
        .where(_is(tenant, operation_id), CHARGES.c.status.in_(sorted(MAY_COME_FROM[to])))
        .values(status=to, changed_at=now)
    )
    return moved.rowcount == 1


async def _stored(connection: AsyncConnection, tenant: str, operation_id: str) -> StoredCharge:
    return _charge((await connection.execute(select(CHARGES).where(_is(tenant, operation_id)))).one())


def _charge(row: Row[Any]) -> StoredCharge:
    details = None if row.payment_token is None else _details(row)
    return StoredCharge(
        tenant=row.tenant,
        operation_id=row.operation_id,
        status=ChargeStatus(row.status),
        details=details,
        provider=row.provider,
        reference=row.reference,
        capture_amount=None
        if details is None or row.capture_minor_units is None
        else details.amount.model_copy(update={"minor_units": row.capture_minor_units}),
    )


def _details(row: Row[Any]) -> ChargeDetails:
    amount = Money(minor_units=row.minor_units, currency=row.currency, exponent=row.exponent)
    return ChargeDetails(
        payment_token=row.payment_token,
        amount=amount,
        shares=tuple(
            Share(seller=seller, amount=amount.model_copy(update={"minor_units": minor_units}))
            for seller, minor_units in row.shares
        ),
    )


def _is(tenant: str, operation_id: str) -> ColumnElement[bool]:
    return and_(CHARGES.c.tenant == tenant, CHARGES.c.operation_id == operation_id)
