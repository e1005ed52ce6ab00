"""What the activities and views of the analytics service need from the outside."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from analytics_service.domain.periods import Granularity, Period
from platform_contracts.analytics.events import Event


@dataclass(frozen=True)
class CountedBatch:
    """What one transaction of a rollup counted."""

    periods: int
    events: int
    last: Period | None
    """The last period it counted; None when there was nothing left to count."""


@dataclass(frozen=True)
class CountRow:
    """How often something happened in one period."""

    type: str
    period_start: datetime
    count: int


class EventLog(Protocol):
    """Keeps every event, once."""

    async def record(self, new_events: Sequence[Event], *, received_at: datetime) -> int:
        """Keep the events that are new and mark their periods as changed, in one transaction; return how many."""
        ...


class CountBook(Protocol):
    """Keeps the counts, and which periods have changed since they were counted."""

    async def mark_all_changed(self, granularity: Granularity, *, after: Period | None, limit: int) -> Period | None:
        """Mark up to `limit` periods after the given one as changed; return the last, None when there are no more."""
        ...

    async def count_changed(self, granularity: Granularity, *, after: Period | None, limit: int) -> CountedBatch:
        """Count up to `limit` changed periods after the given one anew, in one transaction."""
        ...

    async def up_to_date(self, granularity: Granularity, *, as_of: datetime) -> None:
        """Remember that the counts hold every event recorded until then; never goes back to an earlier moment."""
        ...


class CountReader(Protocol):
    """Reads the counts."""

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
        """Return up to `limit` counts after the given period start and type: newest period first, then by type."""
        ...

    async def counted_at(self, granularity: Granularity) -> datetime | None:
        """Return until when every event is in the counts; None before the first rollup."""
        ...
