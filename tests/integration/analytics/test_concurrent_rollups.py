"""Events that commit while a rollup counts, and two rollups at once: on PostgreSQL, which runs them side by side."""

import asyncio
import random
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from analytics_service.domain.periods import Granularity, Period
from analytics_service.persistence.count_book import SqlCountBook, read_marks, remove_marks, set_counts, take_turn
from analytics_service.persistence.event_log import SqlEventLog, insert_events, mark_changed
from platform_contracts.analytics.events import Event
from platform_runtime.database import Database
from tests.integration.analytics.samples import NOON, counted_by_hand, counts_of, event, roll_up

HOUR = Granularity.HOUR
PERIOD = Period("acme", NOON)

# Long enough to see that somebody waits, short enough to wait for.
SOON_SECONDS = 0.3
BOUND_SECONDS = 20


async def _insert(connection: AsyncConnection, new_event: Event) -> None:
    await insert_events(connection, [new_event], received_at=NOON)


async def test_event_that_commits_after_its_period_was_counted_is_counted_next_time(postgres: Database) -> None:
    await SqlEventLog(postgres).record([event("e-1")], received_at=NOON)

    async with postgres.write() as reporter:
        await _insert(reporter, event("e-2"))
        async with asyncio.timeout(BOUND_SECONDS):
            first = await roll_up(postgres)
        await mark_changed(reporter, HOUR, [PERIOD])
    second = await roll_up(postgres)

    assert first.events == 1
    assert (second.periods, second.events) == (1, 2)


async def test_event_whose_mark_is_set_but_not_committed_is_counted_next_time(postgres: Database) -> None:
    await SqlEventLog(postgres).record([event("e-1")], received_at=NOON)

    async with postgres.write() as reporter:
        await _insert(reporter, event("e-2"))
        await mark_changed(reporter, HOUR, [PERIOD])
        rollup = asyncio.create_task(roll_up(postgres))
        await asyncio.sleep(SOON_SECONDS)
        waited = not rollup.done()
    async with asyncio.timeout(BOUND_SECONDS):
        first = await rollup
    second = await roll_up(postgres)

    assert waited
    assert first.events == 1
    assert (second.periods, second.events) == (1, 2)


async def test_reporter_does_not_wait_while_its_period_is_counted(postgres: Database) -> None:
    await SqlEventLog(postgres).record([event("e-1")], received_at=NOON)

    async with postgres.write() as rollup:
        await take_turn(rollup, HOUR)
        marks = await read_marks(rollup, HOUR, after=None, limit=10)
        counted = await set_counts(rollup, HOUR, PERIOD)
        async with asyncio.timeout(BOUND_SECONDS):
            await SqlEventLog(postgres).record([event("e-2")], received_at=NOON)
        await remove_marks(rollup, HOUR, marks)
    second = await roll_up(postgres)

    assert counted == 1
    assert (second.periods, second.events) == (1, 2)
    assert await counts_of(postgres, ["acme"]) == {("acme", NOON, "user.onboarded"): 2}


async def test_older_count_never_overwrites_a_newer_one(postgres: Database) -> None:
    await SqlEventLog(postgres).record([event("e-1")], received_at=NOON)

    async with postgres.write() as slow_rollup:
        await take_turn(slow_rollup, HOUR)
        marks = await read_marks(slow_rollup, HOUR, after=None, limit=10)
        await set_counts(slow_rollup, HOUR, PERIOD)
        await SqlEventLog(postgres).record([event("e-2")], received_at=NOON)
        fast_rollup = asyncio.create_task(roll_up(postgres))
        await asyncio.sleep(SOON_SECONDS)
        waited = not fast_rollup.done()
        await remove_marks(slow_rollup, HOUR, marks)
    async with asyncio.timeout(BOUND_SECONDS):
        result = await fast_rollup

    assert waited
    assert result.events == 2
    assert await counts_of(postgres, ["acme"]) == {("acme", NOON, "user.onboarded"): 2}


async def test_hours_are_counted_while_days_are(postgres: Database) -> None:
    await SqlEventLog(postgres).record([event("e-1")], received_at=NOON)

    async with postgres.write() as of_days:
        await take_turn(of_days, Granularity.DAY)
        async with asyncio.timeout(BOUND_SECONDS):
            result = await roll_up(postgres, HOUR)

    assert result.events == 1


async def test_reporters_and_rollups_in_any_order_leave_the_counts_of_a_full_recompute(database: Database) -> None:
    chance = random.Random(20261123)
    tenants = ("a-b", "ab")
    events = [
        event(
            f"e-{chance.randrange(250)}",
            tenant=tenant,
            occurred_at=NOON + timedelta(hours=chance.randrange(4)),
            event_type="user.notified",
        )
        for tenant in tenants
        for _ in range(300)
    ]
    # Whoever reports an id first wins, and who that is, is not known here; so equal ids say the same.
    events = list({(each.tenant, each.event_id): each for each in events}.values()) * 2
    chance.shuffle(events)

    async def report(share: list[Event]) -> None:
        for first in range(0, len(share), 7):
            await SqlEventLog(database).record(share[first : first + 7], received_at=NOON)

    async def count() -> None:
        for number in range(10):
            await SqlCountBook(database).count_changed(HOUR, after=None, limit=3)
            await roll_up(database, full=number == 5)

    async with asyncio.timeout(BOUND_SECONDS * 2), asyncio.TaskGroup() as everybody:
        for reporter in range(4):
            everybody.create_task(report(events[reporter::4]))
        everybody.create_task(count())
        everybody.create_task(count())
    await roll_up(database)
    at_last = await counts_of(database, tenants)
    await roll_up(database, full=True)

    assert at_last == counted_by_hand(events)
    assert await counts_of(database, tenants) == at_last
