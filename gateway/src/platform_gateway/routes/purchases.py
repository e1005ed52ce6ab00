"""Purchases: buy, cancel, look at them."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from platform_contracts.identifiers import ClientId
from platform_contracts.listing.purchase import purchase_workflow_id
from platform_contracts.listing.views import PURCHASE, PURCHASES, PurchaseQuery, PurchasesQuery, PurchaseView
from platform_contracts.view import PageSize
from platform_gateway.market.listing_commands import purchase
from platform_gateway.market.purchase_models import (
    Purchase,
    PurchaseDone,
    PurchaseRequest,
    PurchaseResult,
    PurchasesPage,
)
from platform_gateway.operations.resources import PURCHASE_ROUTE
from platform_gateway.problem_route import Authenticate, guarded_route
from platform_gateway.problems import Kind, Problem, documented
from platform_gateway.rest_models import Accepted
from platform_gateway.routes.headers import IdempotencyKey, Prefer
from platform_gateway.routes.shared import (
    ACCEPTED,
    DONE,
    OPERATION_ROUTE,
    Cursor,
    Tenant,
    accepted,
    path_of,
    path_to,
    started_or_executed,
    with_links,
)
from platform_gateway.views_client import ViewsClient
from platform_gateway.workflow_gateway import WorkflowGateway

PurchaseId = Annotated[ClientId, Path(alias="purchaseId")]


def purchases_router(workflows: WorkflowGateway, views: ViewsClient, *, authenticate: Authenticate) -> APIRouter:
    """Return the router of `/v1/purchases`."""
    router = APIRouter(prefix="/v1/purchases", tags=["purchases"], route_class=guarded_route(authenticate))
    _add_reads(router, views)

    @router.post(
        "",
        operation_id="buy",
        status_code=202,
        response_model=Accepted,
        responses={
            200: {"model": PurchaseDone, "description": "Captured within `Prefer: wait`.", **DONE},
            **ACCEPTED,
            **documented(400, 401, 403, 402, 404, 409, 413, 415, 422, 500, 502, 503),
        },
        summary="Buy",
    )
    async def buy(
        request: Request,
        tenant: Tenant,
        body: PurchaseRequest,
        prefer: Prefer = None,
        idempotency_key: IdempotencyKey = None,
    ) -> Response:
        """Buy at the listings' prices, once by `purchaseId`, or by the `Idempotency-Key` that names the purchase.

        `Prefer: wait` is answered as soon as the money is captured. What failed is bought again under another id.
        """
        command = purchase(body, tenant=tenant, idempotency_key=idempotency_key)
        return await started_or_executed(request, workflows, command, prefer=prefer, result_type=PurchaseResult)

    @router.post(
        "/{purchaseId}/cancel",
        operation_id="cancelPurchase",
        status_code=202,
        response_model=Accepted,
        responses={**ACCEPTED, **documented(401, 403, 404, 409, 413, 422, 500, 503)},
        summary="Cancel a purchase",
    )
    async def cancel(request: Request, tenant: Tenant, purchase_id: PurchaseId) -> Response:
        """Ask a purchase to stop, and to release and void what it has; refused once it is confirmed."""
        workflow_id = purchase_workflow_id(tenant=tenant, purchase_id=purchase_id)
        found = await workflows.cancel(tenant, workflow_id, unknown=Kind.UNKNOWN_PURCHASE)
        return accepted(found.workflow_id, found.run_id, found.status, location=path_to(request, OPERATION_ROUTE))

    return router


def _add_reads(router: APIRouter, views: ViewsClient) -> None:
    @router.get(
        "",
        operation_id="listPurchases",
        response_model=PurchasesPage,
        responses=documented(401, 403, 422, 500, 503),
        summary="List purchases",
    )
    async def purchases(
        request: Request, tenant: Tenant, limit: Annotated[PageSize, Query()] = 50, cursor: Cursor = None
    ) -> PurchasesPage:
        """Return a page of the account's purchases, newest first."""
        page = await views.read(PURCHASES, PurchasesQuery(limit=limit, cursor=cursor), tenant=tenant)
        shown = tuple(_shown(request, tenant, purchase) for purchase in page.purchases)
        return PurchasesPage(purchases=shown, next_cursor=page.next_cursor)

    @router.get(
        "/{purchaseId}",
        operation_id="getPurchase",
        name=PURCHASE_ROUTE,
        response_model=Purchase,
        responses=documented(401, 403, 404, 422, 500, 503),
        summary="Read a purchase",
    )
    async def one_purchase(request: Request, tenant: Tenant, purchase_id: PurchaseId) -> Purchase:
        """Return what a purchase has reserved or sold; before it has reserved anything, only its operation is there."""
        answer = await views.read(PURCHASE, PurchaseQuery(purchase_id=purchase_id), tenant=tenant)
        if answer.purchase is None:
            raise Problem(
                Kind.UNKNOWN_PURCHASE, "Nothing was reserved for it. Its operation tells more, if it has one."
            )
        return _shown(request, tenant, answer.purchase)


def _shown(request: Request, tenant: str, purchase: PurchaseView) -> Purchase:
    purchase_id = purchase.purchase_id
    links = {
        "self": path_of(request, PURCHASE_ROUTE, purchaseId=purchase_id),
        "operation": path_to(request, OPERATION_ROUTE)(purchase_workflow_id(tenant=tenant, purchase_id=purchase_id)),
    }
    return Purchase.model_validate(with_links(purchase, **links))
