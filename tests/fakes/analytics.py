"""The ports of the analytics service in memory, and a worker that runs on them."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from temporalio.client import Client
from temporalio.worker import Worker

from analytics_service.activities.events import EventActivities
from analytics_service.activities.rollup import RollupActivities
from analytics_service.domain.periods import Granularity, Period
from analytics_service.ports import CountedBatch, CountRow
from analytics_service.workflows.event_intake import EventIntakeWorkflow
from analytics_service.workflows.rollup import RollupWorkflow
from platform_contracts.analytics.events import Event
from platform_runtime.sandbox import workflow_runner


class FakeEventLog:
    """Keeps events in a dictionary; can be away for some calls."""

    def __init__(self, *, away_for_calls: int = 0) -> None:
        """Refuse this many calls first."""
        self.events: dict[tuple[str, str], Event] = {}
        self.received_at: list[datetime] = []
        self.calls = 0
        self._away_for_calls = away_for_calls

    async def record(self, new_events: Sequence[Event], *, received_at: datetime) -> int:
        self.calls += 1
        if self.calls <= self._away_for_calls:
            raise ConnectionError("the database is away")
        before = len(self.events)
        for event in new_events:
            self.events.setdefault((event.tenant, event.event_id), event)
        self.received_at.append(received_at)
        return len(self.events) - before


class FakeCountBook:
    """Knows how many events stand in which period, and which periods have changed."""

    def __init__(self, *, events: dict[Period, int], changed: set[Period] | None = None) -> None:
        """Begin with these periods; None: all of them have changed."""
        self.events = events
        self.changed = set(events) if changed is None else set(changed)
        self.counted: list[Period] = []
        self.as_of: dict[Granularity, datetime] = {}
        self.away_after_batches: int | None = None
        self._batches = 0

    async def mark_all_changed(self, granularity: Granularity, *, after: Period | None, limit: int) -> Period | None:
        periods = [period for period in sorted(self.events) if after is None or period > after][:limit]
        self.changed.update(periods)
        return periods[-1] if periods else None

    async def count_changed(self, granularity: Granularity, *, after: Period | None, limit: int) -> CountedBatch:
        if self._batches == self.away_after_batches:
            self.away_after_batches = None
            raise ConnectionError("the database is away")
        self._batches += 1
        periods = [period for period in sorted(self.changed) if after is None or period > after][:limit]
        self.changed.difference_update(periods)
        self.counted.extend(periods)
        return CountedBatch(
            periods=len(periods),
            events=sum(self.events[period] for period in periods),
            last=periods[-1] if periods else None,
        )

    async def up_to_date(self, granularity: Granularity, *, as_of: datetime) -> None:
        self.as_of[granularity] = as_of


class FakeCountReader:
    """Shows rows of one granularity and tenant, whatever is asked besides the page."""

    def __init__(self, rows: Sequence[CountRow], *, counted_at: datetime | None = None) -> None:
        """Show these rows in this order."""
        self.rows = list(rows)
        self.asked: dict[str, object] = {}
        self._counted_at = counted_at

    async def page(
        self,
        granularity: Granularity,
        *,
        tenant: str,
        type: str | None,  # noqa: A002 - the word of the port
        since: datetime | None,
        until: datetime | None,
        after: tuple[datetime, str] | None,
        limit: int,
    ) -> Sequence[CountRow]:
        self.asked = {"granularity": granularity, "tenant": tenant, "type": type, "since": since, "until": until}
        positions = [(row.period_start, row.type) for row in self.rows]
        first = 0 if after is None else positions.index(after) + 1
        return self.rows[first : first + limit]

    async def counted_at(self, granularity: Granularity) -> datetime | None:
        return self._counted_at


def analytics_worker(
    client: Client,
    *,
    task_queue: str,
    event_log: FakeEventLog | None = None,
    count_book: FakeCountBook | None = None,
    max_cached_workflows: int = 1000,
) -> Worker:
    """Return a worker with the real workflows and activities on fake ports."""
    events = EventActivities(event_log or FakeEventLog())
    rollups = RollupActivities(count_book or FakeCountBook(events={}))
    return Worker(
        client,
        task_queue=task_queue,
        workflows=[EventIntakeWorkflow, RollupWorkflow],
        activities=[events.record_events, rollups.roll_up],
        workflow_runner=workflow_runner(),
        max_cached_workflows=max_cached_workflows,
        graceful_shutdown_timeout=timedelta(seconds=1),
    )
