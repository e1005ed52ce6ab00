"""Failures of the payment domain."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class PaymentFailure(StrEnum):
    """The failure types, as they stand in histories."""

    DECLINED = "payment.Declined"
    """The acquirer refused the authorisation for good."""
    CAPTURE_REFUSED = "payment.CaptureRefused"
    """The acquirer refused to capture what it had authorised; it will not change its mind."""
    CHARGE_VOIDED = "payment.ChargeVoided"
    """The charge was voided before, so it cannot be authorised or captured any more."""
    UNKNOWN_CHARGE = "payment.UnknownCharge"
    """There is no charge of this operation to capture."""
    DIFFERENT_CHARGE = "payment.DifferentCharge"
    """The operation was authorised with another amount, token or split."""
    INVALID_CHARGE = "payment.InvalidCharge"
    """Nothing can be charged like this: an amount is not positive, or the shares do not add up to it."""
    PAYOUT_DIFFERS = "payment.PayoutDiffers"
    """There is a payout of this id for another currency."""
    UNKNOWN_PAYOUT = "payment.UnknownPayout"
    """There is no such payout."""
    UNKNOWN_ESCALATION = "payment.UnknownEscalation"
    """There is no such escalation."""
    ESCALATION_RESOLVED = "payment.EscalationResolved"
    """The escalation was resolved before, in another way."""
    CHARGE_EXPIRED = "payment.ChargeExpired"
    """The provider let go of what was authorised before it was captured."""
    NOT_CAPTURED = "payment.NotCaptured"
    """Nothing was captured that could be given back."""
    REFUND_EXCEEDS = "payment.RefundExceeds"
    """More than what was captured minus what was, or is being, given back."""
    INVALID_REFUND = "payment.InvalidRefund"
    """Nothing can be refunded like this: an amount is not positive, or the shares are not those of the charge."""
    DIFFERENT_REFUND = "payment.DifferentRefund"
    """A refund of this id was asked for with other details."""
    REFUND_FAILED = "payment.RefundFailed"
    """The provider does not pay it back; the money is where it was."""
    UNKNOWN_PROVIDER_EVENT = "payment.UnknownProviderEvent"
    """There is no such event to be tried again."""


PAYMENT_FAILURE_TEXTS: Final[Mapping[str, str]] = {
    PaymentFailure.DECLINED: "The payment was declined.",
    PaymentFailure.CAPTURE_REFUSED: "The payment could not be collected.",
    PaymentFailure.CHARGE_VOIDED: "The payment was cancelled before.",
    PaymentFailure.UNKNOWN_CHARGE: "There is no such payment.",
    PaymentFailure.DIFFERENT_CHARGE: "This payment was asked for with other details.",
    PaymentFailure.INVALID_CHARGE: "A payment like this is not possible.",
    PaymentFailure.UNKNOWN_ESCALATION: "There is no such escalation.",
    PaymentFailure.ESCALATION_RESOLVED: "It was resolved before.",
    PaymentFailure.PAYOUT_DIFFERS: "This payout was asked for with other details.",
    PaymentFailure.UNKNOWN_PAYOUT: "There is no such payout.",
    PaymentFailure.CHARGE_EXPIRED: "The payment was not collected in time.",
    PaymentFailure.NOT_CAPTURED: "Nothing was paid that could be given back.",
    PaymentFailure.REFUND_EXCEEDS: "Less is left of the payment than that.",
    PaymentFailure.INVALID_REFUND: "A refund like this is not possible.",
    PaymentFailure.DIFFERENT_REFUND: "This refund was asked for with other details.",
    PaymentFailure.REFUND_FAILED: "The refund could not be made. Nothing was given back.",
    PaymentFailure.UNKNOWN_PROVIDER_EVENT: "There is no such provider event.",
}
