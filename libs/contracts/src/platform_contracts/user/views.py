"""What the user service shows: inboxes and preferences."""

from datetime import datetime
from typing import Final

from platform_contracts.identifiers import ClientId
from platform_contracts.message import ContractModel
from platform_contracts.user.user_onboarding import AccountStatus
from platform_contracts.view import PageSize, View


class InboxQuery(ContractModel):
    """Whose inbox, and which page of it."""

    user_id: ClientId
    limit: PageSize = 50
    cursor: str | None = None
    """`next_cursor` of the page before; None for the first page."""


class InboxMessage(ContractModel):
    """One message as the user reads it."""

    notification_id: ClientId
    type: str
    subject: str
    body: str
    delivered_at: datetime


class Inbox(ContractModel):
    """A page of an inbox, newest first; the inbox of an unknown user is empty."""

    user_id: ClientId
    messages: tuple[InboxMessage, ...]
    next_cursor: str | None = None
    """None when this page is the last."""


class AccountQuery(ContractModel):
    """Whose account."""

    user_id: ClientId


class Preferences(ContractModel):
    """What the user wants to receive."""

    email_enabled: bool


class Account(ContractModel):
    """An account without its personal data."""

    user_id: ClientId
    status: AccountStatus
    created_at: datetime
    preferences: Preferences | None
    """None until the account is active."""


class AccountAnswer(ContractModel):
    """The account, or None where the user is unknown."""

    account: Account | None


INBOX: Final = View(path="/views/inbox", query_type=InboxQuery, answer_type=Inbox)
ACCOUNT: Final = View(path="/views/account", query_type=AccountQuery, answer_type=AccountAnswer)
