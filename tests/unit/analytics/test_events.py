from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics_service.domain.events import AHEAD_AT_MOST, EARLIEST, check_event, check_owner
from analytics_service.domain.failures import InvalidEventError
from platform_contracts.analytics.events import Event, event_of

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def _event(*, occurred_at: datetime = NOW, subject_id: str = "u-1", event_id: str = "acme:user.onboarded:u-1") -> Event:
    return Event(
        event_id=event_id, tenant="acme", type="user.onboarded", subject_id=subject_id, occurred_at=occurred_at
    )


@given(st.timedeltas(min_value=EARLIEST - NOW, max_value=AHEAD_AT_MOST))
def test_event_between_2000_and_a_day_from_now_is_accepted(distance: timedelta) -> None:
    event = _event(occurred_at=NOW + distance)

    check_event(event, now=NOW)

    assert EARLIEST <= event.occurred_at <= NOW + AHEAD_AT_MOST


@pytest.mark.parametrize(
    "moment",
    [
        NOW + AHEAD_AT_MOST + timedelta(microseconds=1),
        datetime.max.replace(tzinfo=timezone(-timedelta(hours=12))),
    ],
)
def test_event_of_the_day_after_tomorrow_is_invalid(moment: datetime) -> None:
    with pytest.raises(InvalidEventError, match="more than 1 day after now"):
        check_event(_event(occurred_at=moment), now=NOW)


@pytest.mark.parametrize(
    "moment",
    [
        EARLIEST - timedelta(microseconds=1),
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime.min.replace(tzinfo=timezone(timedelta(hours=12))),
    ],
)
def test_event_of_a_clock_that_was_never_set_is_invalid(moment: datetime) -> None:
    with pytest.raises(InvalidEventError, match="before 2000"):
        check_event(_event(occurred_at=moment), now=NOW)


@pytest.mark.parametrize("subject_id", ["", "x" * 201])
def test_subject_id_of_no_length_an_id_has_is_invalid(subject_id: str) -> None:
    with pytest.raises(InvalidEventError, match="1 to 200 characters"):
        check_event(_event(subject_id=subject_id), now=NOW)


@pytest.mark.parametrize("text", ["a\0b", "a\ud800b", "a\nb"])
def test_subject_id_that_a_database_could_not_keep_is_invalid(text: str) -> None:
    with pytest.raises(InvalidEventError, match="subject id holds characters"):
        check_event(_event(subject_id=text), now=NOW)


def test_event_id_that_a_database_could_not_keep_is_invalid() -> None:
    with pytest.raises(InvalidEventError, match="event id holds characters"):
        check_event(_event(event_id="a\0b"), now=NOW)


def test_failure_names_the_event_and_the_reason() -> None:
    with pytest.raises(InvalidEventError) as raised:
        check_event(_event(subject_id=""), now=NOW)

    assert raised.value.event_id == "acme:user.onboarded:u-1"
    assert raised.value.reason in str(raised.value)


def test_event_of_another_tenant_is_refused() -> None:
    event = event_of(tenant="acme", event_type="user.onboarded", subject_id="u-1", occurred_at=NOW)

    check_owner(event, tenant="acme")
    with pytest.raises(InvalidEventError, match="another tenant"):
        check_owner(event, tenant="other")
