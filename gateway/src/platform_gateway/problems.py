"""Every error of the API: its stable type, its status, and how it looks in the documentation."""

from collections.abc import Iterable, Mapping
from enum import Enum
from http import HTTPStatus
from typing import Any, Final

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from platform_contracts.analytics.failures import AnalyticsFailure
from platform_contracts.failures import safe_text
from platform_contracts.listing.failures import ListingFailure
from platform_contracts.payment.failures import PaymentFailure
from platform_contracts.user.failures import UserFailure
from platform_runtime.problem import PROBLEM_MEDIA_TYPE, problem_response

RETRY_AFTER_SECONDS: Final = 2
"""When to try again what is away; the same figure paces a client that polls an operation."""


class Kind(Enum):
    """The kinds of problem: stable type, status, title."""

    MALFORMED_JSON = ("malformed_json", 400, "The body is not JSON")
    UNAUTHENTICATED = ("unauthenticated", 401, "A valid API key or token is needed")
    UNVERIFIED_EVENT = ("unverified_event", 400, "The event is not verified")
    INVALID_IDEMPOTENCY_KEY = ("invalid_idempotency_key", 400, "The Idempotency-Key is not well formed")
    INSUFFICIENT_SCOPE = ("insufficient_scope", 403, "The caller may not do this")
    STAFF_ONLY = ("staff_only", 403, "Only who runs the marketplace may do this")
    FOREIGN_ACCOUNT = ("foreign_account", 403, "The caller may not act for this account")
    SCOPE_NOT_OWNED = ("scope_not_owned", 403, "Nobody gives away what they may not do themselves")
    REVIEWER_IS_SUBMITTER = ("reviewer_is_submitter", 403, "Who submitted it may not review it")
    REVIEWER_IS_REQUESTER = ("reviewer_is_requester", 403, "Who asked for it may not approve it")
    NOT_FOUND = ("not_found", 404, "There is nothing here")
    UNKNOWN_OPERATION = ("unknown_operation", 404, "There is no such operation")
    UNKNOWN_BULK_OPERATION = ("unknown_bulk_operation", 404, "There is no such bulk operation")
    UNKNOWN_USER = ("unknown_user", 404, "There is no such user")
    UNKNOWN_LISTING = ("unknown_listing", 404, "There is no such listing")
    UNKNOWN_SUBMISSION = ("unknown_submission", 404, "There is no such submission")
    UNKNOWN_PURCHASE = ("unknown_purchase", 404, "There is no such purchase")
    UNKNOWN_ESCALATION = ("unknown_escalation", 404, "There is no such escalation")
    UNKNOWN_RECONCILIATION = ("unknown_reconciliation", 404, "There is no such reconciliation")
    UNKNOWN_PAYOUT = ("unknown_payout", 404, "There is no such payout")
    UNKNOWN_PROVIDER_EVENT = ("unknown_provider_event", 404, "There is no such provider event")
    UNKNOWN_API_KEY = ("unknown_api_key", 404, "There is no such API key")
    UNKNOWN_SCHEDULE = ("unknown_schedule", 404, "There is no such schedule")
    METHOD_NOT_ALLOWED = ("method_not_allowed", 405, "The method is not allowed here")
    TOO_SLOW = ("request_timeout", 408, "The body did not arrive in time")
    DIFFERENT_DETAILS = ("different_details", 409, "The same thing was asked for with other details")
    OPERATION_CLOSED = ("operation_closed", 409, "The operation has ended")
    OPERATION_CANCELED = ("operation_canceled", 409, "The operation was cancelled")
    OPERATION_TERMINATED = ("operation_terminated", 409, "An operator has ended the operation")
    NOT_CAPTURED = ("not_captured", 409, "Nothing was paid that could be given back")
    REFUND_EXCEEDS = ("refund_exceeds", 409, "Less is left of the payment than that")
    NOT_IN_REVIEW = ("not_in_review", 409, "The submission is not in review")
    ALREADY_DECIDED = ("already_decided", 409, "The submission has been decided otherwise")
    PAYOUT_NOT_IN_REVIEW = ("payout_not_in_review", 409, "The payout is not in review")
    PAYOUT_ALREADY_DECIDED = ("payout_already_decided", 409, "The payout has been decided, or by the same person")
    NOTHING_TO_RETRY = ("nothing_to_retry", 409, "Nothing of the operation waits for its next attempt")
    NOTHING_TO_RESET = ("nothing_to_reset", 409, "The operation has not begun yet")
    NOT_PAUSED = ("not_paused", 409, "The operation is not paused")
    KEY_NOT_ROTATED = ("key_not_rotated", 409, "The API key cannot be rotated now")
    PAST_THE_PIVOT = ("past_the_pivot", 409, "The operation can no longer be cancelled")
    TOO_LARGE = ("too_large", 413, "The body is too large")
    UNSUPPORTED_MEDIA_TYPE = ("unsupported_media_type", 415, "The body has to be JSON")
    INVALID_REQUEST = ("invalid_request", 422, "The request is not valid")
    IDEMPOTENCY_KEY_REUSED = ("idempotency_key_reused", 422, "The Idempotency-Key stands for another request")
    RATE_LIMITED = ("rate_limited", 429, "Too many requests in a short time")
    TOO_MANY_IN_FLIGHT = ("too_many_in_flight", 429, "Too many requests at once")
    TOO_MANY_STREAMS = ("too_many_streams", 429, "Too many streams of events are open")
    OPERATION_FAILED = ("operation_failed", 500, "The operation failed")
    INTERNAL = ("internal_error", 500, "Something went wrong here")
    NOT_SUPPORTED = ("not_supported", 501, "This Temporal server cannot do that")
    TEMPORAL_AWAY = ("temporal_unavailable", 503, "Operations cannot be reached now")
    NO_WORKER = ("no_worker", 503, "Nobody is there to take it now")
    IDENTITY_AWAY = ("identity_unavailable", 503, "Who calls cannot be told now")
    AUDIT_AWAY = ("audit_unavailable", 503, "What is asked for cannot be recorded now")
    KEYS_AWAY = ("keys_unavailable", 503, "API keys cannot be reached now")
    VIEW_AWAY = ("view_unavailable", 503, "What was asked for cannot be read now")

    def __init__(self, type: str, status: int, title: str) -> None:  # noqa: A002 - the RFC's own word
        self.type = type
        self.status = status
        self.title = title


FAILURES: Final[Mapping[str, tuple[int, str]]] = {
    # The first three are older than the short names, and clients know them as they are.
    UserFailure.INVALID_ACCOUNT_DETAILS: (422, UserFailure.INVALID_ACCOUNT_DETAILS),
    UserFailure.ACCOUNT_DETAILS_DIFFER: (409, UserFailure.ACCOUNT_DETAILS_DIFFER),
    UserFailure.UNKNOWN_NOTIFICATION_TYPE: (422, UserFailure.UNKNOWN_NOTIFICATION_TYPE),
    AnalyticsFailure.INVALID_EVENT: (422, AnalyticsFailure.INVALID_EVENT),
    ListingFailure.INVALID_LISTING: (422, "invalid_listing"),
    ListingFailure.LISTING_DIFFERS: (409, "listing_differs"),
    ListingFailure.UNKNOWN_LISTING: (404, "unknown_listing"),
    ListingFailure.NOT_A_DRAFT: (409, "not_a_draft"),
    ListingFailure.PARTNER_MAY_NOT_SELL: (403, "partner_may_not_sell"),
    ListingFailure.REVIEW_OVERDUE: (409, "review_overdue"),
    ListingFailure.NOT_FOR_SALE: (409, "not_for_sale"),
    ListingFailure.MIXED_CURRENCIES: (422, "mixed_currencies"),
    ListingFailure.SOLD_OUT: (409, "sold_out"),
    ListingFailure.PURCHASE_DIFFERS: (409, "purchase_differs"),
    ListingFailure.RESERVATION_EXPIRED: (409, "reservation_expired"),
    ListingFailure.PURCHASE_ABANDONED: (409, "purchase_abandoned"),
    # Not 503, which clients send again by themselves: this purchase has ended, and another one needs another id.
    ListingFailure.PAYMENT_UNAVAILABLE: (502, "payment_unavailable"),
    PaymentFailure.DECLINED: (402, "payment_declined"),
    PaymentFailure.CAPTURE_REFUSED: (402, "capture_refused"),
    PaymentFailure.CHARGE_VOIDED: (409, "charge_voided"),
    PaymentFailure.UNKNOWN_CHARGE: (409, "unknown_charge"),
    PaymentFailure.DIFFERENT_CHARGE: (409, "different_charge"),
    PaymentFailure.INVALID_CHARGE: (422, "invalid_charge"),
    PaymentFailure.UNKNOWN_ESCALATION: (404, "unknown_escalation"),
    PaymentFailure.ESCALATION_RESOLVED: (409, "escalation_resolved"),
    PaymentFailure.PAYOUT_DIFFERS: (409, "payout_differs"),
    PaymentFailure.UNKNOWN_PAYOUT: (404, "unknown_payout"),
    PaymentFailure.CHARGE_EXPIRED: (409, "charge_expired"),
    PaymentFailure.NOT_CAPTURED: (409, "not_captured"),
    PaymentFailure.REFUND_EXCEEDS: (409, "refund_exceeds"),
    PaymentFailure.INVALID_REFUND: (422, "invalid_refund"),
    PaymentFailure.DIFFERENT_REFUND: (409, "different_refund"),
    PaymentFailure.REFUND_FAILED: (502, "refund_failed"),
    PaymentFailure.UNKNOWN_PROVIDER_EVENT: (404, "unknown_provider_event"),
}
"""Status and type of a request that waited for a workflow and got this failure; others are `OPERATION_FAILED`."""


class Problem(Exception):
    """An answer that says what went wrong."""

    def __init__(
        self, kind: Kind, detail: str | None = None, *, headers: Mapping[str, str] | None = None, **members: Any
    ) -> None:
        """Make the problem.

        Args:
            kind: its type, status and title.
            detail: what happened this time, for people; never the text of an exception.
            headers: of the answer.
            members: further members of the body; None is left out.
        """
        super().__init__(kind.type)
        self.kind = kind
        self.detail = detail
        self.headers = dict(headers or {})
        self.members = members
        if kind.status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS):
            self.headers.setdefault("Retry-After", str(RETRY_AFTER_SECONDS))

    def response(self) -> Response:
        """Return it as an answer."""
        return problem_response(
            status=self.kind.status,
            type=self.kind.type,
            title=self.kind.title,
            detail=self.detail,
            headers=self.headers,
            **self.members,
        )


class OperationFailure(Problem):
    """A workflow that was waited for and failed; its type decides the status."""

    def __init__(self, failure_type: str | None, *, workflow_id: str, run_id: str | None) -> None:
        self._failure_type = failure_type
        text = safe_text(failure_type)
        failure = {"type": failure_type, "message": text}
        super().__init__(Kind.OPERATION_FAILED, text, workflowId=workflow_id, runId=run_id, failure=failure)

    def response(self) -> Response:
        """Return it as an answer; a failure of the contracts is a kind of its own."""
        known = FAILURES.get(self._failure_type or "")
        if known is None:
            return super().response()
        status, name = known
        return problem_response(
            status=status,
            type=name,
            title=self.kind.title,
            detail=self.detail,
            headers=self.headers,
            **self.members,
        )


def invalid_request(error: RequestValidationError) -> Problem:
    """Return the problem of a request that did not pass validation; it names the fields, and repeats no value."""
    errors = error.errors()
    if any(each["type"] == "json_invalid" for each in errors):
        return Problem(Kind.MALFORMED_JSON, "The body could not be parsed as JSON.")
    fields = [_field_error(each["loc"], each["msg"], each["type"]) for each in errors]
    return Problem(Kind.INVALID_REQUEST, "See `errors` for the fields.", errors=fields)


def invalid_field(location: str, field: str, detail: str) -> Problem:
    """Return the problem of one field that was found wrong elsewhere than in validation."""
    error = _field_error((location, field), detail, "invalid")
    return Problem(Kind.INVALID_REQUEST, "See `errors` for the fields.", errors=[error])


def _field_error(location: Iterable[object], message: str, code: str) -> dict[str, str]:
    where, *names = (str(part) for part in location)
    return {"in": where, "field": ".".join(names), "detail": message.removeprefix("Value error, "), "code": code}


def http_problem(error: HTTPException) -> Problem:
    """Return the problem of an exception that FastAPI, or an application around the routes, raised."""
    by_status = {
        400: Kind.MALFORMED_JSON,
        401: Kind.UNAUTHENTICATED,
        404: Kind.NOT_FOUND,
        405: Kind.METHOD_NOT_ALLOWED,
        413: Kind.TOO_LARGE,
        415: Kind.UNSUPPORTED_MEDIA_TYPE,
    }
    kind = by_status.get(error.status_code)
    if kind is not None:
        return Problem(kind, headers=error.headers)
    return _OtherStatus(error)


class _OtherStatus(Problem):
    """A status that no kind stands for, raised by the application around the routes."""

    def __init__(self, error: HTTPException) -> None:
        super().__init__(Kind.INTERNAL, headers=error.headers)
        self._status = HTTPStatus(error.status_code)

    def response(self) -> Response:
        """Return it as an answer."""
        return problem_response(
            status=self._status, type=self._status.name.lower(), title=self._status.phrase, headers=self.headers
        )


_PROBLEM_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "title": "Problem",
    "description": "An error as RFC 9457 has it. Decide by `type`; the texts are for people.",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string", "description": "Stable name of the kind of problem, or of the failure."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "traceId": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
        "workflowId": {"type": "string", "description": "The operation, where there is or may be one."},
        "runId": {"type": "string"},
        "scope": {"type": "string", "description": "What the caller would need to be allowed to do."},
        "failure": {
            "type": "object",
            "properties": {"type": {"type": ["string", "null"]}, "message": {"type": "string"}},
        },
        "decided": {
            "type": ["object", "null"],
            "description": "What was decided about a submission, when a decision comes second or late.",
            "properties": {
                "reviewerId": {"type": "string"},
                "approved": {"type": "boolean"},
                "reason": {"type": "string"},
            },
        },
        "decisions": {
            "type": "array",
            "description": "What was decided about a payout, when a decision comes second or late.",
            "items": {
                "type": "object",
                "properties": {name: {"type": "string"} for name in ("reviewerId", "decision", "comment")},
            },
        },
        "blockedBy": {"type": "object", "description": "What it waits for, as in the status of an operation."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {name: {"type": "string"} for name in ("in", "field", "detail", "code")},
            },
        },
    },
}
# Written out in place instead of referenced: the routes are mounted in applications that do not know our components.

_HEADERS: Final[Mapping[int, dict[str, Any]]] = {
    401: {"WWW-Authenticate": {"schema": {"type": "string"}}},
    429: {
        "Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."},
        "RateLimit-Policy": {"schema": {"type": "string"}, "description": "The limits of a tenant."},
        "RateLimit": {"schema": {"type": "string"}, "description": "What is left of them."},
    },
    503: {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}},
}


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what OpenAPI says about the problems of a route, by status."""
    return {
        status: {
            "description": _described(status),
            "headers": _HEADERS.get(status, {}),
            "content": {PROBLEM_MEDIA_TYPE: {"schema": _PROBLEM_SCHEMA, "example": _example(status)}},
        }
        for status in statuses
    }


def _example(status: int) -> dict[str, Any]:
    kinds = ((kind.type, kind.title) for kind in Kind if kind.status == status)
    failures = ((name, Kind.OPERATION_FAILED.title) for its, name in FAILURES.values() if its == status)
    type_, title = next(iter([*kinds, *failures]))
    return {"type": type_, "title": title, "status": status, "traceId": "4bf92f3577b34da6a3ce929d0e0e4736"}


def _described(status: int) -> str:
    kinds = (kind.title for kind in Kind if kind.status == status)
    failures = (safe_text(failure).removesuffix(".") for failure, (its, _) in FAILURES.items() if its == status)
    return "; ".join(dict.fromkeys([*kinds, *failures]))
