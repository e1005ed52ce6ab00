"""Operations: look at one, cancel one."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from platform_gateway.problem_route import Authenticate, guarded_route
from platform_gateway.problems import documented
from platform_gateway.rest_models import Accepted, OperationStatus
from platform_gateway.routes.shared import (
    ACCEPTED,
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

_CANCEL_ROUTE = "operation_cancel"


def operations_router(workflows: WorkflowGateway, *, authenticate: Authenticate) -> APIRouter:
    """Return the router of `/v1/operations`."""
    router = APIRouter(prefix="/v1/operations", tags=["operations"], route_class=guarded_route(authenticate))

    @router.get(
        "/{workflowId}",
        operation_id="getOperation",
        name=OPERATION_ROUTE,
        response_model=OperationStatus,
        responses=documented(401, 403, 404, 500, 503),
        summary="Where an operation stands",
        openapi_extra=WORKFLOW_ID_PARAMETER,
    )
    async def operation(request: Request, who: Who, workflow_id: WorkflowId) -> OperationStatus:
        """Tell where an operation stands, and why it does not move; works while no worker does."""
        return await workflows.status(
            who.account_of(workflow_id),
            workflow_id,
            self_path=path_to(request, OPERATION_ROUTE),
            cancel_path=path_to(request, _CANCEL_ROUTE),
            resource_path=path_to_resource(request),
        )

    @router.post(
        "/{workflowId}/cancel",
        operation_id="cancelOperation",
        name=_CANCEL_ROUTE,
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
