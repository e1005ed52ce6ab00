"""What the acquirer answers to a request about an operation in some state: pure rules, no I/O."""

from dataclasses import dataclass, replace
from enum import StrEnum
from http import HTTPStatus
from typing import Any, Final

from platform_sandbox.decisions import Decision, Refusal, refused


class Verb(StrEnum):
    """What an operation can be asked to do; the values are in its journal."""

    AUTHORISE = "authorise"
    CAPTURE = "capture"
    VOID = "void"
    EXPIRE = "expire"


class Status(StrEnum):
    """Where an operation stands at the acquirer; the values are stored and on the wire."""

    AUTHORISED = "authorised"
    DECLINED = "declined"
    CAPTURED = "captured"
    VOIDED = "voided"
    EXPIRED = "expired"


@dataclass(frozen=True, kw_only=True)
class Details:
    """What was asked to be authorised."""

    token: str
    amount_minor: int
    currency: str


@dataclass(frozen=True, kw_only=True)
class Operation:
    """What the book says of an operation."""

    name: str
    status: Status
    details: Details | None
    """None for one that was voided before it was ever seen."""
    captured_minor: int | None = None
    """What was taken of the amount; None before the capture."""


_DECLINED_TOKEN: Final = "tok_declined"  # noqa: S105 - the name of a test card
_CAPTURE_REFUSED_TOKEN: Final = "tok_capture_refused"  # noqa: S105 - as above


def authorise(known: Operation | None, *, name: str, details: Details) -> Decision[Operation]:
    """Reserve the amount, once for each operation."""
    if known is None:
        if details.token == _DECLINED_TOKEN:
            declined = Operation(name=name, status=Status.DECLINED, details=details)
            return refused(Refusal.DECLINED, HTTPStatus.PAYMENT_REQUIRED, becomes=declined)
        authorised = Operation(name=name, status=Status.AUTHORISED, details=details)
        return Decision(http_status=HTTPStatus.CREATED, becomes=authorised, is_done=True)
    return _authorised_again(known, details)


def _authorised_again(known: Operation, details: Details) -> Decision[Operation]:
    if known.status is Status.VOIDED:
        return refused(Refusal.VOIDED)
    if known.details != details:
        return refused(Refusal.DIFFERENT)
    if known.status is Status.DECLINED:
        return refused(Refusal.DECLINED, HTTPStatus.PAYMENT_REQUIRED)
    if known.status is Status.EXPIRED:
        return refused(Refusal.EXPIRED)
    return Decision(http_status=HTTPStatus.CREATED)


def capture(known: Operation | None, *, amount_minor: int | None) -> Decision[Operation]:
    """Take what was reserved, or this much of it, once; the rest is released."""
    if known is None or known.details is None or known.status is not Status.AUTHORISED:
        return _captured_no_more(known, amount_minor)
    wanted = known.details.amount_minor if amount_minor is None else amount_minor
    if wanted > known.details.amount_minor:
        # Somebody's mistake: the same key must still be able to take what is there.
        return refused(Refusal.ABOVE_AUTHORISED, is_final=False)
    if known.details.token == _CAPTURE_REFUSED_TOKEN:
        return refused(Refusal.REFUSED)
    captured = replace(known, status=Status.CAPTURED, captured_minor=wanted)
    return Decision(http_status=HTTPStatus.OK, becomes=captured, is_done=True)


def _captured_no_more(known: Operation | None, amount_minor: int | None) -> Decision[Operation]:
    if known is not None and known.status is Status.VOIDED:
        return refused(Refusal.VOIDED)
    if known is not None and known.status is Status.EXPIRED:
        return refused(Refusal.EXPIRED)
    if known is None or known.details is None or known.status is Status.DECLINED:
        # It may be authorised later, and then the same key must be able to capture it.
        return refused(Refusal.NOT_AUTHORISED, is_final=False)
    wanted = known.details.amount_minor if amount_minor is None else amount_minor
    if wanted != known.captured_minor:
        return refused(Refusal.CAPTURED_DIFFERENTLY)
    return Decision(http_status=HTTPStatus.OK)


def void(known: Operation | None, *, name: str) -> Decision[Operation]:
    """Give back what was reserved; an operation never seen can never be authorised after this."""
    if known is not None and known.status is Status.CAPTURED:
        return refused(Refusal.CAPTURED)
    if known is not None and known.status is Status.VOIDED:
        return Decision(http_status=HTTPStatus.OK)
    voided = Operation(name=name, status=Status.VOIDED, details=None if known is None else known.details)
    return Decision(http_status=HTTPStatus.OK, becomes=voided, is_done=True)


def expire(known: Operation | None) -> Decision[Operation]:
    """Release what was reserved, for nobody captured it in time."""
    if known is None or known.status is Status.DECLINED:
        return refused(Refusal.NOT_AUTHORISED, is_final=False)
    match known.status:
        case Status.CAPTURED:
            return refused(Refusal.CAPTURED)
        case Status.VOIDED:
            return refused(Refusal.VOIDED)
        case Status.EXPIRED:
            return Decision(http_status=HTTPStatus.OK)
        case _:
            return Decision(http_status=HTTPStatus.OK, becomes=replace(known, status=Status.EXPIRED), is_done=True)


def described(operation: Operation) -> dict[str, Any]:
    """Return an operation as clients see it."""
    details = operation.details
    return {
        "operation": operation.name,
        "status": operation.status,
        "token": details and details.token,
        "amountMinor": details and details.amount_minor,
        "capturedMinor": operation.captured_minor,
        "currency": details and details.currency,
    }
