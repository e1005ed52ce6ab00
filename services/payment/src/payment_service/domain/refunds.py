"""Refunds: how one stands, and what can be wrong with one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from payment_service.domain.charges import StoredCharge
from payment_service.domain.provider import MovementStatus, RefundOrder
from payment_service.domain.reversals import (
    InvalidReversalError,
    Left,
    ReversalExceedsError,
    SellerPart,
    captured_amount,
    take_back,
)
from platform_contracts.money import Money

MOST_REFUNDS: Final = 100
"""Of one charge: all of them are read when another one is asked for."""


class RefundStatus(StrEnum):
    """Where a refund stands; the words are stored, and equal those of the contract."""

    REQUESTED = "requested"
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


OPEN: Final = frozenset({RefundStatus.REQUESTED, RefundStatus.PENDING})
"""Only the provider knows what becomes of these."""

STATUS_OF: Final[Mapping[MovementStatus, RefundStatus]] = {
    MovementStatus.PENDING: RefundStatus.PENDING,
    MovementStatus.SUCCEEDED: RefundStatus.SUCCEEDED,
    MovementStatus.FAILED: RefundStatus.FAILED,
}


@dataclass(frozen=True, kw_only=True)
class RefundRequest:
    """What is asked to be given back."""

    tenant: str
    refund_id: str
    charge_id: str
    amount: Money | None
    """None: the sum of the shares, or all that is left."""
    shares: Mapping[str, int] | None
    """Minor units by seller; None: in proportion to what is left of each share."""
    reason: str


@dataclass(frozen=True, kw_only=True)
class StoredRefund:
    """A refund as it stands."""

    tenant: str
    refund_id: str
    charge_id: str
    status: RefundStatus
    amount: Money
    parts: tuple[SellerPart, ...]
    """What it takes from each seller, and the fee that it gives back."""
    has_own_shares: bool
    """Whether whoever asked said who it is taken from."""
    reason: str
    requested_at: datetime
    charge_reference: str | None

    @property
    def order(self) -> RefundOrder:
        """What the provider is told; the same at every attempt."""
        return RefundOrder(
            tenant=self.tenant,
            refund_id=self.refund_id,
            charge_id=self.charge_id,
            charge_reference=self.charge_reference,
            amount=self.amount,
        )

    def is_what_is_asked(self, request: RefundRequest) -> bool:
        """Say whether a request with this id is the one that it came from."""
        shares = {part.seller: part.minor_units for part in self.parts} if self.has_own_shares else None
        return (
            self.charge_id == request.charge_id
            and request.amount in (None, self.amount)
            and request.shares == shares
            and self.reason == request.reason
        )


@dataclass(frozen=True, kw_only=True)
class RefundsOfCharge:
    """What was captured of a charge, what of it is taken back or about to be, and by which refunds."""

    captured: Money
    reversed: Money
    """By refunds that have not failed, and by disputes that are not won."""
    refunds: tuple[StoredRefund, ...]
    """Newest first."""


class _RefundError(Exception):
    """Something about one refund."""

    text = ""

    def __init__(self, refund_id: str, *, why: str = "") -> None:
        """Name the refund."""
        super().__init__(f"refund {refund_id} {self.text}{why and ': '}{why}")
        self.refund_id = refund_id


class NotCapturedError(_RefundError):
    """The charge is not captured."""

    text = "has nothing to give back, for its charge is not captured"


class RefundExceedsError(_RefundError):
    """More is asked for than is left."""

    text = "is more than what is left"


class InvalidRefundError(_RefundError):
    """Nothing can be refunded like this."""

    text = "is not possible"


class DifferentRefundError(_RefundError):
    """The refund was asked for with other details."""

    text = "was asked for with other details"


class UnknownRefundError(_RefundError):
    """There is no such refund."""

    text = "does not exist"


class RefundUnresolvedError(_RefundError):
    """The provider has not paid it back yet, or has not told; it is asked again."""

    text = "is not settled yet"


class RefundFailedError(_RefundError):
    """The provider does not pay it back."""

    text = "failed at the provider"


def planned(request: RefundRequest, charge: StoredCharge, left: Left, *, refunds: int, now: datetime) -> StoredRefund:
    """Return the refund of a captured charge as it will be written, if it can be.

    Args:
        request: what is asked for.
        charge: what was captured.
        left: what refunds and disputes have left of it.
        refunds: how many there are of it, failed ones included.
        now: when it is asked for.

    Raises:
        RefundExceedsError: when it is more than what is left.
        InvalidRefundError: when an amount is not positive or in another currency, a share is nobody's of the charge, or
            there are too many refunds already.
    """
    whole = captured_amount(charge)
    if refunds >= MOST_REFUNDS:
        raise InvalidRefundError(request.refund_id, why=f"a charge has at most {MOST_REFUNDS} refunds")
    units = sum(request.shares.values()) if request.shares else left.minor_units
    amount = request.amount or whole.model_copy(update={"minor_units": units})
    if (amount.currency, amount.exponent) != (whole.currency, whole.exponent):
        raise InvalidRefundError(request.refund_id, why="it has to be in the currency of the charge")
    try:
        if left.minor_units == 0:
            raise ReversalExceedsError("nothing is left")
        parts = take_back(left, amount.minor_units, shares=request.shares)
    except InvalidReversalError as error:
        raise InvalidRefundError(request.refund_id, why=str(error)) from None
    except ReversalExceedsError as error:
        raise RefundExceedsError(request.refund_id, why=str(error)) from None
    return StoredRefund(
        tenant=request.tenant,
        refund_id=request.refund_id,
        charge_id=request.charge_id,
        status=RefundStatus.REQUESTED,
        amount=amount,
        parts=parts,
        has_own_shares=request.shares is not None,
        reason=request.reason,
        requested_at=now,
        charge_reference=charge.reference,
    )
