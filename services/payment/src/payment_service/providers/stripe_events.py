"""What Stripe's events say, in our words."""

from collections.abc import Mapping
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from payment_service.domain.provider import FactKind, MovementStatus, ProviderFact
from payment_service.ports import UnreadableEventError
from payment_service.providers.stripe_money import UnsupportedAmountError, from_stripe_units
from payment_service.providers.stripe_objects import moment, movement_status
from platform_contracts.money import Money


class _Subject(BaseModel):
    """What we read of the object that an event is about."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str = ""
    metadata: dict[str, str] = {}
    amount: int | None = None
    amount_received: int | None = None
    currency: str | None = None
    status: str | None = None
    cancellation_reason: str | None = None
    payment_intent: str | None = None


class _Data(BaseModel):
    object: _Subject


class _Event(BaseModel):
    id: str
    type: str
    created: int
    data: _Data


_CHARGES: Final[Mapping[str, FactKind]] = {
    "payment_intent.amount_capturable_updated": FactKind.CHARGE_AUTHORISED,
    "payment_intent.payment_failed": FactKind.CHARGE_DECLINED,
    "payment_intent.succeeded": FactKind.CHARGE_CAPTURED,
    "payment_intent.canceled": FactKind.CHARGE_VOIDED,
}
_REFUNDS: Final = frozenset({"refund.created", "refund.updated", "refund.failed", "charge.refund.updated"})
_DISPUTES: Final[Mapping[tuple[str, str | None], FactKind]] = {
    ("charge.dispute.closed", "won"): FactKind.DISPUTE_WON,
    ("charge.dispute.closed", "lost"): FactKind.DISPUTE_LOST,
}
_PAYOUTS: Final[Mapping[str, FactKind]] = {
    "payout.paid": FactKind.PAYOUT_PAID,
    "payout.failed": FactKind.PAYOUT_FAILED,
    "payout.canceled": FactKind.PAYOUT_FAILED,
}


class StripeEvents:
    """Reads what Stripe tells without being asked."""

    def read_event(self, body: bytes) -> ProviderFact:
        """Return what a Stripe event says; OTHER for what is not about anything of ours.

        A dispute carries no name of ours: it says which intent it is about (`charge_reference`).

        Raises:
            UnreadableEventError: when it is no event of Stripe.
        """
        try:
            event = _Event.model_validate_json(body)
        except ValidationError:
            raise UnreadableEventError("it has not the form of a Stripe event") from None
        if event.type in _CHARGES:
            return _of_charge(event)
        if event.type in _REFUNDS:
            return _of_refund(event)
        if event.type.startswith("charge.dispute."):
            return _of_dispute(event)
        if event.type in _PAYOUTS:
            return _of_payout(event)
        return _other(event)


def _of_charge(event: _Event) -> ProviderFact:
    subject = event.data.object
    kind = _CHARGES[event.type]
    if kind is FactKind.CHARGE_VOIDED and subject.cancellation_reason in ("automatic", "expired"):
        kind = FactKind.CHARGE_EXPIRED
    operation_id = subject.metadata.get("operation_id")
    return _fact(event, kind, tenant="tenant", subject=operation_id, charge_id=operation_id)


def _of_refund(event: _Event) -> ProviderFact:
    subject = event.data.object
    match movement_status(subject.status or ""):
        case MovementStatus.SUCCEEDED:
            kind = FactKind.REFUND_SUCCEEDED
        case MovementStatus.FAILED:
            kind = FactKind.REFUND_FAILED
        case MovementStatus.PENDING:
            return _other(event)
    names = subject.metadata
    return _fact(event, kind, tenant="tenant", subject=names.get("refund_id"), charge_id=names.get("operation_id"))


def _of_dispute(event: _Event) -> ProviderFact:
    subject = event.data.object
    # An inquiry takes no money; when it becomes a dispute, that is told as one.
    is_inquiry = (subject.status or "").startswith("warning_")
    opened = FactKind.DISPUTE_OPENED if event.type == "charge.dispute.created" and not is_inquiry else None
    kind = _DISPUTES.get((event.type, subject.status), opened)
    if kind is None:
        return _other(event)
    return ProviderFact(
        event_id=event.id,
        kind=kind,
        tenant="",
        subject=subject.id,
        charge_reference=subject.payment_intent,
        amount=_amount(subject),
        at=moment(event.created),
    )


def _of_payout(event: _Event) -> ProviderFact:
    return _fact(
        event,
        _PAYOUTS[event.type],
        tenant="partner",
        subject=event.data.object.metadata.get("payout_id"),
        charge_id=None,
    )


def _fact(event: _Event, kind: FactKind, *, tenant: str, subject: str | None, charge_id: str | None) -> ProviderFact:
    """Return the fact under our names, or OTHER when it was somebody else who made its subject."""
    account = event.data.object.metadata.get(tenant)
    if account is None or subject is None:
        return _other(event)
    return ProviderFact(
        event_id=event.id,
        kind=kind,
        tenant=account,
        subject=subject,
        charge_id=charge_id,
        amount=_amount(event.data.object),
        at=moment(event.created),
    )


def _amount(subject: _Subject) -> Money | None:
    units = subject.amount if subject.amount_received in (None, 0) else subject.amount_received
    if units is None or subject.currency is None:
        return None
    try:
        return from_stripe_units(units, subject.currency)
    except UnsupportedAmountError:
        return None


def _other(event: _Event) -> ProviderFact:
    return ProviderFact(
        event_id=event.id,
        kind=FactKind.OTHER,
        tenant="",
        subject=event.data.object.id,
        at=moment(event.created),
    )
