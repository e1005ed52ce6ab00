from datetime import timedelta

import pytest
from sqlalchemy import select, update

from analytics_service.domain.periods import Granularity, Period
from analytics_service.persistence.count_book import SqlCountBook
from analytics_service.persistence.count_reader import SqlCountReader
from analytics_service.persistence.event_log import SqlEventLog
from analytics_service.persistence.tables import EVENT_COUNTS, EVENTS
from platform_runtime.database import Database
from tests.integration.analytics.samples import NOON, counted_by_hand, counts_of, event, roll_up

# "a-b" comes before "ab" byte by byte, and after it in a language that overlooks hyphens.
TENANTS = ("a-b", "ab", "acme")
EVENTS_OF_A_WEEK = [
    event(
        f"e-{number}",
        tenant=TENANTS[number % 3],
        occurred_at=NOON - timedelta(hours=number),
        event_type=("user.onboarded", "user.notified")[number % 2],
    )
    for number in range(7 * 24)
]


@pytest.mark.parametrize("granularity", Granularity)
async def test_rollup_counts_what_the_events_say(database: Database, granularity: Granularity) -> None:
    await SqlEventLog(database).record(EVENTS_OF_A_WEEK, received_at=NOON)

    result = await roll_up(database, granularity)

    by_hand = counted_by_hand(EVENTS_OF_A_WEEK, granularity)
    assert await counts_of(database, TENANTS, granularity) == by_hand
    assert result.events == len(EVENTS_OF_A_WEEK)
    assert result.periods == len({(tenant, start) for tenant, start, _type in by_hand})


async def test_period_holds_its_start_and_not_its_end(database: Database) -> None:
    last_moment = NOON + timedelta(hours=1) - timedelta(microseconds=1)
    events = [
        event("e-1", occurred_at=NOON),
        event("e-2", occurred_at=last_moment),
        event("e-3", occurred_at=NOON + timedelta(hours=1)),
    ]
    await SqlEventLog(database).record(events, received_at=NOON)

    await roll_up(database)

    counts = await counts_of(database, ["acme"])
    assert counts == {
        ("acme", NOON, "user.onboarded"): 2,
        ("acme", NOON + timedelta(hours=1), "user.onboarded"): 1,
    }


async def test_late_event_is_counted_into_its_own_period(database: Database) -> None:
    log = SqlEventLog(database)
    await log.record([event("e-1")], received_at=NOON)
    await roll_up(database)

    await log.record([event("e-2"), event("e-1")], received_at=NOON + timedelta(days=30))
    result = await roll_up(database)

    assert (result.periods, result.events) == (1, 2)
    assert await counts_of(database, ["acme"]) == {("acme", NOON, "user.onboarded"): 2}


async def test_period_is_counted_again_only_after_it_changed(database: Database) -> None:
    await SqlEventLog(database).record([event("e-1")], received_at=NOON)
    await roll_up(database)

    again = await roll_up(database)

    assert (again.periods, again.events) == (0, 0)


async def test_hours_and_days_are_counted_apart(database: Database) -> None:
    await SqlEventLog(database).record([event("e-1")], received_at=NOON)

    await roll_up(database, Granularity.HOUR)

    assert await counts_of(database, ["acme"], Granularity.DAY) == {}
    assert (await roll_up(database, Granularity.DAY)).periods == 1


async def test_full_rollup_mends_counts_that_nothing_marks_as_changed(database: Database) -> None:
    await SqlEventLog(database).record(EVENTS_OF_A_WEEK, received_at=NOON)
    await roll_up(database)
    async with database.write() as connection:
        await connection.execute(update(EVENT_COUNTS).values(count=999))
        await connection.execute(EVENTS.delete().where(EVENTS.c.tenant == "ab"))

    result = await roll_up(database, full=True)

    left = [each for each in EVENTS_OF_A_WEEK if each.tenant != "ab"]
    assert await counts_of(database, TENANTS) == counted_by_hand(left)
    assert result.events == len(left)
    assert result.periods == len(EVENTS_OF_A_WEEK)


async def test_marking_everything_goes_through_it_in_bounded_steps(database: Database) -> None:
    await SqlEventLog(database).record(EVENTS_OF_A_WEEK, received_at=NOON)
    book = SqlCountBook(database)
    steps: list[Period] = []
    last: Period | None = None

    while (last := await book.mark_all_changed(Granularity.DAY, after=last, limit=5)) is not None:
        steps.append(last)

    assert steps == sorted(steps)
    assert len(steps) == -(-len(counted_days()) // 5)


def counted_days() -> set[tuple[object, ...]]:
    return {(tenant, start) for tenant, start, _type in counted_by_hand(EVENTS_OF_A_WEEK, Granularity.DAY)}


async def test_counting_goes_on_after_the_period_that_was_counted_last(database: Database) -> None:
    await SqlEventLog(database).record(EVENTS_OF_A_WEEK, received_at=NOON)
    book = SqlCountBook(database)
    first = await book.count_changed(Granularity.HOUR, after=None, limit=100)

    second = await book.count_changed(Granularity.HOUR, after=first.last, limit=100)
    third = await book.count_changed(Granularity.HOUR, after=second.last, limit=100)

    assert (first.periods, second.periods, third.periods) == (100, 68, 0)
    assert third.last is None


async def test_counted_at_is_none_before_the_first_rollup_and_never_goes_back(database: Database) -> None:
    book = SqlCountBook(database)
    reader = SqlCountReader(database)
    before = await reader.counted_at(Granularity.HOUR)
    await book.count_changed(Granularity.HOUR, after=None, limit=1)
    unfinished = await reader.counted_at(Granularity.HOUR)

    await book.up_to_date(Granularity.HOUR, as_of=NOON)
    await book.up_to_date(Granularity.HOUR, as_of=NOON - timedelta(hours=1))

    assert before is None
    assert unfinished is None
    assert await reader.counted_at(Granularity.HOUR) == NOON
    assert await reader.counted_at(Granularity.DAY) is None


async def test_failed_transaction_leaves_counts_and_marks_as_they_were(database: Database) -> None:
    await SqlEventLog(database).record([event("e-1")], received_at=NOON)
    await roll_up(database)
    await SqlEventLog(database).record([event("e-2")], received_at=NOON)
    # With the table gone that is written last but one, the transaction fails in the middle.
    async with database.write() as connection:
        await connection.exec_driver_sql("ALTER TABLE event_counts RENAME TO elsewhere")
    with pytest.raises(Exception, match="event_counts"):
        await roll_up(database)
    async with database.write() as connection:
        await connection.exec_driver_sql("ALTER TABLE elsewhere RENAME TO event_counts")

    result = await roll_up(database)

    assert (result.periods, result.events) == (1, 2)


async def test_tenants_do_not_see_each_others_counts(database: Database) -> None:
    await SqlEventLog(database).record(EVENTS_OF_A_WEEK, received_at=NOON)
    await roll_up(database)

    counts = await counts_of(database, ["acme"])

    assert {tenant for tenant, _start, _type in counts} == {"acme"}
    assert counts == {key: number for key, number in counted_by_hand(EVENTS_OF_A_WEEK).items() if key[0] == "acme"}
    async with database.read() as connection:
        tenants = (await connection.execute(select(EVENT_COUNTS.c.tenant).distinct())).scalars().all()
    assert set(tenants) == set(TENANTS)
