"""Operations: list them, look at one, cancel one."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from platform_contracts.view import PageSize
from platform_gateway.identity.callers import Scope
from platform_gateway.moments import Moment
from platform_gateway.operations.operation_filter import (
    MAX_CURSOR_CHARACTERS,
    MAX_TYPE_CHARACTERS,
    TYPE_PATTERN,
    Domain,
    OpenOrClosed,
    OperationFilter,
)
from platform_gateway.operations.operation_models import OperationsPage
from platform_gateway.problem_route import Authenticate, guarded_route
from platform_gateway.problems import documented
from platform_gateway.rest_models import Accepted, OperationStatus
from platform_gateway.routes.shared import (
    ACCEPTED,
    CANCEL_OPERATION_ROUTE,
    OPERATION_ROUTE,
    WORKFLOW_ID_PARAMETER,
    Tenant,
    Who,
    WorkflowId,
    accepted,
    path_to,
    path_to_resource,
)
from platform_gateway.workflow_gateway import WorkflowGateway

OperationType = Annotated[
    str | None,
    Query(max_length=MAX_TYPE_CHARACTERS, pattern=TYPE_PATTERN, description="For example `listing.Purchase`."),
]
OperationsCursor = Annotated[
    str | None,
    Query(
        max_length=MAX_CURSOR_CHARACTERS,
        description="`nextCursor` of the page before, with the same filter; none for the first page.",
    ),
]
_MOMENT = "Exclusive, with its offset: `2026-11-23T12:00:00Z`."
Blocked = Annotated[bool, Query(description="Only open operations that do not move, each with `blockedBy`.")]


def operations_router(workflows: WorkflowGateway, *, authenticate: Authenticate) -> APIRouter:
    """Return the router of `/v1/operations`."""
    router = APIRouter(prefix="/v1/operations", tags=["operations"], route_class=guarded_route(authenticate))
    _add_list(router, workflows)

    @router.get(
        "/{workflowId}",
        operation_id="getOperation",
        name=OPERATION_ROUTE,
        response_model=OperationStatus,
        responses=documented(401, 403, 404, 500, 503),
        summary="Where an operation stands",
        openapi_extra=WORKFLOW_ID_PARAMETER,
    )
    async def operation(request: Request, caller: Who, workflow_id: WorkflowId) -> OperationStatus:
        """Tell where an operation stands, and why it does not move; works while no worker does."""
        return await workflows.status(
            caller.account_of(workflow_id),
            workflow_id,
            self_path=path_to(request, OPERATION_ROUTE),
            cancel_path=path_to(request, CANCEL_OPERATION_ROUTE),
            resource_path=path_to_resource(request),
            raw_texts=Scope.OPERATIONS_OPERATE in caller.scopes,
        )

    @router.post(
        "/{workflowId}/cancel",
        operation_id="cancelOperation",
        name=CANCEL_OPERATION_ROUTE,
        status_code=202,
        response_model=Accepted,
        responses={**ACCEPTED, **documented(401, 403, 404, 409, 413, 500, 503)},
        summary="Cancel an operation",
        openapi_extra=WORKFLOW_ID_PARAMETER,
    )
    async def cancel(request: Request, tenant: Tenant, workflow_id: WorkflowId) -> Response:
        """Ask an operation to stop and to undo what it did; its status tells when it has."""
        found = await workflows.cancel(tenant, workflow_id)
        return accepted(found.workflow_id, found.run_id, found.status, location=path_to(request, OPERATION_ROUTE))

    return router


# Async although it waits for nothing: FastAPI would run it in a thread on every request.
async def _filter(
    domain: Annotated[Domain | None, Query()] = None,
    type: OperationType = None,  # noqa: A002 - the API's own word
    status: Annotated[OpenOrClosed | None, Query()] = None,
    started_after: Annotated[Moment | None, Query(alias="startedAfter", description=_MOMENT)] = None,
    started_before: Annotated[Moment | None, Query(alias="startedBefore", description=_MOMENT)] = None,
    blocked: Blocked = False,
) -> OperationFilter:
    return OperationFilter(
        domain=domain,
        type=type,
        status=status,
        started_after=started_after,
        started_before=started_before,
        blocked=blocked,
    )


def _add_list(router: APIRouter, workflows: WorkflowGateway) -> None:
    @router.get(
        "",
        operation_id="listOperations",
        response_model=OperationsPage,
        responses=documented(401, 403, 422, 500, 503),
        summary="List operations",
    )
    async def operations(
        request: Request,
        caller: Who,
        wanted: Annotated[OperationFilter, Depends(_filter)],
        limit: Annotated[PageSize, Query()] = 50,
        cursor: OperationsCursor = None,
    ) -> OperationsPage:
        """Return a page of the account's operations, open ones first, newest first.

        An operation appears up to some seconds after its start. With `blocked=true` at most 200 open operations are
        looked at for one page, so a page may be short or empty and still have a `nextCursor`.
        """
        return await workflows.operations(
            caller.tenant,
            wanted,
            limit=limit,
            cursor=cursor,
            self_path=path_to(request, OPERATION_ROUTE),
            cancel_path=path_to(request, CANCEL_OPERATION_ROUTE),
            resource_path=path_to_resource(request),
            raw_texts=Scope.OPERATIONS_OPERATE in caller.scopes,
        )
