"""Schedules: look at them, pause, resume, trigger and backfill them."""

from collections.abc import Callable
from typing import Annotated, Any, Final
from uuid import uuid4

from fastapi import APIRouter, Depends, Query, Request
from fastapi.types import DecoratedCallable
from starlette.responses import JSONResponse, Response

from platform_contracts.view import PageSize
from platform_gateway.fingerprint import fingerprint
from platform_gateway.operations.operation_models import ReasonedRequest
from platform_gateway.problem_route import Authenticate, guarded_route
from platform_gateway.problems import RETRY_AFTER_SECONDS, documented
from platform_gateway.rest_models import RestModel
from platform_gateway.routes.headers import IdempotencyKey
from platform_gateway.routes.shared import (
    ACCEPTED_HEADERS,
    OPERATION_ROUTE,
    AuditDetails,
    Cursor,
    Who,
    path_of,
    path_to,
)
from platform_gateway.schedules.schedule_models import (
    BackfillAccepted,
    BackfillRequest,
    Schedule,
    ScheduleLinks,
    SchedulesPage,
    TriggerAccepted,
)
from platform_gateway.schedules.schedules import LONGEST_BACKFILL, MOST_BACKFILL_RUNS, Schedules
from platform_gateway.workflow_gateway import WorkflowGateway

_SCHEDULE_ROUTE: Final = "one_schedule"
_VERB_ROUTES: Final = {verb: f"{verb}_schedule" for verb in ("pause", "resume", "trigger", "backfill")}

_PARAMETER: Final[dict[str, Any]] = {
    "parameters": [
        {
            "name": "scheduleId",
            "in": "path",
            "required": True,
            "schema": {"type": "string"},
            "description": "The id as the list has it.",
        }
    ]
}

_HEADERS: Final = {
    "Location": {"schema": {"type": "string"}, "description": "The schedule, which has its last runs."},
    "Retry-After": ACCEPTED_HEADERS["Retry-After"],
}


# Not a parameter as FastAPI has them: it would document a 422, and an id that is none is a 404 like one unknown.
async def _schedule_id(request: Request) -> str:
    schedule_id: str = request.path_params["scheduleId"]
    return schedule_id


ScheduleId = Annotated[str, Depends(_schedule_id)]


def schedules_router(workflows: WorkflowGateway, *, authenticate: Authenticate) -> APIRouter:
    """Return the router of `/v1/schedules`."""
    router = APIRouter(prefix="/v1/schedules", tags=["schedules"], route_class=guarded_route(authenticate))

    # Async although it waits for nothing: FastAPI would run it in a thread on every request.
    async def schedules_of(request: Request) -> Schedules:
        return Schedules(
            workflows.client,
            links_of=lambda schedule_id: _links(request, schedule_id),
            operation_path=path_to(request, OPERATION_ROUTE),
        )

    _add_reads(router, schedules_of)
    _add_switch(router, schedules_of)
    _add_runs(router, schedules_of)
    return router


def _add_reads(router: APIRouter, schedules_of: Any) -> None:
    @router.get(
        "",
        operation_id="listSchedules",
        response_model=SchedulesPage,
        responses=documented(401, 403, 422, 500, 503),
        summary="List schedules",
    )
    async def schedules(
        who: Who,
        schedules: Annotated[Schedules, Depends(schedules_of)],
        limit: Annotated[PageSize, Query()] = 50,
        cursor: Cursor = None,
    ) -> SchedulesPage:
        """Return a page of the account's schedules, newest first; staff see the platform's own as well."""
        return await schedules.page(who, limit=limit, cursor=cursor)

    @router.get(
        "/{scheduleId}",
        operation_id="getSchedule",
        name=_SCHEDULE_ROUTE,
        response_model=Schedule,
        responses=documented(401, 403, 404, 500, 503),
        summary="Read a schedule",
        openapi_extra=_PARAMETER,
    )
    async def schedule(
        who: Who, schedule_id: ScheduleId, schedules: Annotated[Schedules, Depends(schedules_of)]
    ) -> Schedule:
        """Return what a schedule runs, when it runs next, its last runs, and how many it missed."""
        return await schedules.one(who, schedule_id)


def _add_switch(router: APIRouter, schedules_of: Any) -> None:
    def switch(verb: str, *, summary: str) -> Callable[[DecoratedCallable], DecoratedCallable]:
        return router.post(
            f"/{{scheduleId}}/{verb}",
            operation_id=f"{verb}Schedule",
            name=_VERB_ROUTES[verb],
            response_model=Schedule,
            responses=documented(400, 401, 403, 404, 413, 415, 422, 500, 503),
            summary=summary,
            openapi_extra=_PARAMETER,
        )

    @switch("pause", summary="Pause a schedule")
    async def pause(
        who: Who,
        schedule_id: ScheduleId,
        body: ReasonedRequest,
        audit_details: AuditDetails,
        schedules: Annotated[Schedules, Depends(schedules_of)],
    ) -> Schedule:
        """Have no run take place until it is resumed; a deployment leaves it paused.

        Runs that go on are not stopped, and those that are due meanwhile are not made up for: backfill them. Pausing
        what is paused changes the reason alone.
        """
        audit_details |= {"reason": body.reason}
        return await schedules.pause(who, schedule_id, reason=body.reason)

    @switch("resume", summary="Resume a schedule")
    async def resume(
        who: Who,
        schedule_id: ScheduleId,
        body: ReasonedRequest,
        audit_details: AuditDetails,
        schedules: Annotated[Schedules, Depends(schedules_of)],
    ) -> Schedule:
        """Have runs take place again, from the next one on. Resuming what is not paused changes the note alone."""
        audit_details |= {"reason": body.reason}
        return await schedules.resume(who, schedule_id, reason=body.reason)


def _add_runs(router: APIRouter, schedules_of: Any) -> None:
    @router.post(
        "/{scheduleId}/trigger",
        operation_id="triggerSchedule",
        name=_VERB_ROUTES["trigger"],
        status_code=202,
        response_model=TriggerAccepted,
        responses={
            202: {"description": "A run is due; it is the first of `recentRuns` soon.", "headers": _HEADERS},
            **documented(400, 401, 403, 404, 413, 422, 500, 503),
        },
        summary="Run a schedule now",
        openapi_extra=_PARAMETER,
    )
    async def trigger(
        request: Request,
        who: Who,
        schedule_id: ScheduleId,
        schedules: Annotated[Schedules, Depends(schedules_of)],
        idempotency_key: IdempotencyKey = None,
    ) -> Response:
        """Have a run take place now, also while it is paused; with an `Idempotency-Key` once.

        While another run goes on, `overlapPolicy` of the schedule decides what becomes of this one.
        """
        request_id = _request_id("trigger", schedule_id, None, idempotency_key)
        accepted = await schedules.trigger(who, schedule_id, request_id=request_id)
        return _accepted(request, accepted, schedule_id)

    @router.post(
        "/{scheduleId}/backfill",
        operation_id="backfillSchedule",
        name=_VERB_ROUTES["backfill"],
        status_code=202,
        response_model=BackfillAccepted,
        responses={
            202: {"description": "The runs are due.", "headers": _HEADERS},
            **documented(400, 401, 403, 404, 413, 415, 422, 500, 503),
        },
        summary="Make up for missed runs",
        openapi_extra=_PARAMETER,
        description=(
            "Have the runs of a past time take place now, both ends included, also while the schedule is paused: at "
            f"most {MOST_BACKFILL_RUNS} runs of {LONGEST_BACKFILL.days} days. With an `Idempotency-Key` the same "
            "backfill is done once. They are all due at once, so `overlapPolicy` says what becomes of them; the "
            "schedule's own is not asked."
        ),
    )
    async def backfill(
        request: Request,
        who: Who,
        schedule_id: ScheduleId,
        body: BackfillRequest,
        audit_details: AuditDetails,
        schedules: Annotated[Schedules, Depends(schedules_of)],
        idempotency_key: IdempotencyKey = None,
    ) -> Response:
        audit_details |= body.model_dump(mode="json")
        request_id = _request_id("backfill", schedule_id, body, idempotency_key)
        accepted = await schedules.backfill(who, schedule_id, body, request_id=request_id)
        return _accepted(request, accepted, schedule_id)


def _links(request: Request, schedule_id: str) -> ScheduleLinks:
    verbs = {verb: path_of(request, route, scheduleId=schedule_id) for verb, route in _VERB_ROUTES.items()}
    return ScheduleLinks(self=path_of(request, _SCHEDULE_ROUTE, scheduleId=schedule_id), **verbs)


def _request_id(verb: str, schedule_id: str, body: RestModel | None, idempotency_key: str | None) -> str:
    """Return the id by which Temporal knows a repeated request; without a key each one is new."""
    if idempotency_key is None:
        return str(uuid4())
    return fingerprint(body, verb=verb, scheduleId=schedule_id, key=idempotency_key)


def _accepted(request: Request, answer: RestModel, schedule_id: str) -> JSONResponse:
    location = path_of(request, _SCHEDULE_ROUTE, scheduleId=schedule_id)
    return JSONResponse(
        answer.model_dump(mode="json"),
        status_code=202,
        headers={"Location": location, "Retry-After": str(RETRY_AFTER_SECONDS)},
    )
