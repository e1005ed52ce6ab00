"""Escalations in the database."""

from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from payment_service.domain.escalations import Escalation, EscalationReason
from payment_service.persistence.tables import ESCALATIONS
from platform_runtime.database import Database, upsert


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
