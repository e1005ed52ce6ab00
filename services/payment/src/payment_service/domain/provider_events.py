"""Provider events: hints to look. What one says counts only as far as the provider itself, asked, says it too."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from payment_service.domain.charges import MAY_COME_FROM, UNRESOLVED, ChargeStatus
from payment_service.domain.escalations import EscalationReason
from payment_service.domain.provider import FactKind


class EventStatus(StrEnum):
    """Where an event stands; the words are stored, and equal those of the contract."""

    RECEIVED = "received"
    APPLIED = "applied"
    IGNORED = "ignored"
    CONTRADICTED = "contradicted"
    QUARANTINED = "quarantined"


class EventReason(StrEnum):
    """Why an event stands where it does; the words are stored."""

    UNREADABLE = "unreadable"
    """It is none that the provider sends, as far as we know."""
    UNKNOWN_PROVIDER = "unknown_provider"
    """No such provider is set up in this service."""
    NOT_APPLIED = "not_applied"
    """It was tried for as long as anything is tried here."""
    PROVIDER_DISAGREES = "provider_disagrees"
    """The provider, asked, says something else than its event."""
    BOOKS_DIFFER = "books_differ"
    """Event and provider agree, and our book cannot follow."""
    NO_RECORD = "no_record"
    """It is about a charge that we have no record of; what was taken of it, if anything, a person is told."""
    UNKNOWN_MOVEMENT = "unknown_movement"
    """The provider has given back or paid out what nobody here has asked for."""
    NOBODY_ASKS = "nobody_asks"
    """It tells of something that no workflow needs to know."""


REDRIVABLE: Final = frozenset({EventStatus.IGNORED, EventStatus.CONTRADICTED, EventStatus.QUARANTINED})
"""What a person can have tried again; what is applied is done."""

ESCALATES_AS: Final[Mapping[EventReason, EscalationReason]] = {
    EventReason.UNREADABLE: EscalationReason.EVENT_UNREADABLE,
    EventReason.UNKNOWN_PROVIDER: EscalationReason.EVENT_UNREADABLE,
    EventReason.NOT_APPLIED: EscalationReason.EVENT_NOT_APPLIED,
    EventReason.PROVIDER_DISAGREES: EscalationReason.EVENT_CONTRADICTS,
    EventReason.UNKNOWN_MOVEMENT: EscalationReason.EXTRA_AT_PROVIDER,
}
"""What a person is told about the event itself; of the others they are told what is wrong with the money."""

AGREES_WITH: Final[Mapping[FactKind, frozenset[ChargeStatus]]] = {
    FactKind.CHARGE_AUTHORISED: frozenset(
        {ChargeStatus.AUTHORISED, ChargeStatus.CAPTURED, ChargeStatus.VOIDED, ChargeStatus.EXPIRED}
    ),
    FactKind.CHARGE_DECLINED: frozenset({ChargeStatus.DECLINED, ChargeStatus.VOIDED}),
    FactKind.CHARGE_CAPTURED: frozenset({ChargeStatus.CAPTURED}),
    FactKind.CHARGE_VOIDED: frozenset({ChargeStatus.VOIDED, ChargeStatus.EXPIRED}),
    FactKind.CHARGE_EXPIRED: frozenset({ChargeStatus.EXPIRED, ChargeStatus.VOIDED}),
}
"""How a charge can stand at the provider once an event of this kind was sent: as it says, or further on its way."""

MAY_BE_CAPTURED: Final = MAY_COME_FROM[ChargeStatus.CAPTURED] | UNRESOLVED | {ChargeStatus.CAPTURED}
"""Where our charge can stand when the provider says that it is captured; anything else is a difference of the books."""


@dataclass(frozen=True, kw_only=True)
class StoredEvent:
    """An event as it was received, and where it stands."""

    provider: str
    event_id: str
    body: bytes
    received_at: datetime
    status: EventStatus
    reason: EventReason | None = None
    attempts: int = 1
    """How often it was taken up: once, and once more for each redrive."""


def event_subject(*, provider: str, event_id: str) -> str:
    """Return what the escalations about an event are about."""
    return f"provider-event:{provider}:{event_id}"


class UnknownEventError(Exception):
    """There is no such event to be tried again."""

    def __init__(self, *, provider: str, event_id: str) -> None:
        """Name the event."""
        super().__init__(f"there is no event {event_id} of {provider}")
