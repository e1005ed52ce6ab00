from datetime import UTC, datetime, timedelta

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from analytics_service.activities.events import EventActivities
from platform_contracts.analytics.events import Event, event_of
from platform_contracts.analytics.failures import AnalyticsFailure
from platform_contracts.analytics.record_events import RecordEventsRequest
from tests.fakes.analytics import FakeEventLog


def _event(subject_id: str, *, occurred_at: datetime | None = None) -> Event:
    return event_of(
        tenant="acme",
        event_type="user.onboarded",
        subject_id=subject_id,
        occurred_at=occurred_at or datetime.now(UTC),
    )


async def test_new_events_are_recorded_and_known_ones_are_duplicates() -> None:
    log = FakeEventLog()
    record_events = EventActivities(log).record_events
    await ActivityEnvironment().run(record_events, RecordEventsRequest(events=(_event("u-1"),)))

    result = await ActivityEnvironment().run(
        record_events, RecordEventsRequest(events=(_event("u-1"), _event("u-2"), _event("u-2")))
    )

    assert (result.recorded, result.duplicates) == (1, 2)
    assert {event.subject_id for event in log.events.values()} == {"u-1", "u-2"}


async def test_events_carry_when_they_were_received() -> None:
    log = FakeEventLog()
    before = datetime.now(UTC)

    await ActivityEnvironment().run(
        EventActivities(log).record_events, RecordEventsRequest(events=(_event("u-1", occurred_at=before),))
    )

    assert before <= log.received_at[0] <= datetime.now(UTC)


async def test_one_invalid_event_refuses_the_batch_for_good() -> None:
    log = FakeEventLog()
    invalid = _event("u-2", occurred_at=datetime.now(UTC) + timedelta(days=2))

    with pytest.raises(ApplicationError) as raised:
        await ActivityEnvironment().run(
            EventActivities(log).record_events, RecordEventsRequest(events=(_event("u-1"), invalid))
        )

    assert raised.value.type == AnalyticsFailure.INVALID_EVENT
    assert raised.value.non_retryable
    assert log.events == {}


async def test_database_that_is_away_is_no_failure_of_the_contract() -> None:
    log = FakeEventLog(away_for_calls=1)

    with pytest.raises(ConnectionError):
        await ActivityEnvironment().run(
            EventActivities(log).record_events, RecordEventsRequest(events=(_event("u-1"),))
        )

    assert log.events == {}
