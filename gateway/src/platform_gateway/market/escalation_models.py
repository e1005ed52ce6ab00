"""What the API takes and gives about escalations."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from platform_contracts.identifiers import Tenant
from platform_gateway.rest_models import Accepted, ResourceModel, RestModel


class ResolutionRequest(ResourceModel):
    """What was done about it."""

    # NUL is valid JSON, but no text of a PostgreSQL database.
    resolution: Annotated[str, StringConstraints(min_length=1, max_length=2_000, pattern=r"^[^\x00]+$")]


class EscalationDetail(RestModel):
    """One thing that helps to decide."""

    name: str
    value: str


class EscalationState(RestModel):
    """Something that cannot be resolved without a person, or could not."""

    escalation_id: str
    account: Tenant
    """Whose money it is about."""
    reason: str
    """One word, such as `charge_unresolved`; new ones may come."""
    subject: str
    details: tuple[EscalationDetail, ...]
    opened_at: datetime
    resolved_at: datetime | None
    """None while it waits."""
    resolved_by: str | None
    resolution: str | None


class EscalationLinks(RestModel):
    """Where to go from an escalation."""

    self: str
    """The escalation itself."""


class Escalation(EscalationState):
    """An escalation, and where to go from it."""

    links: EscalationLinks


class EscalationsPage(RestModel):
    """A page of escalations, newest first."""

    escalations: tuple[Escalation, ...]
    next_cursor: str | None = Field(description="For the next page; null on the last one.")


class EscalationResolved(Accepted):
    """An escalation that is resolved."""

    result: EscalationState
