"""Which events can be recorded."""

from datetime import UTC, datetime, timedelta
from typing import Final

from analytics_service.domain.failures import InvalidEventError
from platform_contracts.analytics.events import Event

AHEAD_AT_MOST: Final = timedelta(days=1)
"""Clocks of reporters differ by seconds; one that is a day ahead is wrong, and its counts would lie in the future."""

EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""Before this nothing of ours can have happened: it is what a clock says that was never set. Between here and now no
event is too old: it may have waited for weeks until analytics was back."""

SUBJECT_ID_CHARACTERS: Final = 200
"""As many as an event id may have; an id that is longer is no id."""


def check_event(event: Event, *, now: datetime) -> None:
    """Accept the event, or raise.

    Raises:
        InvalidEventError: when it happened before 2000 or more than a day from now, or when an id in it is empty, too
            long or holds characters that no database keeps.
    """
    if event.occurred_at > now + AHEAD_AT_MOST:
        raise InvalidEventError(event.event_id, f"it happens more than {AHEAD_AT_MOST.days} day after now")
    if event.occurred_at < EARLIEST:
        raise InvalidEventError(event.event_id, f"it happened before {EARLIEST.year}")
    if not 1 <= len(event.subject_id) <= SUBJECT_ID_CHARACTERS:
        raise InvalidEventError(event.event_id, f"its subject id has not 1 to {SUBJECT_ID_CHARACTERS} characters")
    for name, value in (("event id", event.event_id), ("subject id", event.subject_id)):
        # PostgreSQL takes no NUL and nothing takes half a surrogate pair; both would be retried for ever.
        if not value.isprintable():
            raise InvalidEventError(event.event_id, f"its {name} holds characters that cannot be printed")


def check_owner(event: Event, *, tenant: str) -> None:
    """Accept the event as one of the tenant's, or raise.

    Raises:
        InvalidEventError: when it belongs to another tenant.
    """
    if event.tenant != tenant:
        raise InvalidEventError(event.event_id, "it belongs to another tenant")
