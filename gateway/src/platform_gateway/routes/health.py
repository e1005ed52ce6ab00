"""Whether the gateway lives, and whether it can do its work."""

from collections.abc import Awaitable, Callable

from fastapi import APIRouter
from starlette.responses import Response

from platform_gateway.problem_route import ProblemRoute
from platform_gateway.problems import RETRY_AFTER_SECONDS, documented
from platform_gateway.rest_models import Health
from platform_runtime.problem import problem_response


def health_router(temporal_problem: Callable[[], Awaitable[str | None]]) -> APIRouter:
    """Return the router of `/livez` and `/readyz`, which need no key."""
    router = APIRouter(tags=["health"], route_class=ProblemRoute)

    @router.get(
        "/livez", response_model=Health, responses=documented(500), summary="The process answers", operation_id="livez"
    )
    async def livez() -> Health:
        """Say that the process answers."""
        return Health(status="alive")

    @router.get(
        "/readyz",
        response_model=Health,
        responses=documented(500, 503),
        summary="Work can be taken",
        operation_id="readyz",
    )
    async def readyz() -> Health | Response:
        """Say whether Temporal can be reached; the views have their own health."""
        reason = await temporal_problem()
        if reason is None:
            return Health(status="ready")
        return problem_response(
            status=503,
            type="not_ready",
            title="Not ready",
            headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
            reasons={"temporal": reason},
        )

    return router
