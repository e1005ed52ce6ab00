from datetime import timedelta

import pytest

from analytics_service.domain.periods import Granularity
from analytics_service.persistence.count_reader import SqlCountReader
from analytics_service.persistence.event_log import SqlEventLog
from analytics_service.views import read_event_counts
from platform_contracts.analytics.views import EventCount, EventCountsQuery
from platform_runtime.database import Database
from tests.integration.analytics.samples import NOON, event, roll_up

TYPES = ("user.notified", "user.onboarded", "user.welcomed")


@pytest.fixture
async def counts(database: Database) -> SqlCountReader:
    """Return a reader of five hours of three types, twice as many events in each hour as in the one before."""
    events = [
        event(f"{event_type}-{hour}-{number}", occurred_at=NOON + timedelta(hours=hour), event_type=event_type)
        for event_type in TYPES
        for hour in range(5)
        for number in range(2**hour)
    ]
    await SqlEventLog(database).record(events, received_at=NOON)
    await roll_up(database)
    return SqlCountReader(database)


async def _all_pages(counts: SqlCountReader, query: EventCountsQuery) -> list[EventCount]:
    shown: list[EventCount] = []
    while True:
        page = await read_event_counts(counts, "acme", query)
        shown.extend(page.counts)
        if page.next_cursor is None:
            return shown
        query = query.model_copy(update={"cursor": page.next_cursor})


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 15, 200])
async def test_pages_of_any_size_show_every_count_once(counts: SqlCountReader, limit: int) -> None:
    shown = await _all_pages(counts, EventCountsQuery(limit=limit))

    assert [(count.period_start, count.type, count.count) for count in shown] == [
        (NOON + timedelta(hours=hour), event_type, 2**hour) for hour in (4, 3, 2, 1, 0) for event_type in TYPES
    ]


async def test_one_type_can_be_asked_for(counts: SqlCountReader) -> None:
    shown = await _all_pages(counts, EventCountsQuery(limit=2, type="user.onboarded"))

    assert [(count.type, count.count) for count in shown] == [("user.onboarded", 2**hour) for hour in (4, 3, 2, 1, 0)]


async def test_since_belongs_to_the_answer_and_until_does_not(counts: SqlCountReader) -> None:
    query = EventCountsQuery(
        limit=2, type="user.onboarded", since=NOON + timedelta(hours=1), until=NOON + timedelta(hours=3)
    )

    shown = await _all_pages(counts, query)

    assert [count.count for count in shown] == [4, 2]


async def test_another_tenant_sees_nothing(counts: SqlCountReader) -> None:
    page = await read_event_counts(counts, "other", EventCountsQuery())

    assert page.counts == ()


async def test_answer_says_as_of_when_it_is(counts: SqlCountReader) -> None:
    page = await read_event_counts(counts, "acme", EventCountsQuery())

    assert page.counted_at == await counts.counted_at(Granularity.HOUR)
    assert page.counted_at is not None
