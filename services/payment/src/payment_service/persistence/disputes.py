"""Disputes in the database."""

from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import insert, select, update
from sqlalchemy.engine import Row
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from payment_service.domain.charges import UnknownChargeError
from payment_service.domain.disputes import (
    DisputeEffect,
    DisputeNotCapturedError,
    DisputeNotice,
    DisputeStatus,
    StoredDispute,
    effect_of,
)
from payment_service.domain.escalations import EscalationReason, escalation, escalation_id, subject_of
from payment_service.domain.ledger import TransactionKey, TransactionKind, reversal
from payment_service.domain.reversals import captured_amount, reversal_transaction, take_back
from payment_service.persistence import ledger
from payment_service.persistence.escalations import open_escalation, resolve_escalation
from payment_service.persistence.refund_tables import DISPUTES
from payment_service.persistence.reversals import (
    ConcurrentReversalError,
    Reversible,
    as_stored,
    find_reversible,
    give_up,
    parts_of,
    reverse,
)
from platform_contracts.identifiers import PLATFORM_TENANT
from platform_contracts.money import Money
from platform_runtime.database import Database

_ATTEMPTS: Final = 20
"""How often a dispute is tried whose charge others take back as well; then Temporal tries again."""


class SqlDisputes:
    """The port `Disputes` on SQLite and PostgreSQL."""

    def __init__(self, database: Database) -> None:
        """Keep the disputes in the database."""
        self._database = database

    async def apply(self, notice: DisputeNotice, *, now: datetime) -> StoredDispute:
        """Apply what a provider says of a dispute, with its postings, in one transaction; return it as it stands.

        Raises:
            UnknownChargeError: when there is no such charge; a person hears of it.
            DisputeNotCapturedError: when it is not captured in our book; a person hears of it.
            ConcurrentReversalError: when others were faster again and again; nothing was written.
        """
        for _ in range(_ATTEMPTS - 1):
            try:
                return await self._apply(notice, now=now)
            except (ConcurrentReversalError, IntegrityError):
                # Somebody takes the charge back, or applies the same dispute, at the same time.
                continue
        return await self._apply(notice, now=now)

    async def find(self, *, tenant: str, dispute_id: str) -> StoredDispute | None:
        """Return the dispute; None when there is none."""
        async with self._database.read() as connection:
            return await _find(connection, tenant, dispute_id)

    async def _apply(self, notice: DisputeNotice, *, now: datetime) -> StoredDispute:
        nothing_taken: Exception | None = None
        async with self._database.write() as connection:
            known = await _find(connection, notice.tenant, notice.dispute_id)
            match effect_of(notice.status, known=None if known is None else known.status):
                case DisputeEffect.TAKE:
                    nothing_taken = await _take(connection, notice, now=now)
                case DisputeEffect.NOTE:
                    await _insert(connection, _of(notice, now=now))
                case DisputeEffect.GIVE_BACK | DisputeEffect.CLOSE if known is not None:
                    await _close(connection, known, to=notice.status, now=now)
                case DisputeEffect.CONTRADICTION:
                    await _escalate(connection, notice, EscalationReason.EVENT_CONTRADICTS, now=now)
                case _:
                    pass
            stored = await _find(connection, notice.tenant, notice.dispute_id)
        # Raised only now: what a person was told is to stay.
        if nothing_taken is not None:
            raise nothing_taken
        assert stored is not None, "it was just written, or there before"
        return stored


async def _take(connection: AsyncConnection, notice: DisputeNotice, *, now: datetime) -> Exception | None:
    """Post what the bank takes, as far as refunds have left it; return why there is nothing that it could take of."""
    if notice.status is DisputeStatus.OPENED:
        await _escalate(connection, notice, EscalationReason.DISPUTE_OPENED, now=now)
    found = await find_reversible(connection, tenant=notice.tenant, charge_id=notice.charge_id)
    if not isinstance(found, Reversible):
        await _escalate(connection, notice, EscalationReason.MISMATCHED, now=now, taken=0)
        if found is None:
            return UnknownChargeError(notice.charge_id)
        return DisputeNotCapturedError(notice.dispute_id)
    whole = captured_amount(found.charge)
    in_its_currency = (notice.amount.currency, notice.amount.exponent) == (whole.currency, whole.exponent)
    units = min(notice.amount.minor_units, found.left.minor_units) if in_its_currency else 0
    parts = take_back(found.left, units) if units else ()
    if parts:
        await reverse(connection, found, units, now=now)
        await ledger.post(
            connection,
            reversal_transaction(
                found.charge, parts, operation_id=notice.dispute_id, kind=TransactionKind.DISPUTE, now=now
            ),
        )
    if units < notice.amount.minor_units:
        await _escalate(connection, notice, EscalationReason.MISMATCHED, now=now, taken=units)
    else:
        await _resolve(connection, notice.tenant, notice.dispute_id, EscalationReason.MISMATCHED, "posted", now=now)
    await _insert(connection, replace(_of(notice, now=now), parts=parts))
    return None


async def _close(connection: AsyncConnection, dispute: StoredDispute, *, to: DisputeStatus, now: datetime) -> None:
    """Move an open dispute to its end; what a lost one took stays taken."""
    moved = await connection.execute(
        update(DISPUTES)
        .where(
            DISPUTES.c.tenant == dispute.tenant,
            DISPUTES.c.dispute_id == dispute.dispute_id,
            DISPUTES.c.status == DisputeStatus.OPENED,
        )
        .values(status=to, changed_at=now)
    )
    if moved.rowcount != 1:
        raise ConcurrentReversalError(dispute.charge_id)
    if to is DisputeStatus.WON and dispute.parts:
        key = TransactionKey(tenant=dispute.tenant, operation_id=dispute.dispute_id, kind=TransactionKind.DISPUTE)
        taken = await ledger.find(connection, key)
        assert taken is not None, "a dispute is written and posted in one transaction"
        await give_up(
            connection,
            tenant=dispute.tenant,
            charge_id=dispute.charge_id,
            minor_units=sum(part.minor_units for part in dispute.parts),
            now=now,
        )
        given_back = reversal(taken, operation_id=dispute.dispute_id, kind=TransactionKind.DISPUTE_WON, now=now)
        await ledger.post(connection, given_back)
    await _resolve(connection, dispute.tenant, dispute.dispute_id, EscalationReason.DISPUTE_OPENED, to, now=now)


async def _escalate(
    connection: AsyncConnection,
    notice: DisputeNotice,
    reason: EscalationReason,
    *,
    now: datetime,
    taken: int | None = None,
) -> None:
    details = {
        "charge": notice.charge_id,
        "told": str(notice.status),
        "minorUnits": str(notice.amount.minor_units),
        "currency": notice.amount.currency,
    }
    if taken is not None:
        details["posted"] = str(taken)
    subject = subject_of("dispute", tenant=notice.tenant, name=notice.dispute_id)
    await open_escalation(
        connection, escalation(reason, tenant=notice.tenant, subject=subject, now=now, details=details)
    )


async def _resolve(
    connection: AsyncConnection,
    tenant: str,
    dispute_id: str,
    reason: EscalationReason,
    resolution: str,
    *,
    now: datetime,
) -> None:
    await resolve_escalation(
        connection,
        escalation_id(reason, subject_of("dispute", tenant=tenant, name=dispute_id)),
        by=PLATFORM_TENANT,
        resolution=resolution,
        now=now,
    )


def _of(notice: DisputeNotice, *, now: datetime) -> StoredDispute:
    return StoredDispute(
        tenant=notice.tenant,
        dispute_id=notice.dispute_id,
        charge_id=notice.charge_id,
        status=notice.status,
        amount=notice.amount,
        opened_at=now,
    )


async def _insert(connection: AsyncConnection, dispute: StoredDispute) -> None:
    await connection.execute(
        insert(DISPUTES).values(
            tenant=dispute.tenant,
            dispute_id=dispute.dispute_id,
            charge_id=dispute.charge_id,
            status=dispute.status,
            minor_units=dispute.amount.minor_units,
            currency=dispute.amount.currency,
            exponent=dispute.amount.exponent,
            parts=as_stored(dispute.parts),
            opened_at=dispute.opened_at,
            changed_at=dispute.opened_at,
        )
    )


async def _find(connection: AsyncConnection, tenant: str, dispute_id: str) -> StoredDispute | None:
    query = select(DISPUTES).where(DISPUTES.c.tenant == tenant, DISPUTES.c.dispute_id == dispute_id)
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else _dispute(row)


def _dispute(row: Row[Any]) -> StoredDispute:
    return StoredDispute(
        tenant=row.tenant,
        dispute_id=row.dispute_id,
        charge_id=row.charge_id,
        status=DisputeStatus(row.status),
        amount=Money(minor_units=row.minor_units, currency=row.currency, exponent=row.exponent),
        parts=parts_of(row.parts),
        opened_at=row.opened_at,
    )
