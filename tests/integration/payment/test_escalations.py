"""Escalations in the database: each thing once, newest first, resolved once."""

import asyncio
from datetime import timedelta

from payment_service.domain.escalations import Escalation, EscalationPosition, EscalationReason, escalation
from payment_service.persistence.escalations import SqlEscalations
from platform_runtime.database import Database
from tests.fakes.payment_escalations import NOW, escalated


async def test_escalation_reads_back_as_it_was_opened(database: Database) -> None:
    escalations = SqlEscalations(database)

    await escalations.open(escalated())

    assert await escalations.find(escalated().escalation_id) == escalated()
    assert await escalations.find("mismatched-0123456789abcdef") is None


async def test_same_thing_escalates_once_however_often_it_is_seen(database: Database) -> None:
    escalations = SqlEscalations(database)

    await asyncio.gather(*(escalations.open(escalated()) for _ in range(10)))

    assert await escalations.count_open() == {EscalationReason.CHARGE_UNRESOLVED: 1}


async def test_resolved_one_stays_resolved_as_it_was_the_first_time(database: Database) -> None:
    escalations = SqlEscalations(database)
    await escalations.open(escalated())
    an_id = escalated().escalation_id

    first = await escalations.resolve(an_id, by="user:grace", resolution="called", now=NOW)
    second = await escalations.resolve(an_id, by="user:ada", resolution="guessed", now=NOW + timedelta(hours=1))
    await escalations.open(escalated())

    assert first == second == await escalations.find(an_id)
    assert first is not None
    assert (first.resolved_by, first.resolution, first.resolved_at) == ("user:grace", "called", NOW)
    assert await escalations.count_open() == {}


async def test_pages_are_newest_first_and_of_those_asked_for(database: Database) -> None:
    escalations = SqlEscalations(database)
    rows = [escalated(number, tenant="buyers" if number % 2 else "others") for number in range(1, 8)]
    for row in rows:
        await escalations.open(row)
    await escalations.resolve(rows[0].escalation_id, by="user:grace", resolution="called", now=NOW)

    first = await escalations.page(tenant=None, is_open=None, limit=4, after=None)
    after = EscalationPosition(opened_at=first[-1].opened_at, escalation_id=first[-1].escalation_id)
    rest = await escalations.page(tenant=None, is_open=None, limit=4, after=after)
    waiting = await escalations.page(tenant="buyers", is_open=True, limit=10, after=None)
    resolved = await escalations.page(tenant="buyers", is_open=False, limit=10, after=None)

    assert [row.subject for row in (*first, *rest)] == [row.subject for row in reversed(rows)]
    assert [row.subject for row in waiting] == [f"charge:buyers:p-{number}" for number in (7, 5, 3)]
    assert [row.subject for row in resolved] == ["charge:buyers:p-1"]


async def test_what_comes_up_again_after_it_was_resolved_is_told_again_and_each_time_once(database: Database) -> None:
    escalations = SqlEscalations(database)
    first, second = (_mismatched(occurrence) for occurrence in ("run-1", "run-2"))
    await escalations.open(first)
    await escalations.resolve(first.escalation_id, by="user:grace", resolution="called", now=NOW)

    for again in (first, second, second):
        await escalations.open(again)

    told = await escalations.page(tenant="buyers", is_open=None, limit=10, after=None)
    assert {(row.escalation_id, row.resolution) for row in told} == {
        (first.escalation_id, "called"),
        (second.escalation_id, None),
    }


async def test_while_one_waits_a_second_adds_what_it_knows(database: Database) -> None:
    escalations = SqlEscalations(database)
    first = _mismatched("run-1", provider="acquirer", posted="2000")
    await escalations.open(first)

    await asyncio.gather(
        *(escalations.open(_mismatched(f"run-{number}", provider="stripe", eventId="evt-1")) for number in range(2, 8))
    )

    (told,) = await escalations.page(tenant="buyers", is_open=None, limit=10, after=None)
    assert told.escalation_id == first.escalation_id
    assert told.details == {"provider": "acquirer", "posted": "2000", "eventId": "evt-1"}


async def test_what_is_no_longer_so_is_closed_and_nothing_else(database: Database) -> None:
    escalations = SqlEscalations(database)
    for number in (1, 2):
        await escalations.open(escalated(number, reason=EscalationReason.LEDGER_DRIFT))
    await escalations.open(escalated(3))

    await escalations.close_unless(
        EscalationReason.LEDGER_DRIFT, subjects={"charge:buyers:p-2"}, resolution="it adds up by now", now=NOW
    )

    waiting = await escalations.page(tenant=None, is_open=True, limit=10, after=None)
    (closed,) = await escalations.page(tenant=None, is_open=False, limit=10, after=None)
    assert [row.subject for row in waiting] == ["charge:buyers:p-3", "charge:buyers:p-2"]
    assert (closed.subject, closed.resolved_by, closed.resolution) == (
        "charge:buyers:p-1",
        "platform",
        "it adds up by now",
    )


def _mismatched(occurrence: str, **details: str) -> Escalation:
    return escalation(
        EscalationReason.MISMATCHED,
        tenant="buyers",
        subject="charge:buyers:p-1",
        now=NOW,
        details=details,
        occurrence=occurrence,
    )
