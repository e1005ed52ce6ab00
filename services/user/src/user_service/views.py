"""What the user service shows to the gateway."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import SecretStr
from starlette.routing import BaseRoute

from platform_contracts.user.user_onboarding import AccountStatus
from platform_contracts.user.views import (
    ACCOUNT,
    INBOX,
    Account,
    AccountAnswer,
    AccountQuery,
    Inbox,
    InboxMessage,
    InboxQuery,
    Preferences,
)
from platform_runtime.internal_app import view_route
from platform_runtime.page_cursor import InvalidCursorError, decode_cursor, encode_cursor
from user_service.domain.notifications import InboxPosition
from user_service.ports import Accounts, Inboxes


def views(*, accounts: Accounts, inboxes: Inboxes, token: SecretStr | None) -> Sequence[BaseRoute]:
    """Return the routes of all views."""

    async def inbox(tenant: str, query: InboxQuery) -> Inbox:
        return await read_inbox(inboxes, tenant, query)

    async def account(tenant: str, query: AccountQuery) -> AccountAnswer:
        return await read_account(accounts, tenant, query)

    return [view_route(INBOX, inbox, token=token), view_route(ACCOUNT, account, token=token)]


async def read_inbox(inboxes: Inboxes, tenant: str, query: InboxQuery) -> Inbox:
    """Return a page of an inbox, newest first; the inbox of an unknown user is empty.

    Raises:
        InvalidCursorError: when the cursor is none of this view.
    """
    # One more than asked for tells whether there is a next page.
    found = await inboxes.page(
        tenant=tenant, user_id=query.user_id, limit=query.limit + 1, after=_position(query.cursor)
    )
    shown = found[: query.limit]
    return Inbox(
        user_id=query.user_id,
        messages=tuple(
            InboxMessage(
                notification_id=entry.notification_id,
                type=entry.type,
                subject=entry.subject,
                body=entry.body,
                delivered_at=entry.delivered_at,
            )
            for entry in shown
        ),
        next_cursor=encode_cursor(shown[-1].delivered_at.isoformat(), shown[-1].notification_id)
        if len(found) > len(shown)
        else None,
    )


async def read_account(accounts: Accounts, tenant: str, query: AccountQuery) -> AccountAnswer:
    """Return the account without its personal data, or None where the user is unknown."""
    found = await accounts.find(tenant=tenant, user_id=query.user_id)
    if found is None:
        return AccountAnswer(account=None)
    return AccountAnswer(
        account=Account(
            user_id=found.user_id,
            status=AccountStatus(found.status),
            created_at=found.created_at,
            preferences=None if found.email_enabled is None else Preferences(email_enabled=found.email_enabled),
        )
    )


def _position(cursor: str | None) -> InboxPosition | None:
    if cursor is None:
        return None
    delivered_at, notification_id = decode_cursor(cursor, parts=2)
    try:
        moment = datetime.fromisoformat(delivered_at)
    except ValueError:
        raise InvalidCursorError from None
    if moment.tzinfo is None:
        raise InvalidCursorError
    return InboxPosition(delivered_at=moment, notification_id=notification_id)
