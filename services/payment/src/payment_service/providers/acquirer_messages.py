"""What the acquirer tells of its book: its records and its events, in our words."""

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from payment_service.domain.disputes import DisputeAtProvider, DisputeStatus
from payment_service.domain.provider import FactKind, MovementStatus, ProviderFact, ProviderRecord, RecordKind
from payment_service.ports import UnreadableEventError
from payment_service.providers.acquirer_client import UnexpectedAnswerError
from platform_contracts.currencies import EXPONENTS
from platform_contracts.money import Money

MOVEMENT_STATUSES: Final[Mapping[str, MovementStatus]] = {
    "pending": MovementStatus.PENDING,
    "succeeded": MovementStatus.SUCCEEDED,
    "paid": MovementStatus.SUCCEEDED,
    "failed": MovementStatus.FAILED,
    # A dispute moves the money away from us; it is lost for good, or with us again.
    "opened": MovementStatus.PENDING,
    "lost": MovementStatus.SUCCEEDED,
    "won": MovementStatus.FAILED,
}
"""How what the acquirer says of a refund, a payout or a dispute is said here."""

_FACTS: Final[Mapping[str, FactKind]] = {
    "charge.authorised": FactKind.CHARGE_AUTHORISED,
    "charge.declined": FactKind.CHARGE_DECLINED,
    "charge.captured": FactKind.CHARGE_CAPTURED,
    "charge.voided": FactKind.CHARGE_VOIDED,
    "charge.expired": FactKind.CHARGE_EXPIRED,
    "refund.succeeded": FactKind.REFUND_SUCCEEDED,
    "refund.failed": FactKind.REFUND_FAILED,
    "dispute.opened": FactKind.DISPUTE_OPENED,
    "dispute.won": FactKind.DISPUTE_WON,
    "dispute.lost": FactKind.DISPUTE_LOST,
    "payout.paid": FactKind.PAYOUT_PAID,
    "payout.failed": FactKind.PAYOUT_FAILED,
}


class _Message(BaseModel):
    """Something the acquirer says, in camelCase; members that are new to us do no harm."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel)


_AmountMinor = Annotated[int, Field(strict=True, gt=0)]


class _Record(_Message):
    kind: RecordKind
    operation: str | None = None
    name: str | None = None
    partner: str | None = None
    amount_minor: _AmountMinor
    currency: str
    status: str
    at: AwareDatetime


class _Dispute(_Message):
    status: DisputeStatus
    """Our words and the acquirer's are the same."""
    amount_minor: _AmountMinor
    currency: str


class _Page(_Message):
    records: tuple[_Record, ...]
    cursor: str | None


class _Changed(_Message):
    """What changed; which of these are there depends on the type of the event."""

    operation: str | None = None
    refund: str | None = None
    dispute: str | None = None
    payout: str | None = None
    partner: str | None = None
    amount_minor: _AmountMinor | None = None
    captured_minor: _AmountMinor | None = None
    currency: str | None = None


class _Event(_Message):
    id: Annotated[str, Field(min_length=1, max_length=128)]
    type: Annotated[str, Field(min_length=1, max_length=128)]
    timestamp: AwareDatetime
    data: _Changed


def read_dispute(body: bytes) -> DisputeAtProvider:
    """Return how a dispute stands.

    Raises:
        UnexpectedAnswerError: when it is none.
    """
    try:
        said = _Dispute.model_validate_json(body)
        amount = _money(said.amount_minor, said.currency)
    except (ValidationError, LookupError):
        raise UnexpectedAnswerError("a dispute, unreadable") from None
    return DisputeAtProvider(status=said.status, amount=amount)


def read_page(body: bytes) -> tuple[list[ProviderRecord], str | None]:
    """Return the records of a page, and the cursor of the next one; None after the last.

    Raises:
        UnexpectedAnswerError: when it is no page.
    """
    try:
        page = _Page.model_validate_json(body)
        return [_record(record) for record in page.records], page.cursor
    except (ValidationError, LookupError):
        raise UnexpectedAnswerError("a page of records, unreadable") from None


def read_event(body: bytes) -> ProviderFact:
    """Return what an event says.

    Raises:
        UnreadableEventError: when the acquirer sends none like it.
    """
    try:
        return _fact(_Event.model_validate_json(body))
    except (ValidationError, LookupError):
        # Without the reason: it would quote what a stranger may have sent.
        raise UnreadableEventError("no event of the acquirer") from None


def _record(record: _Record) -> ProviderRecord:
    if record.kind is RecordKind.PAYOUT:
        tenant, operation_id, charge_id = record.partner or "", _split(record.name or "")[1], None
    else:
        tenant, charge_id = _split(record.operation or "")
        operation_id = record.name or charge_id
    return ProviderRecord(
        kind=record.kind,
        tenant=tenant,
        operation_id=operation_id,
        charge_id=charge_id,
        amount=_money(record.amount_minor, record.currency),
        status=MOVEMENT_STATUSES[record.status],
        at=record.at,
    )


def _fact(event: _Event) -> ProviderFact:
    kind = _FACTS.get(event.type, FactKind.OTHER)
    if kind is FactKind.OTHER:
        return ProviderFact(event_id=event.id, kind=kind, tenant="", subject="", at=event.timestamp)
    changed, charge_id = event.data, None
    match event.type.partition(".")[0]:
        case "payout":
            tenant, subject = changed.partner, _split(changed.payout or "")[1]
        case "charge":
            tenant, subject = _split(changed.operation or "")
        case about:
            tenant, charge_id = _split(changed.operation or "")
            subject = changed.refund if about == "refund" else changed.dispute
    if not tenant or not subject or charge_id == "":
        raise LookupError("it does not say what changed")
    minor_units = changed.captured_minor or changed.amount_minor
    return ProviderFact(
        event_id=event.id,
        kind=kind,
        tenant=tenant,
        subject=subject,
        charge_id=charge_id,
        # A charge that was voided before it was authorised has none.
        amount=_money(minor_units, changed.currency) if minor_units and changed.currency else None,
        at=event.timestamp,
    )


def _split(name: str) -> tuple[str, str]:
    """Return whose it is and our id of it; a name that is not made by us belongs to nobody."""
    whose, dot, own = name.partition(".")
    return (whose, own) if dot else ("", name)


def _money(minor_units: int, currency: str) -> Money:
    return Money(minor_units=minor_units, currency=currency, exponent=EXPONENTS[currency])
