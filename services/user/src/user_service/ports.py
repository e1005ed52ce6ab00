"""What the activities and views of the user service need from the outside."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from user_service.domain.accounts import AccountDetails, Recipient, StoredAccount
from user_service.domain.notifications import InboxEntry, InboxPosition, MailOutcome, RenderedNotification


class DetailsRule(Protocol):
    """Which details an account can have; a port, because the library behind it has no place in a workflow."""

    def __call__(self, *, email: str, name: str) -> AccountDetails:
        """Return the details in their stored spelling.

        Raises:
            InvalidAccountDetailsError: when no account can have them.
        """
        ...


class Templates(Protocol):
    """The texts of the notifications; a port, because the library behind it has no place in a workflow."""

    def render(self, notification_type: str, message: str) -> RenderedNotification:
        """Return the notification's text.

        Raises:
            UnknownNotificationTypeError: when there is none of this type.
        """
        ...

    def mail_body(self, notification: RenderedNotification, *, name: str) -> str:
        """Return the notification as a letter to its user."""
        ...


class Accounts(Protocol):
    """The accounts and their preferences."""

    async def create(self, *, tenant: str, user_id: str, details: AccountDetails, now: datetime) -> None:
        """Create the account, pending; of one that is pending already, replace the details.

        Raises:
            AccountDetailsDifferError: when it is active with other details.
        """
        ...

    async def activate(self, *, tenant: str, user_id: str, now: datetime) -> datetime:
        """Make the account active with default preferences, and return since when it is.

        Raises:
            LookupError: when there is no account.
        """
        ...

    async def recipient(self, *, tenant: str, user_id: str) -> Recipient | None:
        """Return where the user takes e-mail; None without an active account."""
        ...

    async def find(self, *, tenant: str, user_id: str) -> StoredAccount | None:
        """Return the account; None when there is none."""
        ...


class Inboxes(Protocol):
    """What users find in the app."""

    async def deliver(self, *, tenant: str, user_id: str, entry: InboxEntry) -> None:
        """Put the entry into the user's inbox, unless one of its id was delivered before."""
        ...

    async def page(self, *, tenant: str, user_id: str, limit: int, after: InboxPosition | None) -> Sequence[InboxEntry]:
        """Return at most `limit` entries, newest first; those after a position, or the first ones."""
        ...


class SentMails(Protocol):
    """What came of notifications by e-mail."""

    async def outcome(self, *, tenant: str, notification_id: str) -> MailOutcome | None:
        """Return what came of the notification; None while that is open."""
        ...

    async def record(self, *, tenant: str, notification_id: str, outcome: MailOutcome, now: datetime) -> MailOutcome:
        """Remember what came of the notification, and return what is remembered: what was recorded first stays."""
        ...


@dataclass(frozen=True, kw_only=True)
class Mail:
    """One letter."""

    tenant: str
    notification_id: str
    to: str
    subject: str
    body: str
    date: datetime


class Mailer(Protocol):
    """Hands letters to a mail server."""

    async def send(self, mail: Mail) -> None:
        """Hand the letter over; the same notification has the same Message-ID each time.

        Raises:
            MailRejectedError: when the server refused it for good.
            MailNotTakenError: when it was not taken this time.
        """
        ...


class MailRejectedError(Exception):
    """The mail server refused the recipient or the message for good."""

    def __init__(self, code: int) -> None:
        """Keep the reply's code; its text may quote the address."""
        super().__init__(f"the mail server refused the mail with {code}")
        self.code = code


class MailNotTakenError(Exception):
    """The mail server did not take the mail this time, or was not there; it may later."""

    def __init__(self, reason: str) -> None:
        """Keep a reason without the reply's text, which may quote the address."""
        super().__init__(f"the mail server did not take the mail: {reason}")
        self.reason = reason
