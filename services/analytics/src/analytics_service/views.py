"""What the analytics service shows to the gateway."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import SecretStr
from starlette.routing import BaseRoute

from analytics_service.domain.periods import Granularity
from analytics_service.ports import CountReader
from platform_contracts.analytics.views import EVENT_COUNTS, EventCount, EventCounts, EventCountsQuery
from platform_runtime.internal_app import view_route
from platform_runtime.page_cursor import InvalidCursorError, decode_cursor, encode_cursor


def views(*, counts: CountReader, token: SecretStr | None) -> Sequence[BaseRoute]:
    """Return the routes of all views."""

    async def event_counts(tenant: str, query: EventCountsQuery) -> EventCounts:
        return await read_event_counts(counts, tenant, query)

    return [view_route(EVENT_COUNTS, event_counts, token=token)]


async def read_event_counts(counts: CountReader, tenant: str, query: EventCountsQuery) -> EventCounts:
    """Return a page of the tenant's counts, newest period first; without any rollup there are none.

    Raises:
        InvalidCursorError: when the cursor is none of this view.
    """
    granularity = Granularity(query.granularity)
    # Read before the counts, so that it never promises more than they hold.
    counted_at = await counts.counted_at(granularity)
    # One more than asked for tells whether there is a next page.
    found = await counts.page(
        granularity,
        tenant=tenant,
        type=query.type,
        since=query.since,
        until=query.until,
        after=_position(query.cursor),
        limit=query.limit + 1,
    )
    shown = found[: query.limit]
    return EventCounts(
        granularity=query.granularity,
        counts=tuple(EventCount(type=row.type, period_start=row.period_start, count=row.count) for row in shown),
        counted_at=counted_at,
        next_cursor=encode_cursor(shown[-1].period_start.isoformat(), shown[-1].type)
        if len(found) > len(shown)
        else None,
    )


def _position(cursor: str | None) -> tuple[datetime, str] | None:
    if cursor is None:
        return None
    period_start, event_type = decode_cursor(cursor, parts=2)
    try:
        moment = datetime.fromisoformat(period_start)
    except ValueError:
        raise InvalidCursorError from None
    if moment.tzinfo is None:
        raise InvalidCursorError
    return moment, event_type
