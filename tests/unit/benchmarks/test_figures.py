"""The benchmark says of its measurements what they are."""

import pytest

from benchmarks.figures import Round, percentile, ratios, summary


def test_percentile_is_a_value_that_was_measured() -> None:
    values = [float(each) for each in range(1, 101)]

    assert percentile(values, 50) == 50
    assert percentile(values, 99) == 99
    assert percentile(values, 100) == 100


def test_percentile_does_not_mind_the_order() -> None:
    assert percentile([3.0, 1.0, 2.0], 50) == 2.0


def test_high_percentile_of_few_values_is_the_highest() -> None:
    assert percentile([1.0, 9.0], 99) == 9.0


@pytest.mark.parametrize("percent", [0, 101])
def test_what_is_no_percentage_is_refused(percent: float) -> None:
    with pytest.raises(ValueError, match="no percentile"):
        percentile([1.0], percent)


def test_nothing_has_no_percentile() -> None:
    with pytest.raises(ValueError, match="0 values"):
        percentile([], 50)


def test_summary_counts_all_calls_in_all_the_time() -> None:
    rounds = [Round(seconds=1, latencies=(0.1,) * 10), Round(seconds=3, latencies=(0.3,) * 10)]

    found = summary(rounds)

    assert found.calls == 20
    assert found.per_second == 5
    assert found.p50_milliseconds == pytest.approx(100)
    assert found.p99_milliseconds == pytest.approx(300)


def test_ratio_of_throughput_is_the_median_of_the_pairs() -> None:
    other = [Round(seconds=1, latencies=(0.1,) * 10)] * 3
    ours = [Round(seconds=1, latencies=(0.2,) * calls) for calls in (9, 2, 8)]

    found = ratios(ours, other)

    assert found.throughput_of_pairs == (0.9, 0.2, 0.8)
    assert found.throughput == 0.8


def test_ratio_of_latency_is_below_one_where_ours_is_slower() -> None:
    found = ratios([Round(seconds=1, latencies=(0.2,))], [Round(seconds=1, latencies=(0.1,))])

    assert found.p50 == pytest.approx(0.5)
    assert found.p99 == pytest.approx(0.5)


def test_rounds_without_a_partner_are_refused() -> None:
    with pytest.raises(ValueError, match="longer"):
        ratios([], [Round(seconds=1, latencies=(0.1,))])
