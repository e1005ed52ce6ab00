"""Escalations in the database."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, literal, select, tuple_, update
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from payment_service.domain.escalations import Escalation, EscalationPosition, EscalationReason
from payment_service.persistence.tables import ESCALATIONS
from platform_runtime.database import Database, UtcDateTime, upsert


class SqlEscalations:
    """The port `Escalations` on SQLite and PostgreSQL."""

    def __init__(self, database: Database) -> None:
        """Keep the escalations in the database."""
        self._database = database

    async def open(self, escalation: Escalation) -> None:
        """Write it down, unless it is there, whether open or resolved."""
        async with self._database.write() as connection:
            await open_escalation(connection, escalation)

    async def resolve(self, escalation_id: str, *, by: str, resolution: str, now: datetime) -> Escalation | None:
        """Resolve it, unless it is resolved; return it as it stands after that, None when there is none."""
        async with self._database.write() as connection:
            await resolve_escalation(connection, escalation_id, by=by, resolution=resolution, now=now)
            return await _find(connection, escalation_id)

    async def find(self, escalation_id: str) -> Escalation | None:
        """Return it; None when there is none."""
        async with self._database.read() as connection:
            return await _find(connection, escalation_id)

    async def page(
        self, *, tenant: str | None, is_open: bool | None, limit: int, after: EscalationPosition | None
    ) -> Sequence[Escalation]:
        """Return at most `limit` escalations of a tenant or of all, newest first; those after a position."""
        table = ESCALATIONS.c
        query = select(ESCALATIONS).order_by(table.opened_at.desc(), table.escalation_id.desc()).limit(limit)
        if tenant is not None:
            query = query.where(table.tenant == tenant)
        if is_open is not None:
            query = query.where(table.resolved_at.is_(None) if is_open else table.resolved_at.is_not(None))
        if after is not None:
            position = tuple_(literal(after.opened_at, UtcDateTime), literal(after.escalation_id))
            query = query.where(tuple_(table.opened_at, table.escalation_id) < position)
        async with self._database.read() as connection:
            return [_escalation(row) for row in (await connection.execute(query)).all()]

    async def count_open(self) -> Mapping[EscalationReason, int]:
        """Return how many of each reason wait."""
        table = ESCALATIONS.c
        query = select(table.reason, func.count()).where(table.resolved_at.is_(None)).group_by(table.reason)
        async with self._database.read() as connection:
            return {EscalationReason(reason): count for reason, count in (await connection.execute(query)).all()}


async def open_escalation(connection: AsyncConnection, escalation: Escalation) -> None:
    """Write an escalation down, unless it is there, within the transaction of the database that its cause is in."""
    await connection.execute(
        upsert(connection, ESCALATIONS)
        .values(
            escalation_id=escalation.escalation_id,
            tenant=escalation.tenant,
            reason=escalation.reason,
            subject=escalation.subject,
            details=dict(escalation.details),
            opened_at=escalation.opened_at,
        )
        .on_conflict_do_nothing()
    )


async def resolve_escalation(
    connection: AsyncConnection, escalation_id: str, *, by: str, resolution: str, now: datetime
) -> None:
    """Resolve an escalation if it is open, within the transaction of the database that settles its cause."""
    await connection.execute(
        update(ESCALATIONS)
        .where(ESCALATIONS.c.escalation_id == escalation_id, ESCALATIONS.c.resolved_at.is_(None))
        .values(resolved_at=now, resolved_by=by, resolution=resolution)
    )


async def _find(connection: AsyncConnection, escalation_id: str) -> Escalation | None:
    query = select(ESCALATIONS).where(ESCALATIONS.c.escalation_id == escalation_id)
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else _escalation(row)


def _escalation(row: Row[Any]) -> Escalation:
    return Escalation(
        escalation_id=row.escalation_id,
        tenant=row.tenant,
        reason=EscalationReason(row.reason),
        subject=row.subject,
        details=row.details,
        opened_at=row.opened_at,
        resolved_at=row.resolved_at,
        resolved_by=row.resolved_by,
        resolution=row.resolution,
    )
