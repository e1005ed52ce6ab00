from datetime import timedelta

from sqlalchemy import func, select

from analytics_service.persistence.event_log import SqlEventLog
from analytics_service.persistence.tables import CHANGED_PERIODS, EVENTS
from platform_runtime.database import Database
from tests.integration.analytics.samples import NOON, event


async def test_event_is_kept_as_it_was_reported(database: Database) -> None:
    recorded = await SqlEventLog(database).record([event("e-1")], received_at=NOON + timedelta(seconds=3))

    async with database.read() as connection:
        row = (await connection.execute(select(EVENTS))).one()
    assert recorded == 1
    assert tuple(row) == ("acme", "e-1", "user.onboarded", "e-1", NOON, NOON + timedelta(seconds=3))


async def test_event_is_kept_once_however_often_it_is_reported(database: Database) -> None:
    log = SqlEventLog(database)
    await log.record([event("e-1")], received_at=NOON)

    again = await log.record([event("e-1"), event("e-2"), event("e-2")], received_at=NOON)

    assert again == 1
    assert await _number_of_events(database) == 2


async def test_first_report_stays_when_another_says_something_else(database: Database) -> None:
    log = SqlEventLog(database)
    await log.record([event("e-1", event_type="first"), event("e-1", event_type="second")], received_at=NOON)
    await log.record([event("e-1", event_type="third")], received_at=NOON)

    async with database.read() as connection:
        types = (await connection.execute(select(EVENTS.c.type))).scalars().all()
    assert types == ["first"]


async def test_same_id_of_another_tenant_is_another_event(database: Database) -> None:
    recorded = await SqlEventLog(database).record([event("e-1"), event("e-1", tenant="other")], received_at=NOON)

    assert recorded == 2


async def test_new_events_mark_their_hour_and_their_day_as_changed(database: Database) -> None:
    await SqlEventLog(database).record(
        [event("e-1", occurred_at=NOON + timedelta(minutes=59)), event("e-2", occurred_at=NOON)], received_at=NOON
    )

    assert await _changed(database) == [("day", "acme", NOON.replace(hour=0)), ("hour", "acme", NOON)]


async def test_duplicates_change_nothing(database: Database) -> None:
    log = SqlEventLog(database)
    await log.record([event("e-1")], received_at=NOON)
    async with database.write() as connection:
        await connection.execute(CHANGED_PERIODS.delete())

    await log.record([event("e-1")], received_at=NOON)

    assert await _changed(database) == []


async def test_largest_batch_is_one_transaction(database: Database) -> None:
    batch = [event(f"e-{number}", occurred_at=NOON - timedelta(hours=number)) for number in range(500)]

    recorded = await SqlEventLog(database).record(batch, received_at=NOON)

    assert recorded == 500
    assert await _number_of_events(database) == 500


async def _number_of_events(database: Database) -> int:
    async with database.read() as connection:
        return (await connection.execute(select(func.count()).select_from(EVENTS))).scalar_one()


async def _changed(database: Database) -> list[tuple[object, ...]]:
    columns = CHANGED_PERIODS.c
    async with database.read() as connection:
        rows = await connection.execute(
            select(columns.granularity, columns.tenant, columns.period_start).order_by(columns.granularity)
        )
        return [tuple(row) for row in rows]
