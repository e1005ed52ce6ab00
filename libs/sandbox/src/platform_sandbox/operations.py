"""What the acquirer answers to a request about an operation in some state: pure rules, no I/O."""

from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Final


class Status(StrEnum):
    """Where an operation stands at the acquirer; the values are stored and on the wire."""

    AUTHORISED = "authorised"
    DECLINED = "declined"
    CAPTURED = "captured"
    VOIDED = "voided"


class Refusal(StrEnum):
    """Why something was not done: `code` in the answer."""

    DECLINED = "declined"
    VOIDED = "voided"
    DIFFERENT = "different"
    NOT_AUTHORISED = "not_authorised"
    REFUSED = "refused"
    CAPTURED = "captured"


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


@dataclass(frozen=True, kw_only=True)
class Decision:
    """The answer to a request, and what of it goes into the book."""

    http_status: HTTPStatus
    refusal: Refusal | None = None
    becomes: Operation | None = None
    """None: the operation stays as it is."""
    is_done: bool = False
    """Whether money was reserved, taken or given back, which the journal keeps."""
    is_final: bool = True
    """Whether a repeat under the same key has to be answered the same for ever."""


_DECLINED_TOKEN: Final = "tok_declined"  # noqa: S105 - the name of a test card
_CAPTURE_REFUSED_TOKEN: Final = "tok_capture_refused"  # noqa: S105 - as above


def authorise(known: Operation | None, *, name: str, details: Details) -> Decision:
    """Reserve the amount, once for each operation."""
    if known is None:
        if details.token == _DECLINED_TOKEN:
            declined = Operation(name=name, status=Status.DECLINED, details=details)
            return _refused(Refusal.DECLINED, HTTPStatus.PAYMENT_REQUIRED, becomes=declined)
        authorised = Operation(name=name, status=Status.AUTHORISED, details=details)
        return Decision(http_status=HTTPStatus.CREATED, becomes=authorised, is_done=True)
    if known.status is Status.VOIDED:
        return _refused(Refusal.VOIDED)
    if known.details != details:
        return _refused(Refusal.DIFFERENT)
    if known.status is Status.DECLINED:
        return _refused(Refusal.DECLINED, HTTPStatus.PAYMENT_REQUIRED)
    return Decision(http_status=HTTPStatus.CREATED)


def capture(known: Operation | None) -> Decision:
    """Take what was reserved."""
    if known is not None and known.status is Status.VOIDED:
        return _refused(Refusal.VOIDED)
    if known is None or known.details is None or known.status is Status.DECLINED:
        # It may be authorised later, and then the same key must be able to capture it.
        return Decision(http_status=HTTPStatus.CONFLICT, refusal=Refusal.NOT_AUTHORISED, is_final=False)
    if known.status is Status.CAPTURED:
        return Decision(http_status=HTTPStatus.OK)
    if known.details.token == _CAPTURE_REFUSED_TOKEN:
        return _refused(Refusal.REFUSED)
    captured = Operation(name=known.name, status=Status.CAPTURED, details=known.details)
    return Decision(http_status=HTTPStatus.OK, becomes=captured, is_done=True)


def void(known: Operation | None, *, name: str) -> Decision:
    """Give back what was reserved; an operation never seen can never be authorised after this."""
    if known is not None and known.status is Status.CAPTURED:
        return _refused(Refusal.CAPTURED)
    if known is not None and known.status is Status.VOIDED:
        return Decision(http_status=HTTPStatus.OK)
    voided = Operation(name=name, status=Status.VOIDED, details=None if known is None else known.details)
    return Decision(http_status=HTTPStatus.OK, becomes=voided, is_done=True)


def _refused(
    refusal: Refusal, status: HTTPStatus = HTTPStatus.CONFLICT, *, becomes: Operation | None = None
) -> Decision:
    return Decision(http_status=status, refusal=refusal, becomes=becomes)
