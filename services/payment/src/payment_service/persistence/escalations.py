"""Escalations in the database."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, literal, select, tuple_, update
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from payment_service.domain.escalations import Escalation, EscalationPosition, EscalationReason
from payment_service.persistence.tables import ESCALATIONS
from platform_contracts.identifiers import PLATFORM_TENANT
from platform_runtime.database import Database, UtcDateTime, upsert

_OF = ESCALATIONS.c


class SqlEscalations:
    """The port `Escalations` on SQLite and PostgreSQL."""

    def __init__(self, database: Database) -> None:
        """Keep the escalations in the database."""
        self._database = database

    async def open(self, escalation: Escalation) -> None:
        """Write it down, unless it is there, whether open or resolved; to one that waits already, add its details."""
        async with self._database.write() as connection:
            await open_escalation(connection, escalation)

    async def close_unless(
        self, reason: EscalationReason, *, subjects: Collection[str], resolution: str, now: datetime
    ) -> None:
        """Resolve what waits for this reason, but not of these subjects, in the platform's name."""
        async with self._database.write() as connection:
            await _close(connection, _OF.reason == reason, _OF.subject.not_in(subjects), resolution=resolution, now=now)

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
    """Write an escalation down within the transaction of the database that its cause is in.

    One of the same id is left as it is, open or resolved: a repeat opens nothing. Where one waits for the same reason
    and subject already, a person needs no second; what the new one knows besides is added to its details.
    """
    waiting = (_OF.reason == escalation.reason, _OF.subject == escalation.subject, _OF.resolved_at.is_(None))
    written = await connection.execute(
        upsert(connection, ESCALATIONS)
        .values(
            escalation_id=escalation.escalation_id,
            tenant=escalation.tenant,
            reason=escalation.reason,
            subject=escalation.subject,
            details=dict(escalation.details),
            opened_at=escalation.opened_at,
        )
        # Also of the index that lets only one wait.
        .on_conflict_do_nothing()
        .returning(_OF.escalation_id)
    )
    if written.one_or_none() is not None:
        return
    details = await connection.scalar(select(_OF.details).where(*waiting).with_for_update())
    more = {} if details is None else {**escalation.details, **details}
    if more != (details or {}):
        await connection.execute(update(ESCALATIONS).where(*waiting).values(details=more))


async def resolve_escalation(
    connection: AsyncConnection, escalation_id: str, *, by: str, resolution: str, now: datetime
) -> None:
    """Resolve an escalation if it is open, within the transaction of the database that settles its cause."""
    await connection.execute(
        update(ESCALATIONS)
        .where(ESCALATIONS.c.escalation_id == escalation_id, ESCALATIONS.c.resolved_at.is_(None))
        .values(resolved_at=now, resolved_by=by, resolution=resolution)
    )


async def close_escalations(
    connection: AsyncConnection, subject: str, *reasons: EscalationReason, resolution: str, now: datetime
) -> None:
    """Resolve what waits for these reasons, within the transaction of the database that settles their cause."""
    await _close(connection, _OF.subject == subject, _OF.reason.in_(reasons), resolution=resolution, now=now)


async def _close(connection: AsyncConnection, *conditions: ColumnElement[bool], resolution: str, now: datetime) -> None:
    await connection.execute(
        update(ESCALATIONS)
        .where(*conditions, _OF.resolved_at.is_(None))
        .values(resolved_at=now, resolved_by=PLATFORM_TENANT, resolution=resolution)
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
