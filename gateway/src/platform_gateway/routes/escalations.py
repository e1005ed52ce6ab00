"""Escalations: what waits for a person, and what was done about it."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from platform_contracts.payment.views import (
    ESCALATION,
    ESCALATIONS,
    EscalationId,
    EscalationQuery,
    EscalationsQuery,
    EscalationView,
)
from platform_contracts.view import PageSize
from platform_gateway.market.escalation_commands import resolve_escalation
from platform_gateway.market.escalation_models import (
    Escalation,
    EscalationResolved,
    EscalationsPage,
    EscalationState,
    ResolutionRequest,
)
from platform_gateway.operations.resources import ESCALATION_ROUTE
from platform_gateway.problem_route import Authenticate, guarded_route
from platform_gateway.problems import Kind, Problem, documented
from platform_gateway.rest_models import Accepted
from platform_gateway.routes.headers import IdempotencyKey, Prefer
from platform_gateway.routes.shared import (
    ACCEPTED,
    DONE,
    AuditDetails,
    Cursor,
    Tenant,
    Who,
    path_of,
    started_or_executed,
    with_links,
)
from platform_gateway.views_client import ViewsClient
from platform_gateway.workflow_gateway import WorkflowGateway

AnEscalationId = Annotated[EscalationId, Path(alias="escalationId")]


def escalations_router(workflows: WorkflowGateway, views: ViewsClient, *, authenticate: Authenticate) -> APIRouter:
    """Return the router of `/v1/escalations`."""
    router = APIRouter(prefix="/v1/escalations", tags=["escalations"], route_class=guarded_route(authenticate))

    @router.get(
        "",
        operation_id="listEscalations",
        response_model=EscalationsPage,
        responses=documented(401, 403, 422, 500, 503),
        summary="List escalations",
    )
    async def escalations(
        request: Request,
        tenant: Tenant,
        is_open: Annotated[bool | None, Query(alias="open", description="Those that wait, or those resolved.")] = None,
        limit: Annotated[PageSize, Query()] = 50,
        cursor: Cursor = None,
    ) -> EscalationsPage:
        """Return a page of the account's escalations, newest first; staff see those of every account."""
        query = EscalationsQuery(is_open=is_open, limit=limit, cursor=cursor)
        page = await views.read(ESCALATIONS, query, tenant=tenant)
        return EscalationsPage(
            escalations=tuple(_escalation(request, escalation) for escalation in page.escalations),
            next_cursor=page.next_cursor,
        )

    @router.get(
        "/{escalationId}",
        operation_id="getEscalation",
        name=ESCALATION_ROUTE,
        response_model=Escalation,
        responses=documented(401, 403, 404, 422, 500, 503),
        summary="Read an escalation",
    )
    async def escalation(request: Request, tenant: Tenant, escalation_id: AnEscalationId) -> Escalation:
        """Return one escalation."""
        return _escalation(request, await _known(views, tenant, escalation_id))

    @router.post(
        "/{escalationId}/resolution",
        operation_id="resolveEscalation",
        status_code=202,
        response_model=Accepted,
        responses={
            200: {"model": EscalationResolved, "description": "Resolved within `Prefer: wait`.", **DONE},
            **ACCEPTED,
            **documented(400, 401, 403, 404, 409, 413, 415, 422, 500, 503),
        },
        summary="Resolve an escalation",
    )
    async def resolve(
        request: Request,
        who: Who,
        escalation_id: AnEscalationId,
        body: ResolutionRequest,
        audit_details: AuditDetails,
        prefer: Prefer = None,
        idempotency_key: IdempotencyKey = None,  # noqa: ARG001 - checked; the escalation's id is the key
    ) -> Response:
        """Write down what was done about it, once; only staff do, and it is in the audit log with its text."""
        await _known(views, who.tenant, escalation_id)
        if not who.is_staff:
            raise Problem(Kind.STAFF_ONLY)
        audit_details |= {"escalationId": escalation_id, "resolution": body.resolution}
        command = resolve_escalation(body, escalation_id=escalation_id, resolved_by=who.subject)
        return await started_or_executed(request, workflows, command, prefer=prefer, result_type=EscalationState)

    return router


async def _known(views: ViewsClient, tenant: str, escalation_id: str) -> EscalationView:
    answer = await views.read(ESCALATION, EscalationQuery(escalation_id=escalation_id), tenant=tenant)
    if answer.escalation is None:
        raise Problem(Kind.UNKNOWN_ESCALATION, "There is no such escalation.")
    return answer.escalation


def _escalation(request: Request, escalation: EscalationView) -> Escalation:
    path = path_of(request, ESCALATION_ROUTE, escalationId=escalation.escalation_id)
    return Escalation.model_validate(with_links(escalation, self=path))
