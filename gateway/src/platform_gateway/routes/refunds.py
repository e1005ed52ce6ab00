"""Refunds of purchases: made by who runs the marketplace, seen by the buyer's account as well."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from platform_contracts.listing.views import PURCHASE, PurchaseQuery
from platform_contracts.payment.charge import ChargeStatus
from platform_contracts.payment.refund import RefundInput, refund_workflow_id
from platform_contracts.payment.views import REFUNDS, RefundsAnswer, RefundsQuery
from platform_gateway.market.refund_commands import refund
from platform_gateway.market.refund_models import RefundDone, RefundRequest, RefundResult, Refunds
from platform_gateway.operations.resources import REFUNDS_ROUTE
from platform_gateway.problem_route import Authenticate, guarded_route
from platform_gateway.problems import Kind, Problem, documented
from platform_gateway.rest_models import Accepted
from platform_gateway.routes.headers import IdempotencyKey, Prefer
from platform_gateway.routes.purchases import PurchaseId
from platform_gateway.routes.shared import (
    ACCEPTED,
    DONE,
    OPERATION_ROUTE,
    Tenant,
    Who,
    path_to,
    started_or_executed,
    with_links,
)
from platform_gateway.views_client import ViewsClient
from platform_gateway.workflow_gateway import WorkflowGateway


def refunds_router(
    workflows: WorkflowGateway,
    *,
    listing_views: ViewsClient,
    payment_views: ViewsClient,
    authenticate: Authenticate,
) -> APIRouter:
    """Return the router of `/v1/purchases/{purchaseId}/refunds`."""
    router = APIRouter(prefix="/v1/purchases", tags=["purchases"], route_class=guarded_route(authenticate))
    _add_reads(router, payment_views)

    @router.post(
        "/{purchaseId}/refunds",
        operation_id="refundPurchase",
        status_code=202,
        response_model=Accepted,
        responses={
            200: {"model": RefundDone, "description": "Given back within `Prefer: wait`.", **DONE},
            **ACCEPTED,
            **documented(400, 401, 403, 404, 409, 413, 415, 422, 500, 502, 503),
        },
        summary="Refund a purchase",
    )
    async def make_refund(
        request: Request,
        tenant: Tenant,
        who: Who,
        purchase_id: PurchaseId,
        body: RefundRequest,
        prefer: Prefer = None,
        idempotency_key: IdempotencyKey = None,
    ) -> Response:
        """Give back all that is left of a purchase, or a part, once by `refundId` or by the `Idempotency-Key`.

        Several refunds of one purchase never give back more than was paid. Only who runs the marketplace makes them,
        for the account of the buyer (`Partner-Account`).
        """
        if not who.is_staff:
            raise Problem(Kind.STAFF_ONLY)
        found = (await listing_views.read(PURCHASE, PurchaseQuery(purchase_id=purchase_id), tenant=tenant)).purchase
        if found is None:
            raise Problem(Kind.UNKNOWN_PURCHASE)
        command = refund(
            body, tenant=tenant, purchase_id=purchase_id, buyer_id=found.buyer_id, idempotency_key=idempotency_key
        )
        answer = await payment_views.read(REFUNDS, RefundsQuery(operation_id=purchase_id), tenant=tenant)
        _check(answer, command.request)
        return await started_or_executed(request, workflows, command, prefer=prefer, result_type=RefundResult)

    return router


def _check(answer: RefundsAnswer, asked: RefundInput) -> None:
    """Refuse what cannot be refunded by what is known now; what changes meanwhile, payment itself decides.

    A refund that is known is a repeat: whatever is left now, it is answered as the first one was.
    """
    if any(refund.refund_id == asked.refund_id for refund in answer.refunds):
        return
    if answer.status is not ChargeStatus.CAPTURED or answer.captured is None or answer.reversed is None:
        raise Problem(Kind.NOT_CAPTURED)
    left = answer.captured.minor_units - answer.reversed.minor_units
    if left < (1 if asked.amount is None else asked.amount.minor_units):
        raise Problem(Kind.REFUND_EXCEEDS)


def _add_reads(router: APIRouter, views: ViewsClient) -> None:
    @router.get(
        "/{purchaseId}/refunds",
        operation_id="listRefunds",
        name=REFUNDS_ROUTE,
        response_model=Refunds,
        responses=documented(401, 403, 404, 422, 500, 503),
        summary="List the refunds of a purchase",
    )
    async def refunds(request: Request, tenant: Tenant, purchase_id: PurchaseId) -> Refunds:
        """Return what was paid for a purchase and what of it is given back, newest first."""
        answer = await views.read(REFUNDS, RefundsQuery(operation_id=purchase_id), tenant=tenant)
        if answer.status is None:
            raise Problem(Kind.UNKNOWN_PURCHASE, "Nothing was charged for it.")
        operation = path_to(request, OPERATION_ROUTE)
        shown = [
            with_links(each, operation=operation(refund_workflow_id(tenant=tenant, refund_id=each.refund_id)))
            for each in answer.refunds
        ]
        members = {**answer.model_dump(exclude={"status", "refunds"}), "refunds": shown}
        return Refunds.model_validate({"purchase_id": purchase_id, **members})
