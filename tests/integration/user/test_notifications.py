"""Inboxes and sent mails in the database."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select

from platform_runtime.database import Database
from user_service.domain.notifications import InboxEntry, InboxPosition, MailOutcome
from user_service.persistence.notifications import SqlInboxes, SqlSentMails
from user_service.persistence.tables import DELIVERIES, INBOX_ENTRIES

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
SENT = MailOutcome(status="sent")


def _entry(notification_id: str, *, delivered_at: datetime = NOW, body: str = "Hello\n👋 Łódź") -> InboxEntry:
    return InboxEntry(notification_id=notification_id, type="info", subject="Hi", body=body, delivered_at=delivered_at)


async def _page(inboxes: SqlInboxes, *, limit: int = 10, after: InboxPosition | None = None) -> list[InboxEntry]:
    return list(await inboxes.page(tenant="acme", user_id="u-1", limit=limit, after=after))


async def test_entry_comes_back_as_it_was_delivered(database: Database) -> None:
    inboxes = SqlInboxes(database)

    await inboxes.deliver(tenant="acme", user_id="u-1", entry=_entry("n-1"))

    assert await _page(inboxes) == [_entry("n-1")]


async def test_delivering_again_changes_nothing(database: Database) -> None:
    inboxes = SqlInboxes(database)

    await inboxes.deliver(tenant="acme", user_id="u-1", entry=_entry("n-1"))
    later = _entry("n-1", delivered_at=NOW + timedelta(hours=1), body="other")
    await inboxes.deliver(tenant="acme", user_id="u-1", entry=later)

    assert await _page(inboxes) == [_entry("n-1")]


async def test_inbox_shows_nothing_of_other_users_and_tenants(database: Database) -> None:
    inboxes = SqlInboxes(database)

    await inboxes.deliver(tenant="acme", user_id="u-2", entry=_entry("n-1"))
    await inboxes.deliver(tenant="other", user_id="u-1", entry=_entry("n-1"))

    assert await _page(inboxes) == []


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seconds=st.lists(st.integers(min_value=0, max_value=3), max_size=12),
    limit=st.integers(min_value=1, max_value=5),
)
async def test_pages_together_are_the_inbox_newest_first(database: Database, seconds: list[int], limit: int) -> None:
    inboxes = SqlInboxes(database)
    async with database.write() as connection:
        await connection.execute(delete(INBOX_ENTRIES))
    entries = [_entry(f"n-{number}", delivered_at=NOW + timedelta(seconds=s)) for number, s in enumerate(seconds)]
    for entry in entries:
        await inboxes.deliver(tenant="acme", user_id="u-1", entry=entry)

    shown: list[InboxEntry] = []
    after = None
    while page := await _page(inboxes, limit=limit, after=after):
        assert len(page) <= limit
        shown += page
        after = InboxPosition(delivered_at=page[-1].delivered_at, notification_id=page[-1].notification_id)

    assert len(shown) == len(entries)
    assert {entry.notification_id for entry in shown} == {entry.notification_id for entry in entries}
    assert [entry.delivered_at for entry in shown] == sorted((e.delivered_at for e in entries), reverse=True)


async def test_entry_that_arrives_between_two_pages_moves_none(database: Database) -> None:
    inboxes = SqlInboxes(database)
    for number in range(4):
        await inboxes.deliver(tenant="acme", user_id="u-1", entry=_entry(f"n-{number}"))

    first = await _page(inboxes, limit=2)
    newer = _entry("n-9", delivered_at=NOW + timedelta(seconds=1))
    await inboxes.deliver(tenant="acme", user_id="u-1", entry=newer)
    after = InboxPosition(delivered_at=first[-1].delivered_at, notification_id=first[-1].notification_id)
    second = await _page(inboxes, limit=2, after=after)

    assert [entry.notification_id for entry in first + second] == ["n-3", "n-2", "n-1", "n-0"]


@pytest.mark.parametrize("away", [("other", "n-1"), ("acme", "n-2")])
async def test_sent_mail_is_remembered_and_no_other(database: Database, away: tuple[str, str]) -> None:
    sent_mails = SqlSentMails(database)

    await sent_mails.record(tenant="acme", notification_id="n-1", outcome=SENT, now=NOW)

    assert await sent_mails.outcome(tenant="acme", notification_id="n-1") == SENT
    assert await sent_mails.outcome(tenant=away[0], notification_id=away[1]) is None


async def test_first_outcome_of_a_mail_stays(database: Database) -> None:
    sent_mails, skipped = SqlSentMails(database), MailOutcome(status="skipped", reason="no_address")
    first = await sent_mails.record(tenant="acme", notification_id="n-1", outcome=skipped, now=NOW)

    second = await sent_mails.record(tenant="acme", notification_id="n-1", outcome=SENT, now=NOW)

    assert first == second == skipped
    assert await sent_mails.outcome(tenant="acme", notification_id="n-1") == skipped


async def test_sent_mail_is_recorded_once_by_many(database: Database) -> None:
    sent_mails = SqlSentMails(database)

    of = {"tenant": "acme", "notification_id": "n-1"}
    await asyncio.gather(*(sent_mails.record(**of, outcome=SENT, now=NOW) for _ in range(20)))

    async with database.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(DELIVERIES)) == 1
