"""Hours and days: what one count is about."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum


class Granularity(StrEnum):
    """How long a period is; the words are stored, and equal those of the contract."""

    HOUR = "hour"
    DAY = "day"

    @property
    def length(self) -> timedelta:
        """How long."""
        return timedelta(hours=1) if self is Granularity.HOUR else timedelta(days=1)


@dataclass(frozen=True, order=True)
class Period:
    """One hour or one day of one tenant, in the order in which periods are counted."""

    tenant: str
    start: datetime


def period_start(moment: datetime, granularity: Granularity) -> datetime:
    """Return the full hour, or the midnight, at or before the moment; both UTC."""
    hour = moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return hour if granularity is Granularity.HOUR else hour.replace(hour=0)


def period_of(*, tenant: str, moment: datetime, granularity: Granularity) -> Period:
    """Return the tenant's period that the moment lies in."""
    return Period(tenant, period_start(moment, granularity))
