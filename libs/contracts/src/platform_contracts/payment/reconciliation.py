"""Compare the providers' books with the ledger, and give back what was taken for nothing."""

from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field, ValidationError
from temporalio import workflow

from platform_contracts.identifiers import PLATFORM_TENANT, workflow_id
from platform_contracts.message import ContractModel

WORKFLOW_TYPE: Final = "payment.Reconciliation"


class ReconciliationStep(StrEnum):
    """What `progress.step` can say."""

    COMPARING = "comparing"
    CHECKING_LEDGER = "checking_ledger"
    SETTLING_ORPHANS = "settling_orphans"
    RECONCILED = "reconciled"


class OrphansPosition(ContractModel):
    """How far a run has come with the charges that are not concluded, and what it found so far."""

    after: str | None = None
    """Where the last page ended."""
    asked: Annotated[int, Field(ge=0)] = 0
    settled: Annotated[int, Field(ge=0)] = 0


class ReconciliationInput(ContractModel):
    """Nothing to choose: a run covers what came since the last one."""

    continued: "ReconciliationResult | None" = None
    """What an earlier part of the same run has found: only the orphans are left."""
    orphans: OrphansPosition | None = None
    not_compared: str | None = None
    """The type of what kept an earlier part of the same run from comparing: the run fails with it at its end."""


class ReconciliationResult(ContractModel):
    """What a run has found: how many movements of money, in all providers together."""

    matched: Annotated[int, Field(ge=0)] = 0
    missing: Annotated[int, Field(ge=0)] = 0
    """In the ledger, and not at the provider."""
    extra: Annotated[int, Field(ge=0)] = 0
    """At the provider, and not in the ledger."""
    mismatched: Annotated[int, Field(ge=0)] = 0
    """In both, with another amount, currency or status."""
    escalated: Annotated[int, Field(ge=0)] = 0
    """Of the differences, those that a second run in a row has found."""
    ledger_differences: Annotated[int, Field(ge=0)] = 0
    """What the ledger's own check has found."""
    orphans_asked: Annotated[int, Field(ge=0)] = 0
    """Charges whose purchase was asked for."""
    orphans_settled: Annotated[int, Field(ge=0)] = 0
    """Of these, those that were voided, or given back."""


def reconciliation_schedule_id() -> str:
    """Return the id of the schedule that starts the runs."""
    return workflow_id(tenant=PLATFORM_TENANT, domain="payment", kind="reconciliation", key="all")


@workflow.defn(name=WORKFLOW_TYPE, failure_exception_types=[ValidationError])
class Reconciliation:
    """Cover everything from the last finished run up to a short while ago, so that a missed run loses nothing.

    A difference that is new is given one more run; the second one hands it to a person.
    """

    @workflow.run
    async def run(self, reconciliation: ReconciliationInput) -> ReconciliationResult:
        """Reconcile; running it again, or beside another run, finds the same and changes nothing twice."""
        raise NotImplementedError
