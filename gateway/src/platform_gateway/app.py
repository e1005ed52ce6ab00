"""The gateway's application: every route, put together."""

from collections.abc import MutableMapping
from importlib.metadata import version
from typing import Any

import httpx
from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from opentelemetry.trace import TracerProvider
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp

from platform_gateway.identities import authentication
from platform_gateway.identity.acting import document_account
from platform_gateway.identity.auth import documented_bearer, documented_key
from platform_gateway.openapi.document import DESCRIPTION, document_with_examples
from platform_gateway.problems import Kind, Problem, http_problem, invalid_request
from platform_gateway.protection.security_headers import DOCS_PATH, OPENAPI_PATH, SecurityHeaders
from platform_gateway.protection.tenant_limits import TenantLimits
from platform_gateway.provider_events.receiving import ProviderDoor
from platform_gateway.routes.analytics import analytics_router
from platform_gateway.routes.api_keys import api_keys_router
from platform_gateway.routes.audit_log import audit_log_router
from platform_gateway.routes.balances import balances_router
from platform_gateway.routes.bulk_operations import bulk_operations_router
from platform_gateway.routes.escalations import escalations_router
from platform_gateway.routes.health import health_router
from platform_gateway.routes.listings import listings_router
from platform_gateway.routes.operating import operating_router
from platform_gateway.routes.operation_events import operation_events_router
from platform_gateway.routes.operations import operations_router
from platform_gateway.routes.payout_plans import payout_plans_router
from platform_gateway.routes.payouts import payouts_router
from platform_gateway.routes.provider_events import provider_event_redrives_router, provider_events_router
from platform_gateway.routes.purchases import purchases_router
from platform_gateway.routes.reconciliations import reconciliations_router
from platform_gateway.routes.refunds import refunds_router
from platform_gateway.routes.sales import sales_router
from platform_gateway.routes.schedules import schedules_router
from platform_gateway.routes.temporal import temporal_router
from platform_gateway.routes.users import users_router
from platform_gateway.settings import GatewaySettings
from platform_gateway.stores import Stores
from platform_gateway.telemetry.access_log import QUIET_PATHS, AccessLog
from platform_gateway.views_client import ViewsClient
from platform_gateway.workflow_gateway import WorkflowGateway


def create_app(
    settings: GatewaySettings,
    *,
    workflows: WorkflowGateway,
    user_views: ViewsClient,
    payment_views: ViewsClient,
    listing_views: ViewsClient,
    analytics_views: ViewsClient,
    stores: Stores,
    issuer_http: httpx.AsyncClient | None = None,
    tracer_provider: TracerProvider | None = None,
) -> FastAPI:
    """Return the application.

    Args:
        settings: keys and bounds.
        workflows: the connection to Temporal.
        user_views: what the user service shows.
        payment_views: what the payment service shows.
        listing_views: what the listing service shows.
        analytics_views: what the analytics service shows.
        stores: API keys and the audit log.
        issuer_http: asks the OIDC issuer; None: its tokens are not taken.
        tracer_provider: where the spans of requests go; None: the process's own.
    """
    is_open = not settings.is_authenticated
    serves_docs = settings.serves_docs(is_open=is_open)
    app = _Gateway(
        title="Partner platform",
        version=version("platform-gateway"),
        description=DESCRIPTION,
        openapi_url=OPENAPI_PATH if serves_docs else None,
        docs_url=DOCS_PATH if serves_docs else None,
        redoc_url=None,
        # A redirect would be the one answer that no client of this API expects.
        redirect_slashes=False,
        telemetry={"operation_spans": False, "exclude": _is_quiet, "tracer_provider": tracer_provider},
    )
    app.state.hsts_seconds = settings.hsts_seconds
    limits = TenantLimits(
        rate=settings.tenant_rate(is_open=is_open), in_flight=settings.tenant_in_flight(is_open=is_open)
    )
    authenticate = authentication(settings, audit=stores.audit, keys=stores.keys, http=issuer_http, limits=limits)
    guarded = [
        temporal_router(workflows, authenticate=authenticate, execute_wait_seconds=settings.execute_wait_seconds),
        users_router(workflows, user_views, authenticate=authenticate),
        listings_router(workflows, listing_views, authenticate=authenticate),
        purchases_router(workflows, listing_views, authenticate=authenticate),
        refunds_router(workflows, listing_views=listing_views, payment_views=payment_views, authenticate=authenticate),
        sales_router(listing_views, authenticate=authenticate),
        balances_router(payment_views, authenticate=authenticate),
        escalations_router(workflows, payment_views, authenticate=authenticate),
        reconciliations_router(payment_views, authenticate=authenticate),
        payouts_router(workflows, payment_views, authenticate=authenticate),
        payout_plans_router(workflows, payment_views, authenticate=authenticate),
        analytics_router(analytics_views, authenticate=authenticate),
        operations_router(workflows, authenticate=authenticate),
        operating_router(workflows, authenticate=authenticate),
        bulk_operations_router(workflows, authenticate=authenticate),
        provider_event_redrives_router(workflows, authenticate=authenticate),
        api_keys_router(stores.keys, authenticate=authenticate),
        audit_log_router(stores.audit, authenticate=authenticate),
        schedules_router(workflows, authenticate=authenticate),
        operation_events_router(
            workflows,
            authenticate=authenticate,
            streams_per_tenant=settings.event_streams_per_tenant,
            longest_seconds=settings.event_stream_seconds,
        ),
    ]
    for router in guarded:
        document_account(router)
        app.include_router(router, dependencies=[Depends(documented_bearer), Depends(documented_key)])
    app.include_router(health_router(workflows.problem))
    app.include_router(provider_events_router(workflows, ProviderDoor(settings)))
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(Exception, _on_bug)
    app.add_middleware(AccessLog)
    document_with_examples(app)
    return app


class _Gateway(FastAPI):
    """Adds the security headers around everything, the answer to a bug of a middleware included."""

    def build_middleware_stack(self) -> ASGIApp:
        """Return Starlette's own stack with the headers around it."""
        return SecurityHeaders(super().build_middleware_stack(), hsts_seconds=self.state.hsts_seconds)


def _is_quiet(scope: MutableMapping[str, Any]) -> bool:
    return scope["path"] in QUIET_PATHS


async def _on_http_exception(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return http_problem(error).response()


async def _on_invalid_request(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return invalid_request(error).response()


async def _on_bug(_request: Request, _error: Exception) -> Response:
    return Problem(Kind.INTERNAL, "It was logged under the trace id.").response()
