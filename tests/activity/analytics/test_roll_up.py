import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment

from analytics_service.activities.rollup import PERIODS_PER_TRANSACTION, RollupActivities
from analytics_service.domain.periods import Granularity, Period
from platform_contracts.analytics.rollup import Granularity as ContractGranularity
from platform_contracts.analytics.rollup import RollupInput, RollupResult
from tests.fakes.analytics import FakeCountBook

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOURLY = RollupInput(granularity=ContractGranularity.HOUR)


def _hours(count: int) -> list[Period]:
    return [Period("acme", NOON + timedelta(hours=number)) for number in range(count)]


def _environment(heartbeats: list[Any], *, resumed_from: Any = None) -> ActivityEnvironment:
    environment = ActivityEnvironment()
    environment.on_heartbeat = heartbeats.append
    if resumed_from is not None:
        environment.info = dataclasses.replace(environment.info, heartbeat_details=[resumed_from])
    return environment


async def test_changed_periods_are_counted_in_batches_with_a_heartbeat_after_each() -> None:
    periods = _hours(2 * PERIODS_PER_TRANSACTION + 1)
    book = FakeCountBook(events=dict.fromkeys(periods, 2))
    heartbeats: list[Any] = []

    result = await _environment(heartbeats).run(RollupActivities(book).roll_up, HOURLY)

    assert result == RollupResult(granularity=ContractGranularity.HOUR, periods=len(periods), events=2 * len(periods))
    assert book.counted == periods
    assert [beat["periods"] for beat in heartbeats] == [
        PERIODS_PER_TRANSACTION,
        2 * PERIODS_PER_TRANSACTION,
        len(periods),
    ]


async def test_without_changes_nothing_is_counted_and_the_counts_are_up_to_date() -> None:
    book = FakeCountBook(events=dict.fromkeys(_hours(3), 1), changed=set())
    before = datetime.now(UTC)

    result = await ActivityEnvironment().run(RollupActivities(book).roll_up, HOURLY)

    assert (result.periods, result.events) == (0, 0)
    assert before <= book.as_of[Granularity.HOUR] <= datetime.now(UTC)


async def test_full_rollup_counts_what_has_not_changed_too() -> None:
    periods = _hours(3)
    book = FakeCountBook(events=dict.fromkeys(periods, 1), changed={periods[1]})

    result = await ActivityEnvironment().run(RollupActivities(book).roll_up, HOURLY.model_copy(update={"full": True}))

    assert result.periods == 3
    assert book.counted == periods


async def test_another_attempt_goes_on_where_the_last_heartbeat_was() -> None:
    periods = _hours(3 * PERIODS_PER_TRANSACTION)
    book = FakeCountBook(events=dict.fromkeys(periods, 1))
    book.away_after_batches = 2
    heartbeats: list[Any] = []
    with pytest.raises(ConnectionError):
        await _environment(heartbeats).run(RollupActivities(book).roll_up, HOURLY)

    result = await _environment([], resumed_from=heartbeats[-1]).run(RollupActivities(book).roll_up, HOURLY)

    assert book.counted == periods
    assert (result.periods, result.events) == (len(periods), len(periods))
    assert book.as_of[Granularity.HOUR] == datetime.fromisoformat(heartbeats[0]["started_at"])


async def test_another_attempt_of_a_full_rollup_marks_only_what_is_left() -> None:
    periods = _hours(3)
    book = FakeCountBook(events=dict.fromkeys(periods, 1), changed=set())
    marked_two = {
        "started_at": NOON.isoformat(),
        "all_marked": False,
        "last_marked": {"tenant": "acme", "start": periods[1].start.isoformat()},
    }

    await _environment([], resumed_from=marked_two).run(
        RollupActivities(book).roll_up, HOURLY.model_copy(update={"full": True})
    )

    assert book.counted == [periods[2]]


async def test_period_that_changes_behind_the_rollup_is_left_to_the_next_one() -> None:
    periods = _hours(2)

    class EverChanging(FakeCountBook):
        async def count_changed(self, granularity: Granularity, *, after: Period | None, limit: int) -> Any:
            batch = await super().count_changed(granularity, after=after, limit=1)
            self.changed.add(periods[0])
            return batch

    book = EverChanging(events=dict.fromkeys(periods, 1))

    result = await ActivityEnvironment().run(RollupActivities(book).roll_up, HOURLY)

    assert result.periods == 2
    assert book.changed == {periods[0]}
