"""Do one thing to many operations, and look how far that has come."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.responses import JSONResponse, Response

from platform_contracts.identifiers import ClientId
from platform_gateway.bulk.bulk_operations import Choice, bulk_command, bulk_operation, choose
from platform_gateway.bulk_contract import Verb, bulk_workflow_id
from platform_gateway.identity.callers import Caller, Scope
from platform_gateway.operations.finding import find
from platform_gateway.operations.operation_models import BulkOperation, BulkPreview, BulkRequest
from platform_gateway.operations.operation_summary import operation_summary
from platform_gateway.operations.temporal_calls import calling_temporal
from platform_gateway.problem_route import Authenticate, guarded_route
from platform_gateway.problems import RETRY_AFTER_SECONDS, Kind, Problem, documented, invalid_field
from platform_gateway.routes.headers import IdempotencyKey
from platform_gateway.routes.shared import (
    ACCEPTED_HEADERS,
    CANCEL_OPERATION_ROUTE,
    OPERATION_ROUTE,
    AuditDetails,
    Who,
    path_to,
    path_to_resource,
)
from platform_gateway.workflow_gateway import WorkflowGateway

_SAMPLE = 10

_SCOPES = {Verb.CANCEL: Scope.OPERATIONS_CANCEL, Verb.TERMINATE: Scope.OPERATIONS_TERMINATE}
"""What a verb asks of its caller beside the route's own scope."""

_ONE_ROUTE = "bulk_operation"

BulkOperationId = Annotated[ClientId, Path(alias="bulkOperationId")]


def bulk_operations_router(workflows: WorkflowGateway, *, authenticate: Authenticate) -> APIRouter:
    """Return the router of `/v1/bulk-operations`."""
    router = APIRouter(prefix="/v1/bulk-operations", tags=["operations"], route_class=guarded_route(authenticate))

    @router.post(
        "",
        operation_id="startBulkOperation",
        status_code=202,
        response_model=BulkOperation,
        responses={
            200: {"model": BulkPreview, "description": "What would be done; nothing was."},
            202: {"description": "It goes on; `Location` says where to look.", "headers": ACCEPTED_HEADERS},
            **documented(400, 401, 403, 413, 415, 422, 500, 503),
        },
        summary="Do one thing to many operations",
    )
    async def start(
        request: Request,
        caller: Who,
        body: BulkRequest,
        audit_details: AuditDetails,
        idempotency_key: IdempotencyKey = None,
    ) -> Response:
        """Do it to the open operations that the filter means now, at most 500, each by the rules of the single verb.

        What is refused for one, such as a cancel past its pivot, is counted and keeps nothing from the others. With
        `dryRun` nothing is done. The same `Idempotency-Key` is the same bulk operation, whatever matches by then.
        """
        _check(caller, body)
        told = body.filter.operations()
        audit_details |= {"verb": body.verb, "reason": body.reason, "filter": told.as_json(), "dryRun": body.dry_run}
        async with calling_temporal():
            choice = await choose(workflows.client, caller.tenant, told)
            if body.dry_run:
                audit_details["matched"] = len(choice.operations)
                return JSONResponse((await _preview(request, body.verb, choice)).model_dump(mode="json"))
        started = await workflows.start(bulk_command(caller, body, choice, idempotency_key=idempotency_key))
        # It is started: whoever cannot be told how far it has come is told its id at least.
        async with calling_temporal(started.workflow_id, is_started=True):
            answer = await bulk_operation(await find(workflows.client, caller.tenant, started.workflow_id))
        audit_details |= {"bulkOperationId": answer.bulk_operation_id, "matched": answer.counts.total}
        headers = {
            "Location": request.url_for(_ONE_ROUTE, bulkOperationId=answer.bulk_operation_id).path,
            "Retry-After": str(RETRY_AFTER_SECONDS),
            **({"Idempotent-Replayed": "true"} if started.replayed else {}),
        }
        return JSONResponse(answer.model_dump(mode="json"), status_code=202, headers=headers)

    async def _preview(request: Request, verb: Verb, choice: Choice) -> BulkPreview:
        paths: dict[str, Any] = {
            "self_path": path_to(request, OPERATION_ROUTE),
            "cancel_path": path_to(request, CANCEL_OPERATION_ROUTE),
            "resource_path": path_to_resource(request),
        }
        sample = [
            await operation_summary(workflows.client, each, links=workflows.links, **paths)
            for each in choice.operations[:_SAMPLE]
        ]
        return BulkPreview(
            matched=len(choice.operations),
            is_all=choice.is_all,
            refused=await choice.refused(verb),
            sample=tuple(sample),
        )

    @router.get(
        "/{bulkOperationId}",
        operation_id="getBulkOperation",
        name=_ONE_ROUTE,
        response_model=BulkOperation,
        responses=documented(401, 403, 404, 422, 500, 503),
        summary="How far a bulk operation has come",
    )
    async def one(caller: Who, bulk_operation_id: BulkOperationId) -> BulkOperation:
        """Tell how far a bulk operation has come; works while nobody carries it out."""
        workflow_id = bulk_workflow_id(tenant=caller.tenant, bulk_id=bulk_operation_id)
        async with calling_temporal():
            found = await find(workflows.client, caller.tenant, workflow_id, unknown=Kind.UNKNOWN_BULK_OPERATION)
            return await bulk_operation(found)

    return router


def _check(caller: Caller, body: BulkRequest) -> None:
    needed = _SCOPES.get(body.verb)
    if needed is not None and needed not in caller.scopes:
        raise Problem(Kind.INSUFFICIENT_SCOPE, f"It needs the scope {needed}.", scope=needed)
    if body.to is not None and body.verb is not Verb.RESET:
        unfit: Problem = invalid_field("body", "to", "goes with `reset` alone")
        raise unfit
