"""Payouts: ask for one, decide on it, cancel it, look at them."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import JSONResponse, Response

from platform_contracts.identifiers import ClientId
from platform_contracts.payment.partner_payout import partner_payout_workflow_id
from platform_contracts.payment.payout_views import PAYOUT, PAYOUTS, PayoutQuery, PayoutsQuery, PayoutView
from platform_contracts.view import PageSize
from platform_gateway.market.payout_commands import pay_out, person, require_staff
from platform_gateway.market.payout_deciding import PayoutDeciding
from platform_gateway.market.payout_models import (
    Payout,
    PayoutDecisionRequest,
    PayoutDone,
    PayoutRequest,
    PayoutResult,
    PayoutReview,
    PayoutsPage,
)
from platform_gateway.operations.resources import PAYOUT_ROUTE
from platform_gateway.problem_route import Authenticate, guarded_route
from platform_gateway.problems import Kind, Problem, documented
from platform_gateway.rest_models import Accepted
from platform_gateway.routes.headers import IdempotencyKey, Prefer
from platform_gateway.routes.shared import (
    ACCEPTED,
    ACCEPTED_HEADERS,
    DONE,
    OPERATION_ROUTE,
    AuditDetails,
    Cursor,
    Tenant,
    Who,
    accepted,
    path_of,
    path_to,
    started_or_executed,
    with_links,
)
from platform_gateway.views_client import ViewsClient
from platform_gateway.workflow_gateway import WorkflowGateway

PayoutId = Annotated[ClientId, Path(alias="payoutId")]

_REPLAYED = {"Idempotent-Replayed": ACCEPTED_HEADERS["Idempotent-Replayed"]}


def payouts_router(workflows: WorkflowGateway, views: ViewsClient, *, authenticate: Authenticate) -> APIRouter:
    """Return the router of `/v1/payouts`."""
    router = APIRouter(prefix="/v1/payouts", tags=["payouts"], route_class=guarded_route(authenticate))
    _add_reads(router, views)

    @router.post(
        "",
        operation_id="payOut",
        status_code=202,
        response_model=Accepted,
        responses={
            200: {"model": PayoutDone, "description": "Paid or carried within `Prefer: wait`.", **DONE},
            **ACCEPTED,
            **documented(400, 401, 403, 404, 409, 413, 415, 422, 500, 503),
        },
        summary="Pay an account what it is owed",
    )
    async def pay(
        request: Request,
        caller: Who,
        body: PayoutRequest,
        prefer: Prefer = None,
        idempotency_key: IdempotencyKey = None,
    ) -> Response:
        """Pay everything that is payable by now, once by `payoutId`, or by the `Idempotency-Key` that names it.

        For staff, who name the account by `Partner-Account`. Of an account and a currency one payout is open at a time.
        """
        require_staff(caller)
        requested_by = person(caller, body.requester_id, field="requesterId")
        command = pay_out(body, tenant=caller.tenant, requested_by=requested_by, idempotency_key=idempotency_key)
        return await started_or_executed(request, workflows, command, prefer=prefer, result_type=PayoutResult)

    @router.post(
        "/{payoutId}/decision",
        operation_id="decidePayout",
        response_model=PayoutReview,
        responses={
            200: {"description": "Where the review stands.", "headers": _REPLAYED},
            **documented(400, 401, 403, 404, 409, 413, 415, 422, 500, 503),
        },
        summary="Decide on a payout",
    )
    async def decide(
        caller: Who,
        payout_id: PayoutId,
        body: PayoutDecisionRequest,
        audit_details: AuditDetails,
        idempotency_key: IdempotencyKey = None,
    ) -> Response:
        """Take one person's decision: two have to approve, neither of them who asked for it; one rejection ends it.

        It counts once a worker has accepted it: without one the answer is a 503 that tells what is waited for. The same
        person a second time is refused, unless it is the same request by its `Idempotency-Key`.
        """
        require_staff(caller)
        reviewer_id = person(caller, body.reviewer_id, field="reviewerId")
        audit_details |= {"decision": body.decision.value, "reviewerId": reviewer_id}
        deciding = PayoutDeciding(caller.tenant, payout_id, body, reviewer_id, idempotency_key)
        decided = await workflows.decide_payout(deciding)
        headers = {"Idempotent-Replayed": "true"} if decided.replayed else {}
        return JSONResponse(decided.review.model_dump(mode="json"), headers=headers)

    @router.post(
        "/{payoutId}/cancel",
        operation_id="cancelPayout",
        status_code=202,
        response_model=Accepted,
        responses={**ACCEPTED, **documented(401, 403, 404, 409, 413, 422, 500, 503)},
        summary="Cancel a payout",
    )
    async def cancel(request: Request, caller: Who, payout_id: PayoutId) -> Response:
        """Ask a payout to stop, and to restore the balance; refused once it is sent."""
        require_staff(caller)
        workflow_id = partner_payout_workflow_id(tenant=caller.tenant, payout_id=payout_id)
        found = await workflows.cancel(caller.tenant, workflow_id, unknown=Kind.UNKNOWN_PAYOUT)
        return accepted(found.workflow_id, found.run_id, found.status, location=path_to(request, OPERATION_ROUTE))

    return router


def _add_reads(router: APIRouter, views: ViewsClient) -> None:
    @router.get(
        "",
        operation_id="listPayouts",
        response_model=PayoutsPage,
        responses=documented(401, 403, 422, 500, 503),
        summary="List payouts",
    )
    async def payouts(
        request: Request, tenant: Tenant, limit: Annotated[PageSize, Query()] = 50, cursor: Cursor = None
    ) -> PayoutsPage:
        """Return a page of the payouts to the account, newest first."""
        page = await views.read(PAYOUTS, PayoutsQuery(limit=limit, cursor=cursor), tenant=tenant)
        shown = tuple(_shown(request, tenant, payout) for payout in page.payouts)
        return PayoutsPage(payouts=shown, next_cursor=page.next_cursor)

    @router.get(
        "/{payoutId}",
        operation_id="getPayout",
        name=PAYOUT_ROUTE,
        response_model=Payout,
        responses=documented(401, 403, 404, 422, 500, 503),
        summary="Read a payout",
    )
    async def one_payout(request: Request, tenant: Tenant, payout_id: PayoutId) -> Payout:
        """Return a payout to the account; before it has reserved anything, only its operation is there."""
        answer = await views.read(PAYOUT, PayoutQuery(payout_id=payout_id), tenant=tenant)
        if answer.payout is None:
            raise Problem(Kind.UNKNOWN_PAYOUT, "Nothing was reserved for it. Its operation tells more, if it has one.")
        return _shown(request, tenant, answer.payout)


def _shown(request: Request, tenant: str, payout: PayoutView) -> Payout:
    payout_id = payout.payout_id
    links = {
        "self": path_of(request, PAYOUT_ROUTE, payoutId=payout_id),
        "operation": path_to(request, OPERATION_ROUTE)(partner_payout_workflow_id(tenant=tenant, payout_id=payout_id)),
    }
    return Payout.model_validate(with_links(payout, **links))
