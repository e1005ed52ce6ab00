"""Requests that were refused before anything was done, counted by reason."""

from collections.abc import Mapping
from typing import Final

from opentelemetry import metrics
from starlette.requests import Request

from platform_gateway.problems import Kind
from platform_gateway.telemetry.access_log import route_of

_REASONS: Final[Mapping[Kind, str]] = {
    Kind.UNAUTHENTICATED: "unauthenticated",
    Kind.INSUFFICIENT_SCOPE: "insufficient_scope",
    Kind.FOREIGN_ACCOUNT: "foreign_account",
    Kind.RATE_LIMITED: "rate_limited",
    Kind.TOO_MANY_IN_FLIGHT: "in_flight",
    Kind.TOO_LARGE: "too_large",
    Kind.MALFORMED_JSON: "invalid",
    Kind.UNSUPPORTED_MEDIA_TYPE: "invalid",
    Kind.INVALID_REQUEST: "invalid",
    Kind.UNVERIFIED_EVENT: "unverified",
    Kind.TOO_SLOW: "too_slow",
}

# The meter of whatever provider the process sets up, also when it does so later; without one it counts nothing.
_refused = metrics.get_meter("platform_gateway").create_counter(
    "gateway.refusals", unit="{request}", description="Requests refused, by reason."
)
_unverified = metrics.get_meter("platform_gateway").create_counter(
    "gateway.provider_events.unverified", unit="{event}", description="Provider events refused, by what was wrong."
)


def count_unverified_event(provider: str, reason: str) -> None:
    """Count an event whose signature proves nothing; both words are from short lists."""
    _unverified.add(1, {"provider": provider, "reason": reason})


def count_refusal(request: Request, kind: Kind) -> None:
    """Count the answer if it is a refusal. By route and reason only: tenants and ids have no number that is bounded."""
    reason = _REASONS.get(kind)
    if reason is not None:
        _refused.add(
            1, {"reason": reason, "http.route": route_of(request.scope) or "", "http.request.method": request.method}
        )
