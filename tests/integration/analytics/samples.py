"""Events, and what is asked about them again and again."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime

from temporalio.testing import ActivityEnvironment

from analytics_service.activities.rollup import RollupActivities
from analytics_service.domain.periods import Granularity, period_start
from analytics_service.persistence.count_book import SqlCountBook
from analytics_service.persistence.count_reader import SqlCountReader
from platform_contracts.analytics.events import Event
from platform_contracts.analytics.rollup import Granularity as ContractGranularity
from platform_contracts.analytics.rollup import RollupInput, RollupResult
from platform_runtime.database import Database

MIGRATIONS = "analytics_service.persistence.migrations"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)

Counts = dict[tuple[str, datetime, str], int]
"""Tenant, period start and type, and how many events there are."""


def event(
    event_id: str, *, tenant: str = "acme", occurred_at: datetime = NOON, event_type: str = "user.onboarded"
) -> Event:
    """Return an event."""
    return Event(event_id=event_id, tenant=tenant, type=event_type, subject_id=event_id, occurred_at=occurred_at)


async def roll_up(
    database: Database, granularity: Granularity = Granularity.HOUR, *, full: bool = False
) -> RollupResult:
    """Run the activity, as a worker does."""
    rollup = RollupInput(granularity=ContractGranularity(granularity), full=full)
    return await ActivityEnvironment().run(RollupActivities(SqlCountBook(database)).roll_up, rollup)


async def counts_of(database: Database, tenants: Iterable[str], granularity: Granularity = Granularity.HOUR) -> Counts:
    """Return all counts of the tenants as the view reads them."""
    reader = SqlCountReader(database)
    return {
        (tenant, row.period_start, row.type): row.count
        for tenant in tenants
        for row in await reader.page(
            granularity, tenant=tenant, type=None, since=None, until=None, after=None, limit=10_000
        )
    }


def counted_by_hand(events: Iterable[Event], granularity: Granularity = Granularity.HOUR) -> Counts:
    """Return what the counts of these events have to be; the first of two with one id counts."""
    first: dict[tuple[str, str], Event] = {}
    for each in events:
        first.setdefault((each.tenant, each.event_id), each)
    return dict(
        Counter((each.tenant, period_start(each.occurred_at, granularity), each.type) for each in first.values())
    )
