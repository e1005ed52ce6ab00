"""The events of an operation as they happen, by Server-Sent Events."""

from collections.abc import AsyncGenerator
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Header
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.responses import Response

from platform_gateway.following.following import POSITION_PATTERN, Following
from platform_gateway.problem_route import Authenticate, guarded_route
from platform_gateway.problems import Kind, Problem, documented
from platform_gateway.protection.stream_places import StreamPlaces
from platform_gateway.routes.shared import WORKFLOW_ID_PARAMETER, Tenant, WorkflowId
from platform_gateway.workflow_gateway import WorkflowGateway

_RETRY_MILLISECONDS: Final = 2000
"""When a client that lost its stream comes again."""

_DESCRIBED: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The events, each with an `id`, a name (`event`) and JSON (`data`). It ends after `closed`; "
        "one that ends earlier is gone on with by `Last-Event-ID`.",
        "headers": {
            "Cache-Control": {"schema": {"type": "string"}},
            "X-Accel-Buffering": {"schema": {"type": "string"}},
        },
    },
    204: {"description": "`Last-Event-ID` is that of `closed`: nothing will come any more."},
}

LastEventId = Annotated[
    str | None,
    Header(
        alias="Last-Event-ID",
        description="The `id` of the last event that arrived: what came after it follows.",
        json_schema_extra={"pattern": f"^{POSITION_PATTERN}$"},
    ),
]


class _NothingMore(Problem):
    """There is nothing to follow any more; a client that hears 204 does not come again."""

    def __init__(self) -> None:
        super().__init__(Kind.OPERATION_CLOSED)

    def response(self) -> Response:
        return Response(status_code=204)


def operation_events_router(
    workflows: WorkflowGateway, *, authenticate: Authenticate, streams_per_tenant: int, longest_seconds: float
) -> APIRouter:
    """Return the router of `/v1/operations/{workflowId}/events`."""
    router = APIRouter(prefix="/v1/operations", tags=["operations"], route_class=guarded_route(authenticate))
    places = StreamPlaces(streams_per_tenant)

    async def place(tenant: Tenant) -> AsyncGenerator[None]:
        with places.taken(tenant):
            yield

    async def opened(
        response: Response, tenant: Tenant, workflow_id: WorkflowId, last_event_id: LastEventId = None
    ) -> Following:
        following = await workflows.following(tenant, workflow_id, last_event_id)
        if following.is_over:
            raise _NothingMore
        response.headers["Cache-Control"] = "no-store"
        return following

    @router.get(
        "/{workflowId}/events",
        operation_id="streamOperationEvents",
        response_class=EventSourceResponse,
        responses={**_DESCRIBED, **documented(401, 403, 404, 422, 429, 500, 503)},
        summary="Follow an operation",
        dependencies=[Depends(place)],
        openapi_extra=WORKFLOW_ID_PARAMETER,
    )
    async def events(following: Annotated[Following, Depends(opened)]) -> AsyncGenerator[ServerSentEvent]:
        """Tell what happens to an operation, as it happens, until it has closed; works while no worker does.

        The names of events are `started`, `progress`, `waiting`, `compensation`, `stepScheduled`, `stepStarted`,
        `stepCompleted`, `stepFailed`, `stepCanceled`, `timerStarted`, `timerFired`, `childStarted`, `childCompleted`,
        `childFailed`, `cancelRequested`, `paused`, `resumed`, `reset`, `continued` and `closed`; pass over others.
        """
        yield ServerSentEvent(retry=_RETRY_MILLISECONDS)
        async for event in workflows.follow(following, longest_seconds=longest_seconds):
            yield ServerSentEvent(id=str(event.position), event=event.name, data=event.data)

    return router
