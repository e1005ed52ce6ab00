"""What the acquirer answers to a request about a refund, a payout or a dispute: pure rules, no I/O."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from http import HTTPStatus
from typing import Any, Final

from platform_sandbox.decisions import Decision, Refusal, refused
from platform_sandbox.operations import Operation, Status


class Kind(StrEnum):
    """The movements of money beside a charge's own; the values are stored and on the wire."""

    REFUND = "refund"
    PAYOUT = "payout"
    DISPUTE = "dispute"


class Standing(StrEnum):
    """Where a movement stands; the values are stored and on the wire."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    PAID = "paid"
    FAILED = "failed"
    OPENED = "opened"
    WON = "won"
    LOST = "lost"


@dataclass(frozen=True, kw_only=True)
class Movement:
    """What the book says of a refund, a payout or a dispute."""

    kind: Kind
    operation: str
    """What is refunded or disputed; empty for a payout."""
    name: str
    partner: str | None = None
    """Who is paid out; None for the others."""
    amount_minor: int
    currency: str
    status: Standing


OUTCOMES: Final[Mapping[tuple[Kind, Standing], frozenset[Standing]]] = {
    (Kind.REFUND, Standing.PENDING): frozenset({Standing.SUCCEEDED, Standing.FAILED}),
    # The buyer's bank may still send it back, as a partner's may return a payout.
    (Kind.REFUND, Standing.SUCCEEDED): frozenset({Standing.FAILED}),
    (Kind.PAYOUT, Standing.PENDING): frozenset({Standing.PAID, Standing.FAILED}),
    (Kind.PAYOUT, Standing.PAID): frozenset({Standing.FAILED}),
    (Kind.DISPUTE, Standing.OPENED): frozenset({Standing.WON, Standing.LOST}),
}
"""What can become of a movement."""

_TAKES_NOTHING: Final = frozenset({Standing.FAILED, Standing.WON})
"""A refund or dispute that stands so has left the captured money where it was."""


def left_of(operation: Operation | None, others: list[Movement]) -> int | None:
    """Return what refunds and disputes have left of what was captured; None for what is not captured."""
    if operation is None or operation.status is not Status.CAPTURED or operation.captured_minor is None:
        return None
    return operation.captured_minor - sum(other.amount_minor for other in others if other.status not in _TAKES_NOTHING)


def refund(wanted: Movement, *, known: Movement | None, of: Operation | None, left: int | None) -> Decision[Movement]:
    """Give back a part of what was captured, once for each refund, and never more than is left."""
    if known is not None:
        return _known(known, wanted)
    if of is None or of.details is None or left is None:
        # It may be captured later, and then the same key must be able to refund it.
        return refused(Refusal.NOT_CAPTURED, is_final=False)
    if wanted.amount_minor > left:
        return refused(Refusal.ABOVE_CAPTURED)
    status = _REFUND_BEGINS.get(of.details.token, Standing.SUCCEEDED)
    return _made(replace(wanted, currency=of.details.currency, status=status))


def dispute(wanted: Movement, *, known: Movement | None, of: Operation | None, left: int | None) -> Decision[Movement]:
    """Take back what a buyer disputes, until it is won or lost; no more than is left of what was captured."""
    if known is not None:
        return _known(known, wanted)
    if of is None or of.details is None or left is None:
        return refused(Refusal.NOT_CAPTURED, is_final=False)
    if wanted.amount_minor > left:
        return refused(Refusal.ABOVE_CAPTURED, is_final=False)
    return _made(replace(wanted, currency=of.details.currency, status=Standing.OPENED))


def payout(wanted: Movement, *, known: Movement | None) -> Decision[Movement]:
    """Send money to a partner, once for each payout; it is on its way until it has arrived."""
    if known is not None:
        return _known(known, wanted)
    is_refused = (wanted.partner or "").endswith("-payout-refused")
    return _made(replace(wanted, status=Standing.FAILED if is_refused else Standing.PENDING))


def outcome(known: Movement | None, *, to: Standing) -> Decision[Movement]:
    """Let it end like this, if it can from where it stands."""
    if known is None:
        return refused(Refusal.UNKNOWN, HTTPStatus.NOT_FOUND, is_final=False)
    if known.status is to:
        return Decision(http_status=HTTPStatus.OK)
    if to not in OUTCOMES.get((known.kind, known.status), frozenset()):
        return refused(Refusal.SETTLED)
    return Decision(http_status=HTTPStatus.OK, becomes=replace(known, status=to), is_done=True)


_REFUND_BEGINS: Final[Mapping[str, Standing]] = {
    "tok_refund_failed": Standing.FAILED,
    "tok_refund_pending": Standing.PENDING,
    "tok_refund_pending_failed": Standing.PENDING,
}


def comes_next(movement: Movement, *, token: str | None) -> Standing | None:
    """Return what becomes of it by itself after a while; None when it stays as it is.

    Args:
        movement: what has just come to stand as it does.
        token: the card of the operation that is refunded; None for a payout.
    """
    partner = movement.partner or ""
    match movement.kind, movement.status:
        case Kind.REFUND, Standing.PENDING:
            return Standing.FAILED if token == "tok_refund_pending_failed" else Standing.SUCCEEDED  # noqa: S105
        case Kind.PAYOUT, Standing.PENDING:
            return Standing.FAILED if partner.endswith("-payout-fails") else Standing.PAID
        case Kind.PAYOUT, Standing.PAID if partner.endswith("-payout-returned"):
            return Standing.FAILED
        case _:
            return None


def described(movement: Movement) -> dict[str, Any]:
    """Return a movement as clients see it."""
    about = {"partner": movement.partner} if movement.kind is Kind.PAYOUT else {"operation": movement.operation}
    return {
        movement.kind: movement.name,
        **about,
        "status": movement.status,
        "amountMinor": movement.amount_minor,
        "currency": movement.currency,
    }


def _known(known: Movement, wanted: Movement) -> Decision[Movement]:
    same = (known.amount_minor, known.partner) == (wanted.amount_minor, wanted.partner)
    # Only a payout says its currency; the others have that of what was captured.
    if not same or (known.kind is Kind.PAYOUT and known.currency != wanted.currency):
        return refused(Refusal.DIFFERENT)
    return Decision(http_status=HTTPStatus.OK)


def _made(movement: Movement) -> Decision[Movement]:
    return Decision(http_status=HTTPStatus.CREATED, becomes=movement, is_done=True)
