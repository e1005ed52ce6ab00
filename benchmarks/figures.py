"""What was measured, and what is said about it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Round:
    """One stretch of calls of one kind, nothing else being called meanwhile."""

    seconds: float
    """From the first call's start to the last one's end."""
    latencies: tuple[float, ...]
    """Of each call, in seconds."""

    @property
    def per_second(self) -> float:
        """How many calls came to their end in a second."""
        return len(self.latencies) / self.seconds


@dataclass(frozen=True)
class Summary:
    """All rounds of one kind together."""

    calls: int
    per_second: float
    p50_milliseconds: float
    p99_milliseconds: float


@dataclass(frozen=True)
class Ratios:
    """How fast ours is, as a share of the other: 1.0 is the same, below it ours is slower."""

    throughput: float
    """The median of the ratios of the pairs: each compares two rounds that followed each other."""
    throughput_of_pairs: tuple[float, ...]
    p50: float
    p99: float


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest of the values that so many percent of them do not exceed (the nearest rank).

    Raises:
        ValueError: when there are no values, or the percentage is none.
    """
    if not values or not 0 < percent <= 100:  # noqa: PLR2004 - that is what percent means
        raise ValueError(f"there is no percentile {percent} of {len(values)} values")
    return sorted(values)[math.ceil(len(values) * percent / 100) - 1]


def summary(rounds: Sequence[Round]) -> Summary:
    """Return what all the rounds say together.

    Raises:
        ValueError: when there are none.
    """
    latencies = [each for one in rounds for each in one.latencies]
    return Summary(
        calls=len(latencies),
        per_second=len(latencies) / sum(one.seconds for one in rounds),
        p50_milliseconds=1_000 * percentile(latencies, 50),
        p99_milliseconds=1_000 * percentile(latencies, 99),
    )


def ratios(ours: Sequence[Round], other: Sequence[Round]) -> Ratios:
    """Compare rounds that were made in pairs.

    Raises:
        ValueError: when they are not as many, or none.
    """
    pairs = tuple(mine.per_second / its.per_second for mine, its in zip(ours, other, strict=True))
    mine, its = summary(ours), summary(other)
    return Ratios(
        throughput=median(pairs),
        throughput_of_pairs=pairs,
        p50=its.p50_milliseconds / mine.p50_milliseconds,
        p99=its.p99_milliseconds / mine.p99_milliseconds,
    )
