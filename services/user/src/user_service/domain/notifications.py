"""Notifications: which there are, which channels they use, when a preference counts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What all notifications of one type have in common."""

    by_email: bool = True
    """False: it stays in the inbox."""
    critical: bool = False
    """True: the user gets it by e-mail, whatever the preference says."""


KINDS: Final[Mapping[str, Kind]] = {
    "email": Kind(),
    "info": Kind(),
    "alert": Kind(critical=True),
    "welcome": Kind(),
    "in_app": Kind(by_email=False),
}
"""The types there are; each has its text in `templates`."""


class UnknownNotificationTypeError(Exception):
    """There is no notification of this type."""

    def __init__(self, notification_type: str) -> None:
        """Name the type."""
        super().__init__(f"there is no notification of type {notification_type!r}")
        self.notification_type = notification_type


@dataclass(frozen=True, kw_only=True)
class RenderedNotification:
    """A notification as a person reads it, in plain text."""

    subject: str
    """One line."""
    body: str


@dataclass(frozen=True, kw_only=True)
class InboxEntry:
    """A notification in its user's inbox."""

    notification_id: str
    type: str
    subject: str
    body: str
    delivered_at: datetime


@dataclass(frozen=True, kw_only=True)
class InboxPosition:
    """Where a page of an inbox ends: its last entry. The id decides between entries of the same moment."""

    delivered_at: datetime
    notification_id: str


@dataclass(frozen=True, kw_only=True)
class MailOutcome:
    """What came of a notification by e-mail, for good; the words equal those of the contract."""

    status: str
    reason: str | None = None


CANCELLED: Final = MailOutcome(status="cancelled")
"""The notification was cancelled before anything came of it by e-mail: from then on it reaches nobody."""


class NotificationCancelledError(Exception):
    """The notification was cancelled."""

    def __init__(self, notification_id: str) -> None:
        """Name the notification."""
        super().__init__(f"notification {notification_id} was cancelled")
        self.notification_id = notification_id


def kind_of(notification_type: str) -> Kind:
    """Return what is known of a type.

    Raises:
        UnknownNotificationTypeError: when there is none of this name.
    """
    kind = KINDS.get(notification_type)
    if kind is None:
        raise UnknownNotificationTypeError(notification_type)
    return kind


def is_wanted_by_email(kind: Kind, *, email_enabled: bool) -> bool:
    """Say whether the user is to get a notification of this kind by e-mail."""
    return kind.by_email and (kind.critical or email_enabled)
