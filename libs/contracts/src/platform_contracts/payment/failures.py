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
}
