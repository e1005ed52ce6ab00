"""Reconciliations: whether the providers' books and the ledger tell the same."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request

from platform_contracts.payment.reconciliation_views import (
    RECONCILIATION,
    RECONCILIATIONS,
    ReconciliationId,
    ReconciliationQuery,
    ReconciliationsQuery,
    ReconciliationView,
)
from platform_contracts.view import PageSize
from platform_gateway.market.reconciliation_models import (
    Reconciliation,
    ReconciliationReport,
    ReconciliationsPage,
)
from platform_gateway.problem_route import Authenticate, guarded_route
from platform_gateway.problems import Kind, Problem, documented
from platform_gateway.routes.shared import Cursor, Tenant, path_of, with_links
from platform_gateway.views_client import ViewsClient

RECONCILIATION_ROUTE = "one_reconciliation"

AReconciliationId = Annotated[ReconciliationId, Path(alias="reconciliationId")]


def reconciliations_router(views: ViewsClient, *, authenticate: Authenticate) -> APIRouter:
    """Return the router of `/v1/reconciliations`."""
    router = APIRouter(prefix="/v1/reconciliations", tags=["reconciliations"], route_class=guarded_route(authenticate))

    @router.get(
        "",
        operation_id="listReconciliations",
        response_model=ReconciliationsPage,
        responses=documented(401, 403, 422, 500, 503),
        summary="List reconciliations",
    )
    async def reconciliations(
        request: Request, tenant: Tenant, limit: Annotated[PageSize, Query()] = 50, cursor: Cursor = None
    ) -> ReconciliationsPage:
        """Return a page of finished reconciliations, newest first; they are the marketplace's own."""
        page = await views.read(RECONCILIATIONS, ReconciliationsQuery(limit=limit, cursor=cursor), tenant=tenant)
        return ReconciliationsPage(
            reconciliations=tuple(
                Reconciliation.model_validate(_linked(request, each)) for each in page.reconciliations
            ),
            next_cursor=page.next_cursor,
        )

    @router.get(
        "/{reconciliationId}",
        operation_id="getReconciliation",
        name=RECONCILIATION_ROUTE,
        response_model=ReconciliationReport,
        responses=documented(401, 403, 404, 422, 500, 503),
        summary="Read a reconciliation",
    )
    async def reconciliation(
        request: Request, tenant: Tenant, reconciliation_id: AReconciliationId
    ) -> ReconciliationReport:
        """Return one reconciliation with what it has found."""
        query = ReconciliationQuery(reconciliation_id=reconciliation_id)
        answer = await views.read(RECONCILIATION, query, tenant=tenant)
        if answer.reconciliation is None:
            raise Problem(Kind.UNKNOWN_RECONCILIATION, "There is no such reconciliation.")
        findings = [finding.model_dump() for finding in answer.findings]
        return ReconciliationReport.model_validate(_linked(request, answer.reconciliation) | {"findings": findings})

    return router


def _linked(request: Request, reconciliation: ReconciliationView) -> dict[str, object]:
    path = path_of(request, RECONCILIATION_ROUTE, reconciliationId=reconciliation.reconciliation_id)
    return with_links(reconciliation, self=path)
