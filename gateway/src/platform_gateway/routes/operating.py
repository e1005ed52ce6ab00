"""What operators do to an operation: retry, reset, terminate, pause, resume."""

from fastapi import APIRouter

from platform_contracts.listing import purchase
from platform_gateway.operations.operating import Order, pause, resume, retry, terminate
from platform_gateway.operations.operation_models import Operated, ReasonedRequest, Reset, ResetRequest, Terminated
from platform_gateway.operations.resetting import reset
from platform_gateway.problem_route import Authenticate, guarded_route
from platform_gateway.problems import documented
from platform_gateway.routes.headers import IdempotencyKey
from platform_gateway.routes.shared import (
    WORKFLOW_ID_PARAMETER,
    AuditDetails,
    Who,
    WorkflowId,
)
from platform_gateway.workflow_gateway import WorkflowGateway

_PROBLEMS = documented(400, 401, 403, 404, 409, 413, 415, 422, 500, 501, 503)


def operating_router(workflows: WorkflowGateway, *, authenticate: Authenticate) -> APIRouter:
    """Return the router of what operators do under `/v1/operations`."""
    router = APIRouter(prefix="/v1/operations", tags=["operations"], route_class=guarded_route(authenticate))
    _add_activity_verbs(router, workflows)

    @router.post(
        "/{workflowId}/reset",
        operation_id="resetOperation",
        response_model=Reset,
        responses=_PROBLEMS,
        summary="Let an operation go on from an earlier point",
        openapi_extra=WORKFLOW_ID_PARAMETER,
    )
    async def reset_operation(
        caller: Who,
        workflow_id: WorkflowId,
        body: ResetRequest,
        audit_details: AuditDetails,
        idempotency_key: IdempotencyKey = None,
    ) -> Reset:
        """End this run and start a new one from the point; what came after it is done again.

        Activities are idempotent by their business ids, so nothing is charged or sent twice: a purchase can be reset
        past its pivot too. What has ended cannot be reset; ask for it again.
        """
        audit_details |= {"reason": body.reason, "to": body.to}
        async with workflows.found(caller.account_of(workflow_id), workflow_id) as found:
            order = Order.of(caller, body.reason)
            request_id = None if idempotency_key is None else f"{found.workflow_id} {idempotency_key}"
            run_id = await reset(workflows.client, found, order, to=body.to, request_id=request_id)
        audit_details["runId"] = run_id
        return Reset(workflow_id=found.workflow_id, run_id=run_id, status="RUNNING", previous_run_id=found.run_id)

    @router.post(
        "/{workflowId}/terminate",
        operation_id="terminateOperation",
        response_model=Terminated,
        responses=_PROBLEMS,
        summary="End an operation without undoing anything",
        openapi_extra=WORKFLOW_ID_PARAMETER,
    )
    async def terminate_operation(
        caller: Who, workflow_id: WorkflowId, body: ReasonedRequest, audit_details: AuditDetails
    ) -> Terminated:
        """End an operation at once: none of its code runs, so nothing is undone. Cancel it where that will do."""
        audit_details |= {"reason": body.reason}
        async with workflows.found(caller.account_of(workflow_id), workflow_id) as found:
            await terminate(workflows.client, found, Order.of(caller, body.reason))
        is_purchase = found.info.type.name == purchase.WORKFLOW_TYPE
        return Terminated(
            workflow_id=found.workflow_id,
            run_id=found.run_id,
            status="TERMINATED",
            taken_over_by="reconciliation" if is_purchase else None,
        )

    return router


def _add_activity_verbs(router: APIRouter, workflows: WorkflowGateway) -> None:
    @router.post(
        "/{workflowId}/retry",
        operation_id="retryOperation",
        response_model=Operated,
        responses=_PROBLEMS,
        summary="Try again now",
        openapi_extra=WORKFLOW_ID_PARAMETER,
    )
    async def retry_operation(
        caller: Who, workflow_id: WorkflowId, body: ReasonedRequest, audit_details: AuditDetails
    ) -> Operated:
        """Let what waits for its next attempt have it now; its attempts are counted from one again.

        What an operation that it waits for is trying, such as the resolution of a charge, is tried now as well.
        """
        audit_details |= {"reason": body.reason}
        async with workflows.found(caller.account_of(workflow_id), workflow_id) as found:
            activities = await retry(workflows.client, found, Order.of(caller, body.reason))
        return Operated(workflow_id=found.workflow_id, run_id=found.run_id, status=found.status, activities=activities)

    @router.post(
        "/{workflowId}/pause",
        operation_id="pauseOperation",
        response_model=Operated,
        responses=_PROBLEMS,
        summary="Hold an operation",
        openapi_extra=WORKFLOW_ID_PARAMETER,
    )
    async def pause_operation(
        caller: Who, workflow_id: WorkflowId, body: ReasonedRequest, audit_details: AuditDetails
    ) -> Operated:
        """Hold an operation until it is resumed; an attempt that runs comes to its end.

        Where Temporal cannot pause a workflow, the activities that it waits for are held, and named; without any, this
        is 501 `not_supported`.
        """
        audit_details |= {"reason": body.reason}
        async with workflows.found(caller.account_of(workflow_id), workflow_id) as found:
            activities = await pause(workflows.client, found, Order.of(caller, body.reason))
        status = found.status if activities else "PAUSED"
        return Operated(workflow_id=found.workflow_id, run_id=found.run_id, status=status, activities=activities)

    @router.post(
        "/{workflowId}/resume",
        operation_id="resumeOperation",
        response_model=Operated,
        responses=_PROBLEMS,
        summary="Let a held operation go on",
        openapi_extra=WORKFLOW_ID_PARAMETER,
    )
    async def resume_operation(
        caller: Who, workflow_id: WorkflowId, body: ReasonedRequest, audit_details: AuditDetails
    ) -> Operated:
        """Let a held operation go on, and what is held of it."""
        audit_details |= {"reason": body.reason}
        async with workflows.found(caller.account_of(workflow_id), workflow_id) as found:
            activities = await resume(workflows.client, found, Order.of(caller, body.reason))
        return Operated(workflow_id=found.workflow_id, run_id=found.run_id, status="RUNNING", activities=activities)
