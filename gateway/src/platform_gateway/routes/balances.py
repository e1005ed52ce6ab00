"""Balances: what the platform owes the account."""

from fastapi import APIRouter

from platform_contracts.payment.views import BALANCES, BalancesQuery
from platform_gateway.market.purchase_models import Balances
from platform_gateway.moments import Moment
from platform_gateway.problem_route import Authenticate, guarded_route
from platform_gateway.problems import documented
from platform_gateway.routes.shared import Tenant
from platform_gateway.views_client import ViewsClient


def balances_router(views: ViewsClient, *, authenticate: Authenticate) -> APIRouter:
    """Return the router of `/v1/balances`."""
    router = APIRouter(prefix="/v1/balances", tags=["balances"], route_class=guarded_route(authenticate))

    @router.get(
        "",
        response_model=Balances,
        responses=documented(401, 403, 422, 500, 503),
        summary="Read balances",
        operation_id="listBalances",
    )
    async def balances(tenant: Tenant, at: Moment | None = None) -> Balances:
        """Return what the platform owes the account, per currency, now or as it was at a moment."""
        answer = await views.read(BALANCES, BalancesQuery(at=at), tenant=tenant)
        return Balances.model_validate(answer.model_dump())

    return router
