"""Provider events on both databases: each once, for as long as the rows are there."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from payment_service.domain.escalations import EscalationReason, escalation
from payment_service.domain.provider_events import EventReason, EventStatus, event_subject
from payment_service.persistence.escalations import SqlEscalations
from payment_service.persistence.provider_events import SqlProviderEvents
from platform_runtime.database import Database

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SUBJECT = event_subject(provider="acquirer", event_id="evt_1")
SETTLE: dict[str, Any] = {"provider": "acquirer", "event_id": "evt_1", "now": NOW}
TOLD = escalation(EscalationReason.EVENT_UNREADABLE, tenant="platform", subject=SUBJECT, now=NOW)


@pytest.fixture
def events(database: Database) -> SqlProviderEvents:
    """Return the events of an empty database."""
    return SqlProviderEvents(database)


async def _received(events: SqlProviderEvents, body: bytes = b"\x00\xff{}") -> EventStatus:
    stored = await events.receive(provider="acquirer", event_id="evt_1", body=body, received_at=NOW)
    return stored.status


async def test_event_is_kept_to_the_byte_and_once_whatever_comes_after_it(events: SqlProviderEvents) -> None:
    await asyncio.gather(*(_received(events) for _ in range(5)))
    await _received(events, b"another")

    stored = await events.find(provider="acquirer", event_id="evt_1")
    assert stored is not None
    assert (stored.body, stored.received_at, stored.status, stored.attempts) == (
        b"\x00\xff{}",
        NOW,
        EventStatus.RECEIVED,
        1,
    )


async def test_same_id_of_another_provider_is_another_event(events: SqlProviderEvents) -> None:
    await _received(events)

    other = await events.find(provider="stripe", event_id="evt_1")

    assert other is None


async def test_settled_event_stays_as_it_is_and_a_person_is_told_once(
    events: SqlProviderEvents, database: Database
) -> None:
    await _received(events)

    await events.settle(status=EventStatus.QUARANTINED, reason=EventReason.UNREADABLE, opens=TOLD, **SETTLE)
    again = await events.settle(status=EventStatus.APPLIED, reason=None, **SETTLE)

    assert again is not None
    assert (again.status, again.reason) == (EventStatus.QUARANTINED, EventReason.UNREADABLE)
    assert await _received(events) is EventStatus.QUARANTINED
    told = await SqlEscalations(database).find(TOLD.escalation_id)
    assert told is not None
    assert told.resolved_at is None


async def test_reopened_event_is_settled_anew_and_what_a_person_was_told_is_resolved(
    events: SqlProviderEvents, database: Database
) -> None:
    await _received(events)
    await events.settle(status=EventStatus.QUARANTINED, reason=EventReason.UNREADABLE, opens=TOLD, **SETTLE)

    reopened = await asyncio.gather(*(events.reopen(provider="acquirer", event_id="evt_1", now=NOW) for _ in range(3)))
    settled = await events.settle(
        status=EventStatus.APPLIED,
        reason=None,
        resolves=[TOLD.escalation_id],
        by="user:grace",
        resolution="mended",
        **SETTLE,
    )

    assert [event and (event.status, event.attempts) for event in reopened] == [(EventStatus.RECEIVED, 2)] * 3
    assert settled is not None
    assert settled.status is EventStatus.APPLIED
    told = await SqlEscalations(database).find(TOLD.escalation_id)
    assert told is not None
    assert (told.resolved_by, told.resolution) == ("user:grace", "mended")


async def test_what_is_applied_is_not_opened_again(events: SqlProviderEvents) -> None:
    await _received(events)
    await events.settle(provider="acquirer", event_id="evt_1", status=EventStatus.APPLIED, reason=None, now=NOW)

    reopened = await events.reopen(provider="acquirer", event_id="evt_1", now=NOW)

    assert reopened is not None
    assert reopened.status is EventStatus.APPLIED


async def test_event_that_there_is_not_cannot_be_opened_or_settled(events: SqlProviderEvents) -> None:
    reopened = await events.reopen(provider="acquirer", event_id="evt_1", now=NOW)
    settled = await events.settle(
        provider="acquirer", event_id="evt_1", status=EventStatus.APPLIED, reason=None, now=NOW
    )

    assert (reopened, settled) == (None, None)
