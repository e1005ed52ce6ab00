"""Errors over HTTP: `application/problem+json` (RFC 9457)."""

from typing import Any, Final

from opentelemetry import trace
from starlette.responses import JSONResponse

PROBLEM_MEDIA_TYPE: Final = "application/problem+json"


def current_trace_id() -> str | None:
    """Return the trace id of what is going on, 32 hex digits; None outside of a trace."""
    span = trace.get_current_span().get_span_context()
    return trace.format_trace_id(span.trace_id) if span.is_valid else None


def problem_response(
    *,
    status: int,
    type: str,  # noqa: A002 - the RFC's own word
    title: str,
    detail: str | None = None,
    headers: dict[str, str] | None = None,
    **more: Any,
) -> JSONResponse:
    """Return an error as a client can read it.

    Args:
        status: the HTTP status.
        type: stable name of the kind of problem; clients decide by it.
        title: what the kind of problem is, for people.
        detail: what happened this time, for people.
        headers: for example Retry-After.
        more: further members of the body; None is left out.
    """
    body = {"type": type, "title": title, "status": status, "detail": detail, "traceId": current_trace_id(), **more}
    return JSONResponse(
        {name: value for name, value in body.items() if value is not None},
        status_code=status,
        headers=headers,
        media_type=PROBLEM_MEDIA_TYPE,
    )
