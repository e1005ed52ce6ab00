"""Sales: what the account has sold."""

from typing import Annotated

from fastapi import APIRouter, Query

from platform_contracts.listing.views import SALES, SalesQuery
from platform_contracts.view import PageSize
from platform_gateway.market.purchase_models import SalesPage
from platform_gateway.problem_route import Authenticate, guarded_route
from platform_gateway.problems import documented
from platform_gateway.routes.shared import Cursor, Tenant
from platform_gateway.views_client import ViewsClient


def sales_router(views: ViewsClient, *, authenticate: Authenticate) -> APIRouter:
    """Return the router of `/v1/sales`."""
    router = APIRouter(prefix="/v1/sales", tags=["sales"], route_class=guarded_route(authenticate))

    @router.get(
        "",
        response_model=SalesPage,
        responses=documented(401, 403, 422, 500, 503),
        summary="List sales",
        operation_id="listSales",
    )
    async def sales(tenant: Tenant, limit: Annotated[PageSize, Query()] = 50, cursor: Cursor = None) -> SalesPage:
        """Return a page of what the account has sold, newest first, whoever bought it."""
        page = await views.read(SALES, SalesQuery(limit=limit, cursor=cursor), tenant=tenant)
        return SalesPage.model_validate(page.model_dump())

    return router
