"""Charges in the database."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, select, update
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from payment_service.domain.charges import MAY_COME_FROM, ChargeDetails, ChargeStatus, Share, StoredCharge
from payment_service.domain.escalations import EscalationReason, escalation, escalation_id, subject_of
from payment_service.domain.ledger import Transaction
from payment_service.persistence.escalations import open_escalation, resolve_escalation
from payment_service.persistence.ledger import post
from payment_service.persistence.tables import CHARGES
from platform_contracts.identifiers import PLATFORM_TENANT
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
                    begun_at=now,
                )
                return new, True
            return await _stored(connection, tenant, operation_id), False

    async def find(self, *, tenant: str, operation_id: str) -> StoredCharge | None:
        """Return the charge; None when there is none."""
        async with self._database.read() as connection:
            row = (await connection.execute(select(CHARGES).where(is_charge(tenant, operation_id)))).one_or_none()
        return None if row is None else charge_of(row)

    async def refer(self, charge: StoredCharge, *, reference: str, now: datetime) -> StoredCharge:
        """Write down what the provider calls the charge, once; return it as it stands after that."""
        async with self._database.write() as connection:
            await connection.execute(
                update(CHARGES)
                .where(is_charge(charge.tenant, charge.operation_id), CHARGES.c.reference.is_(None))
                .values(reference=reference, changed_at=now)
            )
            return await _stored(connection, charge.tenant, charge.operation_id)

    async def move(self, charge: StoredCharge, *, to: ChargeStatus, now: datetime) -> StoredCharge:
        """Move the charge to a status if it may come from where it is now; return it as it stands after that."""
        async with self._database.write() as connection:
            await _move(connection, charge.tenant, charge.operation_id, to=to, now=now)
            if charge.status is ChargeStatus.UNKNOWN and to is not ChargeStatus.UNKNOWN:
                await _resolve(connection, charge, EscalationReason.CHARGE_UNRESOLVED, now=now)
            return await _stored(connection, charge.tenant, charge.operation_id)

    async def ask_capture(self, charge: StoredCharge, *, amount: Money, now: datetime) -> StoredCharge:
        """Write down how much of the charge is about to be captured, once; return it as it stands after that."""
        async with self._database.write() as connection:
            await connection.execute(
                update(CHARGES)
                .where(
                    is_charge(charge.tenant, charge.operation_id),
                    CHARGES.c.status == ChargeStatus.AUTHORISED,
                    CHARGES.c.capture_minor_units.is_(None),
                )
                .values(capture_minor_units=amount.minor_units, changed_at=now)
            )
            return await _stored(connection, charge.tenant, charge.operation_id)

    async def capture(self, charge: StoredCharge, *, transaction: Transaction) -> StoredCharge:
        """Move the charge to captured and post the transaction, both or neither; return it as it stands after that.

        It moves only if the amount that was to be captured is still the one that the charge given here has.
        """
        amount = charge.capture_amount
        async with self._database.write() as connection:
            has_moved = await _move(
                connection,
                charge.tenant,
                charge.operation_id,
                CHARGES.c.capture_minor_units.is_not_distinct_from(amount and amount.minor_units),
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
            stored = await _stored(connection, tenant, operation_id)
            for reason in (EscalationReason.CHARGE_UNRESOLVED, EscalationReason.VOID_REFUSED):
                await _resolve(connection, stored, reason, now=now)
            return stored

    async def escalate_unknown(self, charge: StoredCharge, *, now: datetime) -> None:
        """Have a person look at a charge of unknown outcome, if it still is one."""
        async with self._database.write() as connection:
            # An update, though it changes nothing: whoever resolves the charge comes before it or after it.
            is_unknown = await connection.execute(
                update(CHARGES)
                .where(is_charge(charge.tenant, charge.operation_id), CHARGES.c.status == ChargeStatus.UNKNOWN)
                .values(status=ChargeStatus.UNKNOWN)
            )
            if is_unknown.rowcount == 1:
                details = {} if charge.begun_at is None else {"begunAt": charge.begun_at.isoformat()}
                reason = EscalationReason.CHARGE_UNRESOLVED
                await _escalate(connection, reason, charge.tenant, charge.operation_id, details, now=now)

    async def escalate_void(self, *, tenant: str, operation_id: str, said: ChargeStatus, now: datetime) -> None:
        """Have a person look at a void that meets what is captured, in the provider's book or in ours."""
        async with self._database.write() as connection:
            details = {"providerSays": said.value}
            await _escalate(connection, EscalationReason.VOID_REFUSED, tenant, operation_id, details, now=now)

    async def settle_void(self, charge: StoredCharge, *, now: datetime) -> None:
        """Resolve what a person was told of a void: nobody is charged any more."""
        async with self._database.write() as connection:
            await _resolve(connection, charge, EscalationReason.VOID_REFUSED, now=now)


async def _escalate(
    connection: AsyncConnection,
    reason: EscalationReason,
    tenant: str,
    operation_id: str,
    details: Mapping[str, str],
    *,
    now: datetime,
) -> None:
    subject = subject_of("charge", tenant=tenant, name=operation_id)
    await open_escalation(connection, escalation(reason, tenant=tenant, subject=subject, now=now, details=details))


async def _resolve(
    connection: AsyncConnection, charge: StoredCharge, reason: EscalationReason, *, now: datetime
) -> None:
    await resolve_escalation(
        connection,
        escalation_id(reason, subject_of("charge", tenant=charge.tenant, name=charge.operation_id)),
        by=PLATFORM_TENANT,
        resolution="the provider has told what became of it",
        now=now,
    )


async def _move(
    connection: AsyncConnection,
    tenant: str,
    operation_id: str,
    *conditions: ColumnElement[bool],
    to: ChargeStatus,
    now: datetime,
) -> bool:
    """Move the row if it is where it may come from, and the conditions hold; say whether it was."""
    moved = await connection.execute(
        update(CHARGES)
        .where(is_charge(tenant, operation_id), CHARGES.c.status.in_(sorted(MAY_COME_FROM[to])), *conditions)
        .values(status=to, changed_at=now)
    )
    return moved.rowcount == 1


async def _stored(connection: AsyncConnection, tenant: str, operation_id: str) -> StoredCharge:
    return charge_of((await connection.execute(select(CHARGES).where(is_charge(tenant, operation_id)))).one())


def charge_of(row: Row[Any]) -> StoredCharge:
    """Return the charge that a row is."""
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
        reversed_minor_units=row.reversed_minor_units,
        begun_at=row.created_at,
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


def is_charge(tenant: str, operation_id: str) -> ColumnElement[bool]:
    """Return what holds for one charge's row."""
    return and_(CHARGES.c.tenant == tenant, CHARGES.c.operation_id == operation_id)
