"""Where anticipated failures of the domain become failures of the contract, which no retry can mend."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from payment_service.domain.charges import (
    CaptureRefusedError,
    ChargeExpiredError,
    ChargeVoidedError,
    DeclinedError,
    DifferentChargeError,
    InvalidChargeError,
    UnknownChargeError,
)
from payment_service.domain.escalations import EscalationResolvedError, UnknownEscalationError
from payment_service.domain.payouts import PayoutDiffersError, UnknownPayoutError
from payment_service.domain.provider_events import UnknownEventError
from payment_service.domain.refunds import (
    DifferentRefundError,
    InvalidRefundError,
    NotCapturedError,
    RefundExceedsError,
    RefundFailedError,
)
from platform_contracts.payment.failures import PaymentFailure

_TYPES: Final[dict[type[Exception], PaymentFailure]] = {
    DeclinedError: PaymentFailure.DECLINED,
    CaptureRefusedError: PaymentFailure.CAPTURE_REFUSED,
    ChargeVoidedError: PaymentFailure.CHARGE_VOIDED,
    UnknownChargeError: PaymentFailure.UNKNOWN_CHARGE,
    DifferentChargeError: PaymentFailure.DIFFERENT_CHARGE,
    InvalidChargeError: PaymentFailure.INVALID_CHARGE,
    UnknownEscalationError: PaymentFailure.UNKNOWN_ESCALATION,
    EscalationResolvedError: PaymentFailure.ESCALATION_RESOLVED,
    PayoutDiffersError: PaymentFailure.PAYOUT_DIFFERS,
    UnknownPayoutError: PaymentFailure.UNKNOWN_PAYOUT,
    ChargeExpiredError: PaymentFailure.CHARGE_EXPIRED,
    NotCapturedError: PaymentFailure.NOT_CAPTURED,
    RefundExceedsError: PaymentFailure.REFUND_EXCEEDS,
    InvalidRefundError: PaymentFailure.INVALID_REFUND,
    DifferentRefundError: PaymentFailure.DIFFERENT_REFUND,
    RefundFailedError: PaymentFailure.REFUND_FAILED,
    UnknownEventError: PaymentFailure.UNKNOWN_PROVIDER_EVENT,
}


@contextmanager
def translated() -> Generator[None]:
    """Turn the domain's failures inside the block into failures of the contract; everything else is retried.

    Raises:
        ApplicationError: of a type of `PaymentFailure`, not to be retried.
    """
    try:
        yield
    except tuple(_TYPES) as failure:
        # Without its cause: the history needs no second text of the same failure.
        raise ApplicationError(
            str(failure),
            type=_TYPES[type(failure)],
            non_retryable=True,
            # A card that is declined is no trouble of ours: no warning, no count of failures.
            category=ApplicationErrorCategory.BENIGN,
        ) from None
