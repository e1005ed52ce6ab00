"""What operators do to an operation: retry, reset, terminate, pause, resume."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter
from fastapi.types import DecoratedCallable

from platform_contracts.listing import purchase
from platform_gateway.identity.callers import Caller
from platform_gateway.operations.describing import Description
from platform_gateway.operations.operating import Order, pause, resume, retry, terminate
from platform_gateway.operations.operation_models import Operated, ReasonedRequest, Reset, ResetRequest, Terminated
from platform_gateway.operations.resetting import reset
from platform_gateway.problem_route import Authenticate, guarded_route
from platform_gateway.problems import documented
from platform_gateway.rest_models import Accepted
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

    @_verb(router, "reset", Reset, "Let an operation go on from an earlier point")
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
        async with _ordered(workflows, caller, workflow_id, body, audit_details) as (found, order):
            request_id = None if idempotency_key is None else f"{found.workflow_id} {idempotency_key}"
            run_id = await reset(workflows.client, found, order, to=body.to, request_id=request_id)
        audit_details["runId"] = run_id
        return Reset(workflow_id=found.workflow_id, run_id=run_id, status="RUNNING", previous_run_id=found.run_id)

    @_verb(router, "terminate", Terminated, "End an operation without undoing anything")
    async def terminate_operation(
        caller: Who, workflow_id: WorkflowId, body: ReasonedRequest, audit_details: AuditDetails
    ) -> Terminated:
        """End an operation at once: none of its code runs, so nothing is undone. Cancel it where that will do."""
        async with _ordered(workflows, caller, workflow_id, body, audit_details) as (found, order):
            await terminate(workflows.client, found, order)
        is_purchase = found.info.type.name == purchase.WORKFLOW_TYPE
        return Terminated(
            workflow_id=found.workflow_id,
            run_id=found.run_id,
            status="TERMINATED",
            taken_over_by="reconciliation" if is_purchase else None,
        )

    return router


def _add_activity_verbs(router: APIRouter, workflows: WorkflowGateway) -> None:
    @_verb(router, "retry", Operated, "Try again now")
    async def retry_operation(
        caller: Who, workflow_id: WorkflowId, body: ReasonedRequest, audit_details: AuditDetails
    ) -> Operated:
        """Let what waits for its next attempt have it now; its attempts are counted from one again.

        What an operation that it waits for is trying, such as the resolution of a charge, is tried now as well.
        """
        async with _ordered(workflows, caller, workflow_id, body, audit_details) as (found, order):
            activities = await retry(workflows.client, found, order)
        return Operated(workflow_id=found.workflow_id, run_id=found.run_id, status=found.status, activities=activities)

    @_verb(router, "pause", Operated, "Hold an operation")
    async def pause_operation(
        caller: Who, workflow_id: WorkflowId, body: ReasonedRequest, audit_details: AuditDetails
    ) -> Operated:
        """Hold an operation until it is resumed; an attempt that runs comes to its end.

        Where Temporal cannot pause a workflow, the activities that it waits for are held, and named; without any, this
        is 501 `not_supported`.
        """
        async with _ordered(workflows, caller, workflow_id, body, audit_details) as (found, order):
            activities = await pause(workflows.client, found, order)
        status = found.status if activities else "PAUSED"
        return Operated(workflow_id=found.workflow_id, run_id=found.run_id, status=status, activities=activities)

    @_verb(router, "resume", Operated, "Let a held operation go on")
    async def resume_operation(
        caller: Who, workflow_id: WorkflowId, body: ReasonedRequest, audit_details: AuditDetails
    ) -> Operated:
        """Let a held operation go on, and what is held of it."""
        async with _ordered(workflows, caller, workflow_id, body, audit_details) as (found, order):
            activities = await resume(workflows.client, found, order)
        return Operated(workflow_id=found.workflow_id, run_id=found.run_id, status="RUNNING", activities=activities)


def _verb(
    router: APIRouter, verb: str, answer: type[Accepted], summary: str
) -> Callable[[DecoratedCallable], DecoratedCallable]:
    return router.post(
        f"/{{workflowId}}/{verb}",
        operation_id=f"{verb}Operation",
        response_model=answer,
        responses=_PROBLEMS,
        summary=summary,
        openapi_extra=WORKFLOW_ID_PARAMETER,
    )


@asynccontextmanager
async def _ordered(
    workflows: WorkflowGateway, caller: Caller, workflow_id: str, body: ReasonedRequest, audit_details: dict[str, Any]
) -> AsyncGenerator[tuple[Description, Order]]:
    """Note what is asked for; yield the operation and the order, for a block of calls that are bounded together."""
    audit_details |= body.model_dump(mode="json")
    async with workflows.found(caller.account_of(workflow_id), workflow_id) as found:
        yield found, Order.of(caller, body.reason)
