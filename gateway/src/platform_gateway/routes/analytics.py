"""Analytics: how often what happened."""

from typing import Annotated

from fastapi import APIRouter, Query

from platform_contracts.analytics.rollup import Granularity
from platform_contracts.analytics.views import EVENT_COUNTS, EventCountsQuery
from platform_contracts.view import PageSize
from platform_gateway.moments import Moment
from platform_gateway.problem_route import Authenticate, guarded_route
from platform_gateway.problems import documented
from platform_gateway.rest_models import EventCountsPage
from platform_gateway.routes.shared import Cursor, Tenant
from platform_gateway.views_client import ViewsClient

EventType = Annotated[
    str, Query(pattern=r"^[a-z0-9_.]{1,80}$", description="One event type, such as `user.onboarded`.")
]


def analytics_router(views: ViewsClient, *, authenticate: Authenticate) -> APIRouter:
    """Return the router of `/v1/analytics`."""
    router = APIRouter(prefix="/v1/analytics", tags=["analytics"], route_class=guarded_route(authenticate))

    @router.get(
        "/event-counts",
        operation_id="listEventCounts",
        response_model=EventCountsPage,
        responses=documented(401, 403, 422, 500, 503),
        summary="Count events",
    )
    async def event_counts(
        tenant: Tenant,
        granularity: Granularity = Granularity.HOUR,
        type: EventType | None = None,  # noqa: A002 - the name of the parameter
        since: Moment | None = None,
        until: Moment | None = None,
        limit: Annotated[PageSize, Query()] = 100,
        cursor: Cursor = None,
    ) -> EventCountsPage:
        """Return how often each event happened in each period, newest period first, as of the last rollup."""
        query = EventCountsQuery(
            granularity=granularity, type=type, since=since, until=until, limit=limit, cursor=cursor
        )
        page = await views.read(EVENT_COUNTS, query, tenant=tenant)
        return EventCountsPage.model_validate(page.model_dump())

    return router
