"""Events in the database."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from analytics_service.domain.periods import Granularity, Period, period_of
from analytics_service.persistence.tables import CHANGED_PERIODS, EVENTS
from platform_contracts.analytics.events import Event
from platform_runtime.database import Database, upsert

_KEY: Final = ("tenant", "event_id")


class SqlEventLog:
    """The port `EventLog` on SQLite and PostgreSQL."""

    def __init__(self, database: Database) -> None:
        """Write to this database."""
        self._database = database

    async def record(self, new_events: Sequence[Event], *, received_at: datetime) -> int:
        """Insert the events whose ids are new, mark their periods as changed, and return how many there were."""
        async with self._database.write() as connection:
            inserted = await insert_events(connection, new_events, received_at=received_at)
            # Last, and in the same transaction: a rollup that finds the mark finds the events, and the row of a period
            # that everybody reports into is locked for no longer than it takes to commit.
            for granularity in sorted(Granularity):
                periods = {
                    period_of(tenant=event.tenant, moment=event.occurred_at, granularity=granularity)
                    for event in inserted
                }
                await mark_changed(connection, granularity, periods)
        return len(inserted)


async def insert_events(
    connection: AsyncConnection, new_events: Iterable[Event], *, received_at: datetime
) -> list[Event]:
    """Insert the events whose ids are new and return them; of two with one id the first stays."""
    # One order for everybody: two transactions with the same events wait for each other, never in a circle.
    candidates = {(event.tenant, event.event_id): event for event in reversed(list(new_events))}
    rows = [
        {
            "tenant": event.tenant,
            "event_id": event.event_id,
            "type": event.type,
            "subject_id": event.subject_id,
            "occurred_at": event.occurred_at,
            "received_at": received_at,
        }
        for _key, event in sorted(candidates.items())
    ]
    statement = upsert(connection, EVENTS).on_conflict_do_nothing(index_elements=_KEY)
    result = await connection.execute(statement.returning(EVENTS.c.tenant, EVENTS.c.event_id), rows)
    return [candidates[row.tenant, row.event_id] for row in result]


async def mark_changed(connection: AsyncConnection, granularity: Granularity, periods: Iterable[Period]) -> None:
    """Mark the periods as changed, in the order in which they are counted."""
    rows = [
        {"granularity": granularity, "tenant": period.tenant, "period_start": period.start, "version": 1}
        for period in sorted(periods)
    ]
    if not rows:
        return
    statement = upsert(connection, CHANGED_PERIODS).on_conflict_do_update(
        index_elements=("granularity", "tenant", "period_start"), set_={"version": CHANGED_PERIODS.c.version + 1}
    )
    await connection.execute(statement, rows)
