"""Reads the counts for the views."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import or_, select

from analytics_service.domain.periods import Granularity
from analytics_service.persistence.tables import EVENT_COUNTS, ROLLUPS
from analytics_service.ports import CountRow
from platform_runtime.database import Database


class SqlCountReader:
    """The port `CountReader` on SQLite and PostgreSQL."""

    def __init__(self, database: Database) -> None:
        """Read this database."""
        self._database = database

    async def page(
        self,
        granularity: Granularity,
        *,
        tenant: str,
        type: str | None,  # noqa: A002 - the word of the contract
        since: datetime | None,
        until: datetime | None,
        after: tuple[datetime, str] | None,
        limit: int,
    ) -> Sequence[CountRow]:
        """Return the next counts of the tenant, newest period first."""
        counts = EVENT_COUNTS.c
        statement = (
            select(counts.type, counts.period_start, counts.count)
            .where(counts.granularity == granularity, counts.tenant == tenant)
            .order_by(counts.period_start.desc(), counts.type)
            .limit(limit)
        )
        if type is not None:
            statement = statement.where(counts.type == type)
        if since is not None:
            statement = statement.where(counts.period_start >= since)
        # One upper bound, the lower of the two: SQLite begins to read at the first that it is given.
        if after is None or (until is not None and until <= after[0]):
            statement = statement if until is None else statement.where(counts.period_start < until)
        elif type is not None:
            statement = statement.where(counts.period_start < after[0])
        else:
            start, last_type = after
            statement = statement.where(
                counts.period_start <= start, or_(counts.period_start < start, counts.type > last_type)
            )
        async with self._database.read() as connection:
            rows = (await connection.execute(statement)).all()
        return [CountRow(type=row[0], period_start=row[1], count=row[2]) for row in rows]

    async def counted_at(self, granularity: Granularity) -> datetime | None:
        """Return until when every event is in the counts."""
        async with self._database.read() as connection:
            statement = select(ROLLUPS.c.counted_at).where(ROLLUPS.c.granularity == granularity)
            return (await connection.execute(statement)).scalar_one_or_none()
