"""Payout plans: how an account is paid, read by itself and changed by staff."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from platform_contracts.money import Currency
from platform_contracts.payment.payout_views import PAYOUT_PLAN, PayoutPlanQuery
from platform_gateway.market.payout_commands import change_payout_plan, require_staff
from platform_gateway.market.payout_models import (
    PayoutPlanDone,
    PayoutPlanRequest,
    PayoutPlanResult,
    PayoutPlanState,
)
from platform_gateway.problem_route import Authenticate, guarded_route
from platform_gateway.problems import documented
from platform_gateway.rest_models import Accepted
from platform_gateway.routes.headers import IdempotencyKey, Prefer
from platform_gateway.routes.shared import ACCEPTED, DONE, AuditDetails, Tenant, Who, started_or_executed
from platform_gateway.views_client import ViewsClient
from platform_gateway.workflow_gateway import WorkflowGateway

CurrencyCode = Annotated[Currency, Path(alias="currency")]


def payout_plans_router(workflows: WorkflowGateway, views: ViewsClient, *, authenticate: Authenticate) -> APIRouter:
    """Return the router of `/v1/payout-plans`."""
    router = APIRouter(prefix="/v1/payout-plans", tags=["payouts"], route_class=guarded_route(authenticate))

    @router.get(
        "/{currency}",
        operation_id="getPayoutPlan",
        response_model=PayoutPlanState,
        responses=documented(401, 403, 422, 500, 503),
        summary="Read a payout plan",
    )
    async def plan(tenant: Tenant, currency: CurrencyCode) -> PayoutPlanState:
        """Return how the account is paid in a currency; the platform's plan where it has none of its own."""
        answer = await views.read(PAYOUT_PLAN, PayoutPlanQuery(currency=currency), tenant=tenant)
        return PayoutPlanState.model_validate(answer.model_dump())

    @router.put(
        "/{currency}",
        operation_id="changePayoutPlan",
        status_code=202,
        response_model=Accepted,
        responses={
            200: {"model": PayoutPlanDone, "description": "Kept within `Prefer: wait`.", **DONE},
            **ACCEPTED,
            **documented(400, 401, 403, 404, 409, 413, 415, 422, 500, 503),
        },
        summary="Change a payout plan",
    )
    async def change(
        request: Request,
        caller: Who,
        currency: CurrencyCode,
        body: PayoutPlanRequest,
        audit_details: AuditDetails,
        prefer: Prefer = None,
        idempotency_key: IdempotencyKey = None,
    ) -> Response:
        """Keep a plan from the next payout on; for staff, who name the account by `Partner-Account`."""
        require_staff(caller)
        audit_details |= body.model_dump(mode="json")
        command = change_payout_plan(
            body,
            tenant=caller.tenant,
            currency=currency,
            changed_by=caller.subject,
            idempotency_key=idempotency_key,
        )
        return await started_or_executed(request, workflows, command, prefer=prefer, result_type=PayoutPlanResult)

    return router
