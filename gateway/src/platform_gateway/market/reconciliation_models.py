"""What the API gives about reconciliations."""

from datetime import datetime

from pydantic import Field

from platform_contracts.identifiers import Tenant
from platform_gateway.market.listing_models import Money
from platform_gateway.rest_models import RestModel


class ReconciliationLinks(RestModel):
    """Where to go from a reconciliation."""

    self: str
    """The reconciliation itself, with its findings."""


class Reconciliation(RestModel):
    """What one run has found at one provider: how many movements of money."""

    reconciliation_id: str
    provider: str
    since: datetime
    until: datetime
    """The first moment that it did not cover."""
    finished_at: datetime
    matched: int
    missing: int
    """In the ledger, and not at the provider."""
    extra: int
    """At the provider, and not in the ledger."""
    mismatched: int
    """In both, with another amount, currency or status."""
    escalated: int
    """Of the differences, those that a second run in a row has found."""
    links: ReconciliationLinks


class ReconciliationsPage(RestModel):
    """A page of reconciliations, newest first."""

    reconciliations: tuple[Reconciliation, ...]
    next_cursor: str | None = Field(description="For the next page; null on the last one.")


class ReconciliationFinding(RestModel):
    """A movement that provider and ledger know differently, or did, as it stands now."""

    kind: str
    """`capture`, `refund`, `payout` or `dispute`."""
    account: Tenant | None
    """Null where the provider calls it by no name of ours."""
    name: str
    difference: str
    """`missing`, `extra` or `mismatched`."""
    state: str
    """`open`, `escalated`, or `settled` once it is no difference any more."""
    at_provider: Money | None
    status_at_provider: str | None
    posted: int
    """In the ledger, in minor units."""
    pending: int
    first_seen_at: datetime
    last_seen_at: datetime


class ReconciliationReport(Reconciliation):
    """A reconciliation with the differences that it was the last to see, at most 200."""

    findings: tuple[ReconciliationFinding, ...]
