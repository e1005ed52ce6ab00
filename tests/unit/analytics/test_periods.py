from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from analytics_service.domain.periods import Granularity, Period, period_of, period_start
from platform_contracts.analytics.rollup import Granularity as ContractGranularity


def _moment(distance: timedelta, zone_minutes: int) -> datetime:
    return (datetime(2000, 1, 1, tzinfo=UTC) + distance).astimezone(timezone(timedelta(minutes=zone_minutes)))


MOMENTS = st.builds(
    _moment,
    st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=36_500)),
    st.integers(-14 * 60, 14 * 60),
)


@given(MOMENTS, st.sampled_from(Granularity))
def test_moment_lies_in_its_period(moment: datetime, granularity: Granularity) -> None:
    start = period_start(moment, granularity)

    assert start <= moment < start + granularity.length


@given(MOMENTS, st.sampled_from(Granularity))
def test_period_is_the_same_wherever_the_moment_was_noted(moment: datetime, granularity: Granularity) -> None:
    assert period_start(moment, granularity) == period_start(moment.astimezone(UTC), granularity)


@given(MOMENTS)
def test_every_hour_lies_in_one_day(moment: datetime) -> None:
    hour = period_start(moment, Granularity.HOUR)

    assert period_start(hour, Granularity.DAY) == period_start(moment, Granularity.DAY)


def test_day_begins_at_midnight_in_utc() -> None:
    in_tokyo = datetime(2026, 11, 24, 8, 59, tzinfo=timezone(timedelta(hours=9)))

    assert period_start(in_tokyo, Granularity.DAY) == datetime(2026, 11, 23, tzinfo=UTC)
    assert period_start(in_tokyo, Granularity.HOUR) == datetime(2026, 11, 23, 23, tzinfo=UTC)


def test_periods_are_ordered_by_tenant_and_then_by_time() -> None:
    noon = datetime(2026, 11, 23, 12, tzinfo=UTC)
    later = period_of(tenant="a-b", moment=noon + timedelta(hours=1), granularity=Granularity.HOUR)
    other = period_of(tenant="ab", moment=noon, granularity=Granularity.HOUR)

    assert sorted([other, later, Period("a-b", noon)]) == [Period("a-b", noon), later, other]


def test_granularities_are_those_of_the_contract() -> None:
    assert [granularity.value for granularity in Granularity] == [each.value for each in ContractGranularity]
