"""What several routes do alike."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, Final, TypeVar

from fastapi import Depends, Query, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import NoMatchFound, Router

from platform_contracts.message import ContractModel
from platform_gateway.commands import Command
from platform_gateway.identity.callers import Caller
from platform_gateway.operations.resources import Resource, ResourcePath
from platform_gateway.operations.starting import Started
from platform_gateway.operations.waiting import client_gone
from platform_gateway.problem_route import audit_details_of, caller_of, tenant_of
from platform_gateway.problems import RETRY_AFTER_SECONDS
from platform_gateway.rest_models import Accepted, RestModel
from platform_gateway.routes.headers import PREFERENCE_APPLIED, preference_applied
from platform_gateway.workflow_gateway import Executed, WorkflowGateway

OPERATION_ROUTE: Final = "operation"
"""The name of the route that tells where an operation stands."""

CANCEL_OPERATION_ROUTE: Final = "operation_cancel"
"""The name of the route that cancels an operation."""

RequestT = TypeVar("RequestT", bound=ContractModel)
ResultT = TypeVar("ResultT", bound=ContractModel)

Tenant = Annotated[str, Depends(tenant_of)]
Who = Annotated[Caller, Depends(caller_of)]
AuditDetails = Annotated[dict[str, Any], Depends(audit_details_of)]

Cursor = Annotated[
    str | None, Query(max_length=500, description="`nextCursor` of the page before; none for the first page.")
]


# Async although it waits for nothing: FastAPI would run it in a thread on every request.
async def _workflow_id(request: Request) -> str:
    workflow_id: str = request.path_params["workflowId"]
    return workflow_id


# Not a parameter as FastAPI has them: it would document a 422, and an id that is none is a 404 like one unknown.
WorkflowId = Annotated[str, Depends(_workflow_id)]

WORKFLOW_ID_PARAMETER: Final[dict[str, Any]] = {
    "parameters": [
        {
            "name": "workflowId",
            "in": "path",
            "required": True,
            "schema": {"type": "string"},
            "description": "The id that the start answered.",
        }
    ]
}

ACCEPTED_HEADERS: Final[dict[str, Any]] = {
    "Location": {"schema": {"type": "string"}, "description": "The status of the operation."},
    "Retry-After": {"schema": {"type": "integer"}, "description": "When to ask for it, in seconds."},
    "Idempotent-Replayed": {"schema": {"type": "string"}, "description": "`true`: an earlier request started it."},
    **PREFERENCE_APPLIED,
}

DONE: Final[dict[str, Any]] = {
    "headers": {name: ACCEPTED_HEADERS[name] for name in ("Idempotent-Replayed", "Preference-Applied")}
}

ACCEPTED: Final[dict[int | str, dict[str, Any]]] = {
    202: {"model": Accepted, "description": "It goes on; `Location` says where to look.", "headers": ACCEPTED_HEADERS}
}


def path_of(request: Request, route: str, **parameters: str) -> str:
    """Return the path of a named route, wherever the routes are mounted.

    Raises:
        NoMatchFound: when the application has no such route.
    """
    # What `request.url_for` does, without the URL around the path: each accepted request asks for one.
    mounted_at: str = request.scope.get("app_root_path", request.scope.get("root_path", "")).rstrip("/")
    routes: Router = request.scope["router"]
    return mounted_at + routes.url_path_for(route, **parameters)


def path_to(request: Request, route: str) -> Callable[[str], str]:
    """Return what makes the path of a named route for a workflow id, wherever the routes are mounted."""
    return lambda workflow_id: path_of(request, route, workflowId=workflow_id)


def path_to_resource(request: Request) -> ResourcePath:
    """Return what makes the path of a resource, if the application shows it: these routes may be mounted alone."""

    def path(resource: Resource) -> str | None:
        try:
            return path_of(request, resource.route, **{resource.parameter: resource.id})
        except NoMatchFound:
            return None

    return path


def with_links(row: ContractModel, **links: str) -> dict[str, Any]:
    """Return what a view answered, with where to go from it."""
    return {**row.model_dump(), "links": links}


def accepted(
    workflow_id: str,
    run_id: str,
    status: str,
    *,
    location: Callable[[str], str],
    replayed: bool = False,
    waited_seconds: int | None = None,
) -> Response:
    """Return 202: it goes on, ask there."""
    return Response(
        Accepted(workflow_id=workflow_id, run_id=run_id, status=status).model_dump_json(),
        media_type="application/json",
        status_code=202,
        headers={
            "Location": location(workflow_id),
            "Retry-After": str(RETRY_AFTER_SECONDS),
            **_replayed(replayed),
            **preference_applied(waited_seconds),
        },
    )


def accepted_start(
    started: Started[Any], *, location: Callable[[str], str], waited_seconds: int | None = None
) -> Response:
    """Return 202 for an operation that has been started."""
    return accepted(
        started.workflow_id,
        started.run_id,
        started.status,
        location=location,
        replayed=started.replayed,
        waited_seconds=waited_seconds,
    )


def executed(
    execution: Executed[ResultT],
    *,
    result_type: type[RestModel],
    location: Callable[[str], str],
    waited_seconds: int | None = None,
) -> Response:
    """Return 200 with the result, or 202 when it is not there yet.

    Args:
        execution: the operation that was waited for.
        result_type: how its result looks.
        location: returns the path of its status.
        waited_seconds: how long the client asked to wait, if it did.
    """
    started = execution.started
    if execution.result is None:
        return accepted_start(started, location=location, waited_seconds=waited_seconds)
    head = Accepted(workflow_id=started.workflow_id, run_id=started.run_id, status=execution.status)
    result = result_type.model_validate(execution.result.model_dump())
    return JSONResponse(
        {**head.model_dump(mode="json"), "result": result.model_dump(mode="json")},
        headers={**_replayed(started.replayed), **preference_applied(waited_seconds)},
    )


async def started_or_executed(
    request: Request,
    workflows: WorkflowGateway,
    command: Command[RequestT, ResultT],
    *,
    prefer: int | None,
    result_type: type[RestModel],
) -> Response:
    """Start the operation, and wait for its result as long as the client prefers; by default not at all.

    Raises:
        Problem: as `WorkflowGateway.execute`.
    """
    location = path_to(request, OPERATION_ROUTE)
    if prefer is None:
        return accepted_start(await workflows.start(command), location=location)
    execution = await workflows.execute(command, wait_seconds=prefer, gone=partial(client_gone, request))
    return executed(execution, result_type=result_type, location=location, waited_seconds=prefer)


def _replayed(replayed: bool) -> dict[str, str]:
    return {"Idempotent-Replayed": "true"} if replayed else {}
