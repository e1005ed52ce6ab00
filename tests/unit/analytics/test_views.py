from datetime import UTC, datetime, timedelta

import pytest

from analytics_service.domain.periods import Granularity
from analytics_service.ports import CountRow
from analytics_service.views import read_event_counts
from platform_contracts.analytics.rollup import Granularity as ContractGranularity
from platform_contracts.analytics.views import EventCount, EventCountsQuery
from platform_runtime.page_cursor import InvalidCursorError, encode_cursor
from tests.fakes.analytics import FakeCountReader

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
ROWS = [
    CountRow(type=event_type, period_start=NOON - timedelta(hours=hours), count=hours + 1)
    for hours in range(3)
    for event_type in ("user.notified", "user.onboarded")
]


async def test_pages_show_every_count_once_and_in_order() -> None:
    reader = FakeCountReader(ROWS)
    shown: list[EventCount] = []
    cursor: str | None = None

    while True:
        page = await read_event_counts(reader, "acme", EventCountsQuery(limit=4, cursor=cursor))
        shown.extend(page.counts)
        cursor = page.next_cursor
        if cursor is None:
            break

    assert [(count.type, count.period_start, count.count) for count in shown] == [
        (row.type, row.period_start, row.count) for row in ROWS
    ]


async def test_page_that_holds_the_last_count_has_no_next_one() -> None:
    page = await read_event_counts(FakeCountReader(ROWS), "acme", EventCountsQuery(limit=len(ROWS)))

    assert len(page.counts) == len(ROWS)
    assert page.next_cursor is None


async def test_before_the_first_rollup_there_are_no_counts() -> None:
    page = await read_event_counts(FakeCountReader([]), "acme", EventCountsQuery())

    assert page.counts == ()
    assert page.counted_at is None


async def test_query_reaches_the_reader_as_it_was_asked() -> None:
    reader = FakeCountReader([], counted_at=NOON)
    query = EventCountsQuery(
        granularity=ContractGranularity.DAY, type="user.notified", since=NOON, until=NOON + timedelta(days=1)
    )

    page = await read_event_counts(reader, "acme", query)

    assert page.counted_at == NOON
    assert page.granularity is ContractGranularity.DAY
    assert reader.asked == {
        "granularity": Granularity.DAY,
        "tenant": "acme",
        "type": "user.notified",
        "since": NOON,
        "until": NOON + timedelta(days=1),
    }


@pytest.mark.parametrize(
    "cursor",
    ["", "nonsense", encode_cursor("a"), encode_cursor("yesterday", "a"), encode_cursor("2026-11-23T12:00:00", "a")],
)
async def test_cursor_of_something_else_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidCursorError):
        await read_event_counts(FakeCountReader(ROWS), "acme", EventCountsQuery(cursor=cursor))
