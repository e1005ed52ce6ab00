"""What the analytics service shows: counts of events."""

from datetime import datetime
from typing import Final

from pydantic import AwareDatetime

from platform_contracts.analytics.rollup import Granularity
from platform_contracts.message import ContractModel
from platform_contracts.view import PageSize, View


class EventCountsQuery(ContractModel):
    """Which counts, and which page of them."""

    granularity: Granularity = Granularity.HOUR
    type: str | None = None
    """One event type; None for all."""
    since: AwareDatetime | None = None
    """The earliest start of a period; None for all there are."""
    until: AwareDatetime | None = None
    """Periods that start at this moment or later are left out; None for all there are."""
    limit: PageSize = 100
    cursor: str | None = None
    """`next_cursor` of the page before; None for the first page."""


class EventCount(ContractModel):
    """How often something happened in one period."""

    type: str
    period_start: datetime
    count: int


class EventCounts(ContractModel):
    """A page of counts, newest period first, as of the last rollup."""

    granularity: Granularity
    counts: tuple[EventCount, ...]
    counted_at: datetime | None
    """When the counts were brought up to date last; None before the first rollup."""
    next_cursor: str | None = None
    """None when this page is the last."""


EVENT_COUNTS: Final = View(path="/views/event-counts", query_type=EventCountsQuery, answer_type=EventCounts)
