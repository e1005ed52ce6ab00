"""What the user service shows."""

from datetime import UTC, datetime, timedelta

import pytest

from platform_contracts.user.user_onboarding import AccountStatus
from platform_contracts.user.views import AccountQuery, InboxQuery, Preferences
from platform_runtime.page_cursor import InvalidCursorError, encode_cursor
from tests.fakes.user import FakeAccounts, FakeInboxes
from user_service.domain.accounts import AccountDetails
from user_service.domain.notifications import InboxEntry
from user_service.views import read_account, read_inbox

MOMENT = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)


async def _inbox_of(*entries: tuple[str, datetime]) -> FakeInboxes:
    inboxes = FakeInboxes()
    for notification_id, delivered_at in entries:
        entry = InboxEntry(
            notification_id=notification_id, type="info", subject="Hi", body="Hello", delivered_at=delivered_at
        )
        await inboxes.deliver(tenant="acme", user_id="u-1", entry=entry)
    return inboxes


async def test_pages_show_every_message_once_newest_first_also_at_equal_times() -> None:
    inboxes = await _inbox_of(("a", MOMENT), ("b", MOMENT), ("c", MOMENT), ("d", MOMENT + timedelta(seconds=1)))

    shown: list[str] = []
    cursor = None
    pages = 0
    while pages == 0 or cursor is not None:
        page = await read_inbox(inboxes, "acme", InboxQuery(user_id="u-1", limit=2, cursor=cursor))
        shown += [message.notification_id for message in page.messages]
        cursor = page.next_cursor
        pages += 1

    assert shown == ["d", "c", "b", "a"]
    assert pages == 2


async def test_inbox_of_an_unknown_user_is_empty() -> None:
    page = await read_inbox(FakeInboxes(), "acme", InboxQuery(user_id="nobody"))

    assert page.messages == ()
    assert page.next_cursor is None


@pytest.mark.parametrize(
    "cursor", ["x", encode_cursor("a"), encode_cursor("no time", "n-1"), encode_cursor("2026-01-02T03:04:05", "n-1")]
)
async def test_foreign_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidCursorError):
        await read_inbox(FakeInboxes(), "acme", InboxQuery(user_id="u-1", cursor=cursor))


async def test_active_account_is_shown_with_its_preferences() -> None:
    accounts = FakeAccounts()
    accounts.add_active("u-1", email_enabled=False)

    answer = await read_account(accounts, "acme", AccountQuery(user_id="u-1"))

    assert answer.account is not None
    assert answer.account.status is AccountStatus.ACTIVE
    assert answer.account.preferences == Preferences(email_enabled=False)


async def test_pending_account_has_no_preferences_yet() -> None:
    accounts = FakeAccounts()
    details = AccountDetails(email="ada@example.com", name="Ada")
    await accounts.create(tenant="acme", user_id="u-1", details=details, now=MOMENT)

    answer = await read_account(accounts, "acme", AccountQuery(user_id="u-1"))

    assert answer.account is not None
    assert answer.account.status is AccountStatus.PENDING
    assert answer.account.preferences is None


async def test_unknown_user_has_no_account() -> None:
    answer = await read_account(FakeAccounts(), "acme", AccountQuery(user_id="nobody"))

    assert answer.account is None
