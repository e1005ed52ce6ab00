"""Provider events in the database."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, select, update
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from payment_service.domain.escalations import Escalation
from payment_service.domain.provider_events import REDRIVABLE, EventReason, EventStatus, StoredEvent
from payment_service.persistence.escalations import open_escalation
from payment_service.persistence.provider_event_tables import PROVIDER_EVENTS
from payment_service.persistence.tables import ESCALATIONS
from platform_runtime.database import Database, upsert


class SqlProviderEvents:
    """The port `ReceivedEvents` on SQLite and PostgreSQL."""

    def __init__(self, database: Database) -> None:
        """Keep the events in the database."""
        self._database = database

    async def receive(self, *, provider: str, event_id: str, body: bytes, received_at: datetime) -> StoredEvent:
        """Write an event down, unless it is there; return it as it stands."""
        async with self._database.write() as connection:
            await connection.execute(
                upsert(connection, PROVIDER_EVENTS)
                .values(
                    provider=provider,
                    event_id=event_id,
                    body=body,
                    received_at=received_at,
                    status=EventStatus.RECEIVED,
                    attempts=1,
                    changed_at=received_at,
                )
                .on_conflict_do_nothing()
            )
            found = await _find(connection, provider, event_id)
            assert found is not None, "it was written in this transaction, or before"
            return found

    async def reopen(self, *, provider: str, event_id: str, now: datetime) -> StoredEvent | None:
        """Have a settled event that was not applied tried again; return it as it stands, None when there is none."""
        async with self._database.write() as connection:
            await connection.execute(
                update(PROVIDER_EVENTS)
                .where(_is(provider, event_id), PROVIDER_EVENTS.c.status.in_(sorted(REDRIVABLE)))
                .values(
                    status=EventStatus.RECEIVED,
                    reason=None,
                    attempts=PROVIDER_EVENTS.c.attempts + 1,
                    changed_at=now,
                )
            )
            return await _find(connection, provider, event_id)

    async def settle(
        self,
        *,
        provider: str,
        event_id: str,
        status: EventStatus,
        reason: EventReason | None,
        now: datetime,
        opens: Escalation | None = None,
        resolves: Sequence[str] = (),
        by: str = "",
        resolution: str = "",
    ) -> StoredEvent | None:
        """Move an event that is being tried to where it ends, with what a person is told, or need not know any more.

        One that is settled stays as it is. Returns it as it stands, None when there is none.
        """
        async with self._database.write() as connection:
            moved = await connection.execute(
                update(PROVIDER_EVENTS)
                .where(_is(provider, event_id), PROVIDER_EVENTS.c.status == EventStatus.RECEIVED)
                .values(status=status, reason=reason, changed_at=now)
            )
            if moved.rowcount == 1:
                if opens is not None:
                    await open_escalation(connection, opens)
                if resolves:
                    await connection.execute(
                        update(ESCALATIONS)
                        .where(ESCALATIONS.c.escalation_id.in_(resolves), ESCALATIONS.c.resolved_at.is_(None))
                        .values(resolved_at=now, resolved_by=by, resolution=resolution)
                    )
            return await _find(connection, provider, event_id)

    async def find(self, *, provider: str, event_id: str) -> StoredEvent | None:
        """Return an event; None when there is none."""
        async with self._database.read() as connection:
            return await _find(connection, provider, event_id)


async def _find(connection: AsyncConnection, provider: str, event_id: str) -> StoredEvent | None:
    row = (await connection.execute(select(PROVIDER_EVENTS).where(_is(provider, event_id)))).one_or_none()
    return None if row is None else _event(row)


def _event(row: Row[Any]) -> StoredEvent:
    return StoredEvent(
        provider=row.provider,
        event_id=row.event_id,
        body=bytes(row.body),
        received_at=row.received_at,
        status=EventStatus(row.status),
        reason=None if row.reason is None else EventReason(row.reason),
        attempts=row.attempts,
    )


def _is(provider: str, event_id: str) -> ColumnElement[bool]:
    return and_(PROVIDER_EVENTS.c.provider == provider, PROVIDER_EVENTS.c.event_id == event_id)
