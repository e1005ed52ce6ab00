"""What happened, as the other domains report it."""

from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, StringConstraints

from platform_contracts.identifiers import Tenant
from platform_contracts.message import ContractModel

EventId = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Event(ContractModel):
    """One thing that happened, counted once however often it is reported."""

    event_id: EventId
    """Derived from the business thing, so that every report of it carries the same id."""
    tenant: Tenant
    type: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_.]{1,80}$")]
    """A domain and what happened: `user.onboarded`."""
    subject_id: str
    """What it happened to: an id, never a name or an address."""
    occurred_at: AwareDatetime


def event_of(*, tenant: str, event_type: str, subject_id: str, occurred_at: datetime) -> Event:
    """Return the event that says what happened to a subject, at most once per subject and type."""
    return Event(
        event_id=f"{tenant}:{event_type}:{subject_id}",
        tenant=tenant,
        type=event_type,
        subject_id=subject_id,
        occurred_at=occurred_at,
    )
