"""Counts in the database, and which periods have to be counted anew.

Why no event is ever missed, in whatever order transactions commit: an event and the mark of its period are one
transaction. Whoever counts reads a mark, then the events, and takes the mark away only if it still has the version
that was read. A mark that was there when it was read came with events that the count sees; one that came later has
another version, or makes the removal wait until it has, and stays for the next run. Transactions that count take turns,
so an older count never overwrites a newer one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, bindparam, delete, func, insert, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from analytics_service.domain.periods import Granularity, Period, period_of
from analytics_service.persistence.event_log import mark_changed
from analytics_service.persistence.tables import CHANGED_PERIODS, EVENT_COUNTS, EVENTS, ROLLUPS
from analytics_service.ports import CountedBatch
from platform_runtime.database import Database, upsert


@dataclass(frozen=True)
class Mark:
    """That a period has changed, as it was read."""

    period: Period
    version: int


class SqlCountBook:
    """The port `CountBook` on SQLite and PostgreSQL."""

    def __init__(self, database: Database) -> None:
        """Read and write this database."""
        self._database = database

    async def mark_all_changed(self, granularity: Granularity, *, after: Period | None, limit: int) -> Period | None:
        """Mark every period that has events or counts; jumps from period to period, however many events they hold."""
        periods: list[Period] = []
        async with self._database.read() as connection:
            while len(periods) < limit and (period := await _next_period(connection, granularity, after=after)):
                periods.append(period)
                after = period
        if not periods:
            return None
        async with self._database.write() as connection:
            await mark_changed(connection, granularity, periods)
        return periods[-1]

    async def count_changed(self, granularity: Granularity, *, after: Period | None, limit: int) -> CountedBatch:
        """Set the counts of the next changed periods to what the events say, and take their marks away."""
        async with self._database.write() as connection:
            await take_turn(connection, granularity)
            marks = await read_marks(connection, granularity, after=after, limit=limit)
            total = 0
            for mark in marks:
                total += await set_counts(connection, granularity, mark.period)
            await remove_marks(connection, granularity, marks)
        return CountedBatch(periods=len(marks), events=total, last=marks[-1].period if marks else None)

    async def up_to_date(self, granularity: Granularity, *, as_of: datetime) -> None:
        """Remember the moment, unless a later one is known."""
        async with self._database.write() as connection:
            statement = upsert(connection, ROLLUPS).values(granularity=granularity, turn=1, counted_at=as_of)
            await connection.execute(
                statement.on_conflict_do_update(
                    index_elements=("granularity",),
                    set_={"counted_at": statement.excluded.counted_at},
                    where=or_(ROLLUPS.c.counted_at.is_(None), ROLLUPS.c.counted_at < statement.excluded.counted_at),
                )
            )


async def take_turn(connection: AsyncConnection, granularity: Granularity) -> None:
    """Wait until no other transaction counts this granularity, and keep others out until this one ends."""
    await connection.execute(
        upsert(connection, ROLLUPS)
        .values(granularity=granularity, turn=1)
        .on_conflict_do_update(index_elements=("granularity",), set_={"turn": ROLLUPS.c.turn + 1})
    )


async def read_marks(
    connection: AsyncConnection, granularity: Granularity, *, after: Period | None, limit: int
) -> list[Mark]:
    """Return the next changed periods."""
    marks = CHANGED_PERIODS.c
    statement = (
        select(marks.tenant, marks.period_start, marks.version)
        .where(marks.granularity == granularity)
        .order_by(marks.tenant, marks.period_start)
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(tuple_(marks.tenant, marks.period_start) > (after.tenant, after.start))
    return [Mark(Period(row[0], row[1]), row[2]) for row in await connection.execute(statement)]


async def set_counts(connection: AsyncConnection, granularity: Granularity, period: Period) -> int:
    """Replace the counts of a period by what its events say, and return how many events there are."""
    found = await connection.execute(
        select(EVENTS.c.type, func.count())
        .where(
            EVENTS.c.tenant == period.tenant,
            EVENTS.c.occurred_at >= period.start,
            EVENTS.c.occurred_at < period.start + granularity.length,
        )
        .group_by(EVENTS.c.type)
    )
    key = {"granularity": granularity, "tenant": period.tenant, "period_start": period.start}
    counts = {row[0]: row[1] for row in found}
    await connection.execute(
        delete(EVENT_COUNTS).where(
            EVENT_COUNTS.c.granularity == granularity,
            EVENT_COUNTS.c.tenant == period.tenant,
            EVENT_COUNTS.c.period_start == period.start,
        )
    )
    if counts:
        rows = [{**key, "type": event_type, "count": count} for event_type, count in counts.items()]
        await connection.execute(insert(EVENT_COUNTS), rows)
    return sum(counts.values())


async def remove_marks(connection: AsyncConnection, granularity: Granularity, marks: Sequence[Mark]) -> None:
    """Remove the marks that are as they were read; in their order, one by one, as they are also set."""
    if not marks:
        return
    statement = delete(CHANGED_PERIODS).where(
        and_(
            CHANGED_PERIODS.c.granularity == granularity,
            CHANGED_PERIODS.c.tenant == bindparam("of_tenant"),
            CHANGED_PERIODS.c.period_start == bindparam("of_start"),
            CHANGED_PERIODS.c.version == bindparam("as_read"),
        )
    )
    rows = [{"of_tenant": mark.period.tenant, "of_start": mark.period.start, "as_read": mark.version} for mark in marks]
    await connection.execute(statement, rows)


async def _next_period(connection: AsyncConnection, granularity: Granularity, *, after: Period | None) -> Period | None:
    """Return the first period after the given one that has events or counts; None when there are no more."""
    with_events = select(EVENTS.c.tenant, EVENTS.c.occurred_at).order_by(EVENTS.c.tenant, EVENTS.c.occurred_at)
    with_counts = (
        select(EVENT_COUNTS.c.tenant, EVENT_COUNTS.c.period_start)
        .where(EVENT_COUNTS.c.granularity == granularity)
        .order_by(EVENT_COUNTS.c.tenant, EVENT_COUNTS.c.period_start)
    )
    if after is not None:
        end = (after.tenant, after.start + granularity.length)
        with_events = with_events.where(tuple_(EVENTS.c.tenant, EVENTS.c.occurred_at) >= end)
        with_counts = with_counts.where(tuple_(EVENT_COUNTS.c.tenant, EVENT_COUNTS.c.period_start) >= end)
    candidates = [
        period_of(tenant=row[0], moment=row[1], granularity=granularity)
        for statement in (with_events, with_counts)
        if (row := (await connection.execute(statement.limit(1))).one_or_none()) is not None
    ]
    return min(candidates, default=None)
