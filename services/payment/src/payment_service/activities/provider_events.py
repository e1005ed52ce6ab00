"""Activities that take provider events in: written down once, read, looked up at the provider, settled."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from pydantic import AwareDatetime
from temporalio import activity

from payment_service.activities.failures import translated
from payment_service.domain.escalations import Escalation, EscalationReason, escalation, escalation_id
from payment_service.domain.provider import FactKind
from payment_service.domain.provider_events import (
    ESCALATES_AS,
    EventReason,
    EventStatus,
    StoredEvent,
    UnknownEventError,
    event_subject,
)
from payment_service.ports import ProviderEvents, ReceivedEvents, UnreadableEventError
from platform_contracts.identifiers import PLATFORM_TENANT, ClientId, Tenant
from platform_contracts.message import ContractModel
from platform_contracts.money import Money
from platform_contracts.payment.provider_event import EventId, ProviderEventInput, ProviderName, Redrive


class EventFact(ContractModel):
    """What an event says."""

    provider: ProviderName
    event_id: EventId
    kind: FactKind
    tenant: Tenant | None
    """None for what concerns no account."""
    subject: ClientId | None
    charge_id: ClientId | None = None
    amount: Money | None = None
    at: AwareDatetime


class TakenUp(ContractModel):
    """An event that is written down."""

    status: EventStatus
    reason: EventReason | None = None
    fact: EventFact | None = None
    """What it says, while it waits to be looked up; None where there is nothing left to do."""


class Verdict(ContractModel):
    """What became of an event."""

    status: EventStatus
    reason: EventReason | None = None


class Settlement(ContractModel):
    """Where an event ends."""

    provider: ProviderName
    event_id: EventId
    verdict: Verdict
    tenant: Tenant | None = None
    """Whom it concerns; None: the platform alone."""
    redrive: Redrive | None = None


_SETTLES_WELL: Final = frozenset({EventStatus.APPLIED, EventStatus.IGNORED})


class ProviderEventActivities:
    """What is done to events, whatever they tell of."""

    def __init__(self, events: ReceivedEvents, providers: Mapping[str, ProviderEvents]) -> None:
        """Keep the events; each provider, by its name, reads its own."""
        self._events = events
        self._providers = providers

    @activity.defn(name="payment.record_provider_event")
    async def record_provider_event(self, event: ProviderEventInput) -> TakenUp:
        """Write the event down, and read it; return what it says, or how it was settled before.

        Its provider and its id are the row's key, so a repeat, and the same event sent again years later, find the row.
        A redrive moves a row that is settled back, once: its repeat finds it moved.

        One that cannot be read is put aside here: to try again would not make it readable.

        Raises:
            ApplicationError: of type `UNKNOWN_PROVIDER_EVENT` for a redrive of what was never received.
        """
        with translated():
            stored = await self._taken_up(event)
        if stored.status is not EventStatus.RECEIVED:
            return TakenUp(status=stored.status, reason=stored.reason)
        provider = self._providers.get(stored.provider)
        if provider is None:
            return await self._put_aside(stored, EventReason.UNKNOWN_PROVIDER)
        try:
            fact = _read(provider, stored)
        except UnreadableEventError:
            return await self._put_aside(stored, EventReason.UNREADABLE)
        except Exception:  # noqa: BLE001 - reading is pure: whatever it stumbles over, it will stumble over again
            activity.logger.exception("provider_event.unreadable", extra={"provider": stored.provider})
            return await self._put_aside(stored, EventReason.UNREADABLE)
        return TakenUp(status=stored.status, fact=fact)

    @activity.defn(name="payment.settle_provider_event")
    async def settle_provider_event(self, settlement: Settlement) -> Verdict:
        """Write down what became of the event, and tell a person where one is needed; return where it ends.

        Only an event that is being tried is moved, and its escalation opens in the same transaction: a repeat finds it
        settled. A redrive that settles it well resolves what a person was told about it.
        """
        subject = event_subject(provider=settlement.provider, event_id=settlement.event_id)
        verdict, redrive = settlement.verdict, settlement.redrive
        is_resolved = redrive is not None and verdict.status in _SETTLES_WELL
        stored = await self._events.settle(
            provider=settlement.provider,
            event_id=settlement.event_id,
            status=verdict.status,
            reason=verdict.reason,
            now=_now(),
            opens=_told(settlement.provider, settlement.event_id, verdict.reason, settlement.tenant),
            resolves=[escalation_id(reason, subject) for reason in set(ESCALATES_AS.values())] if is_resolved else (),
            by="" if redrive is None else redrive.operator_id,
            resolution="" if redrive is None else f"Tried again: {redrive.reason}",
        )
        if stored is None:
            return verdict
        return Verdict(status=stored.status, reason=stored.reason)

    async def _taken_up(self, event: ProviderEventInput) -> StoredEvent:
        if event.redrive is None and event.body is not None:
            return await self._events.receive(
                provider=event.provider, event_id=event.event_id, body=event.body, received_at=event.received_at
            )
        stored = await self._events.reopen(provider=event.provider, event_id=event.event_id, now=_now())
        if stored is None:
            raise UnknownEventError(provider=event.provider, event_id=event.event_id)
        return stored

    async def _put_aside(self, event: StoredEvent, reason: EventReason) -> TakenUp:
        activity.logger.warning(
            "provider_event.quarantined",
            extra={"provider": event.provider, "event_id": event.event_id, "reason": reason},
        )
        settled = await self._events.settle(
            provider=event.provider,
            event_id=event.event_id,
            status=EventStatus.QUARANTINED,
            reason=reason,
            now=_now(),
            opens=_told(event.provider, event.event_id, reason, None),
        )
        assert settled is not None, "it was written before it was read"
        return TakenUp(status=settled.status, reason=settled.reason)


def _read(provider: ProviderEvents, event: StoredEvent) -> EventFact:
    fact = provider.read_event(event.body)
    return EventFact(
        provider=event.provider,
        # Not the one in the body: the row has the key that the signature covers.
        event_id=event.event_id,
        kind=fact.kind,
        tenant=fact.tenant or None,
        subject=fact.subject or None,
        charge_id=fact.charge_id,
        amount=fact.amount,
        at=fact.at,
    )


def _told(provider: str, event_id: str, reason: EventReason | None, tenant: str | None) -> Escalation | None:
    """Return what a person is told about the event itself; None where there is nothing to say about it."""
    told: EscalationReason | None = None if reason is None else ESCALATES_AS.get(reason)
    if reason is None or told is None:
        return None
    return escalation(
        told,
        tenant=tenant or PLATFORM_TENANT,
        subject=event_subject(provider=provider, event_id=event_id),
        now=_now(),
        details={"provider": provider, "eventId": event_id, "reason": reason},
    )


def _now() -> datetime:
    return datetime.now(UTC)
