"""Whatever is reported and whenever it is counted, the counts are those of a full recompute."""

import shutil
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics_service.domain.periods import Granularity
from analytics_service.persistence.event_log import SqlEventLog
from analytics_service.persistence.tables import METADATA
from platform_contracts.analytics.events import Event
from platform_runtime.database import Database
from platform_runtime.migrations import migrate
from tests.integration.analytics.samples import MIGRATIONS, NOON, counted_by_hand, counts_of, event, roll_up

TENANTS = ("a-b", "ab")


def _moment(hours: int, microseconds: int) -> datetime:
    return NOON + timedelta(hours=hours, microseconds=microseconds)


# Few ids, hours and moments near a boundary, so that duplicates and late arrivals are the rule.
EVENTS = st.builds(
    event,
    st.integers(0, 12).map(lambda number: f"e-{number}"),
    tenant=st.sampled_from(TENANTS),
    occurred_at=st.builds(_moment, st.integers(-30, 2), st.sampled_from([-1, 0, 1])),
    event_type=st.sampled_from(["user.notified", "user.onboarded"]),
)
REPORT = st.lists(EVENTS, min_size=1, max_size=8)
ROLLUP = st.tuples(st.sampled_from(Granularity), st.booleans())
WHAT_HAPPENS = st.lists(REPORT | ROLLUP, max_size=12)

NewDatabase = Callable[[], AbstractAsyncContextManager[Database]]


@pytest.fixture(scope="module")
def new_database(tmp_path_factory: pytest.TempPathFactory) -> NewDatabase:
    """Return what opens an empty SQLite database each time, without migrating it each time."""
    directory: Path = tmp_path_factory.mktemp("properties")
    template = directory / "template.sqlite3"
    migrate(f"sqlite:///{template}", MIGRATIONS)
    numbers = count()

    @asynccontextmanager
    async def opened() -> AsyncGenerator[Database]:
        path = directory / f"{next(numbers)}.sqlite3"
        shutil.copy(template, path)
        async with Database.opened(f"sqlite:///{path}") as database:
            yield database

    return opened


@settings(max_examples=60, deadline=None)
@given(WHAT_HAPPENS)
async def test_counts_are_those_of_a_full_recompute(
    new_database: NewDatabase, what_happens: list[list[Event] | tuple[Granularity, bool]]
) -> None:
    async with new_database() as database:
        await _happens_in(database, what_happens)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(WHAT_HAPPENS)
async def test_counts_on_postgresql_are_those_of_a_full_recompute(
    postgres: Database, what_happens: list[list[Event] | tuple[Granularity, bool]]
) -> None:
    async with postgres.write() as connection:
        for table in METADATA.tables.values():
            await connection.execute(table.delete())

    await _happens_in(postgres, what_happens)


async def _happens_in(database: Database, what_happens: list[list[Event] | tuple[Granularity, bool]]) -> None:
    reported: list[Event] = []
    for step in what_happens:
        if isinstance(step, list):
            reported.extend(step)
            await SqlEventLog(database).record(step, received_at=NOON)
        else:
            granularity, full = step
            await roll_up(database, granularity, full=full)
            assert await counts_of(database, TENANTS, granularity) == counted_by_hand(reported, granularity)
    for granularity in Granularity:
        await roll_up(database, granularity)
        assert await counts_of(database, TENANTS, granularity) == counted_by_hand(reported, granularity)
