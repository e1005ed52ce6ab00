"""What the payment service shows of its reconciliations."""

from datetime import datetime
from typing import Annotated, Final

from pydantic import StringConstraints

from platform_contracts.identifiers import Tenant
from platform_contracts.message import ContractModel
from platform_contracts.money import Money
from platform_contracts.view import PageSize, View

ReconciliationId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,16}-[0-9a-f-]{36}$")]
"""Made of the provider and of the run, so that each is written down once."""


class ReconciliationView(ContractModel):
    """What one run has found at one provider."""

    reconciliation_id: ReconciliationId
    provider: str
    since: datetime
    until: datetime
    """The first moment that it did not cover."""
    finished_at: datetime
    matched: int
    missing: int
    extra: int
    mismatched: int
    escalated: int


class ReconciliationsQuery(ContractModel):
    """A page of them; for the platform's own staff."""

    limit: PageSize = 50
    cursor: str | None = None


class ReconciliationsPage(ContractModel):
    """A page of reconciliations, newest first."""

    reconciliations: tuple[ReconciliationView, ...]
    next_cursor: str | None = None


class ReconciliationFinding(ContractModel):
    """A movement that provider and ledger know differently, as it stands."""

    kind: str
    """`capture`, `refund`, `payout` or `dispute`."""
    account: Tenant | None
    """The buyer's account, of a payout the partner; None where the provider's name of it is none of ours."""
    name: str
    """The charge's operation id, the refund id, the payout id, or the provider's name of the dispute."""
    difference: str
    """`missing`, `extra` or `mismatched`."""
    state: str
    """`open` or `escalated`; `settled` once it is no difference any more."""
    at_provider: Money | None
    status_at_provider: str | None
    posted: int
    """In the ledger, in minor units."""
    pending: int
    first_seen_at: datetime
    last_seen_at: datetime


class ReconciliationQuery(ContractModel):
    """Which reconciliation."""

    reconciliation_id: ReconciliationId


class ReconciliationAnswer(ContractModel):
    """The reconciliation, or None where there is none."""

    reconciliation: ReconciliationView | None
    findings: tuple[ReconciliationFinding, ...] = ()
    """The differences that it was the last to see, at most 200."""


RECONCILIATIONS: Final = View(
    path="/views/reconciliations", query_type=ReconciliationsQuery, answer_type=ReconciliationsPage
)
RECONCILIATION: Final = View(
    path="/views/reconciliation", query_type=ReconciliationQuery, answer_type=ReconciliationAnswer
)
