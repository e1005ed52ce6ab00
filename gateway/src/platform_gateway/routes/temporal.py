"""The asked routes, exact and for good; also to be mounted in another FastAPI application."""

from functools import partial

from fastapi import APIRouter, Request
from starlette.responses import Response

from platform_gateway.commands import notify, onboard
from platform_gateway.operations.waiting import client_gone
from platform_gateway.problem_route import Authenticate, guarded_route
from platform_gateway.problems import documented
from platform_gateway.rest_models import (
    Accepted,
    NotificationRequest,
    OnboardingDone,
    OnboardingRequest,
    OnboardingResult,
    OperationStatus,
)
from platform_gateway.routes.headers import IdempotencyKey, Prefer
from platform_gateway.routes.shared import (
    ACCEPTED,
    DONE,
    WORKFLOW_ID_PARAMETER,
    Tenant,
    WorkflowId,
    accepted,
    accepted_start,
    executed,
    path_to,
    path_to_resource,
)
from platform_gateway.workflow_gateway import WorkflowGateway

_STATUS_ROUTE = "temporal_workflow_status"
_CANCEL_ROUTE = "temporal_workflow_cancel"


def temporal_router(
    workflows: WorkflowGateway, *, authenticate: Authenticate, execute_wait_seconds: float = 10
) -> APIRouter:
    """Return the router of `/api/temporal`; its errors are problems in any application that includes it.

    Args:
        workflows: the connection to Temporal.
        authenticate: returns the tenant that a request acts for, or raises.
        execute_wait_seconds: how long `execute` waits for a result before it answers 202.
    """
    router = APIRouter(prefix="/api/temporal", tags=["workflows"], route_class=guarded_route(authenticate))

    @router.post(
        "/notification/start",
        operation_id="startNotification",
        status_code=202,
        response_model=Accepted,
        responses={**ACCEPTED, **documented(400, 401, 403, 413, 415, 422, 500, 503)},
        summary="Start a notification",
    )
    async def start_notification(
        request: Request, tenant: Tenant, body: NotificationRequest, idempotency_key: IdempotencyKey = None
    ) -> Response:
        """Notify a user. Each request is a new notification, unless it repeats an `Idempotency-Key`."""
        command = notify(body, tenant=tenant, user_id=body.user_id, idempotency_key=idempotency_key)
        return accepted_start(await workflows.start(command), location=path_to(request, _STATUS_ROUTE))

    @router.post(
        "/onboarding/execute",
        operation_id="executeOnboarding",
        response_model=OnboardingDone,
        responses={
            200: DONE,
            **ACCEPTED,
            **documented(400, 401, 403, 409, 413, 415, 422, 500, 503),
        },
        summary="Onboard a user and wait for the result",
    )
    async def execute_onboarding(
        request: Request,
        tenant: Tenant,
        body: OnboardingRequest,
        prefer: Prefer = None,
        idempotency_key: IdempotencyKey = None,  # noqa: ARG001 - checked; the user's id is the key
    ) -> Response:
        """Onboard a user, once by `userId`; a repeat with the same body gets the first result.

        It waits for the result as long as `Prefer: wait` says, and without that for as long as the gateway is set to.
        """
        execution = await workflows.execute(
            onboard(body, tenant=tenant, user_id=body.user_id),
            wait_seconds=execute_wait_seconds if prefer is None else prefer,
            gone=partial(client_gone, request),
        )
        return executed(
            execution,
            result_type=OnboardingResult,
            location=path_to(request, _STATUS_ROUTE),
            waited_seconds=prefer,
        )

    @router.get(
        "/workflow/{workflowId}/status",
        operation_id="getWorkflowStatus",
        name=_STATUS_ROUTE,
        response_model=OperationStatus,
        responses=documented(401, 403, 404, 500, 503),
        summary="Where a workflow stands",
        openapi_extra=WORKFLOW_ID_PARAMETER,
    )
    async def workflow_status(request: Request, tenant: Tenant, workflow_id: WorkflowId) -> OperationStatus:
        """Tell where a workflow stands, and why it does not move; works while no worker does."""
        return await workflows.status(
            tenant,
            workflow_id,
            self_path=path_to(request, _STATUS_ROUTE),
            cancel_path=path_to(request, _CANCEL_ROUTE),
            resource_path=path_to_resource(request),
        )

    @router.post(
        "/workflow/{workflowId}/cancel",
        operation_id="cancelWorkflow",
        name=_CANCEL_ROUTE,
        status_code=202,
        response_model=Accepted,
        responses={**ACCEPTED, **documented(401, 403, 404, 409, 413, 500, 503)},
        summary="Cancel a workflow",
        openapi_extra=WORKFLOW_ID_PARAMETER,
    )
    async def cancel_workflow(request: Request, tenant: Tenant, workflow_id: WorkflowId) -> Response:
        """Ask a workflow to stop and to undo what it did; its status tells when it has."""
        found = await workflows.cancel(tenant, workflow_id)
        return accepted(found.workflow_id, found.run_id, found.status, location=path_to(request, _STATUS_ROUTE))

    return router
