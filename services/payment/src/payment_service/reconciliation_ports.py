"""What reconciliations and orphans need from the outside."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from payment_service.domain.escalations import Escalation
from payment_service.domain.ledger import LedgerDifference
from payment_service.domain.money_figures import MoneyFigures
from payment_service.domain.orphans import OpenCharge
from payment_service.domain.reconciliation import (
    Counts,
    Finding,
    InLedger,
    MovementKey,
    ReconciliationPosition,
    Span,
    StoredReconciliation,
)


class Reconciliations(Protocol):
    """What runs have covered and found, beside the ledger that they compare."""

    async def span(self, provider: str, *, run_id: str, until: datetime) -> Span:
        """Return what a run covers: from where the last one ended, or from the first charge, up to a moment."""
        ...

    async def in_ledger(
        self, provider: str, keys: Sequence[MovementKey], *, before: datetime | None
    ) -> Mapping[MovementKey, InLedger]:
        """Return what the ledger has of each movement, posted before a moment or up to now; of each there is one."""
        ...

    async def posted(self, provider: str, span: Span, *, limit: int, after: Any = None) -> tuple[set[MovementKey], Any]:
        """Return a page of what the ledger has posted in a span, and where it ended; None after the last page."""
        ...

    async def findings(self, provider: str, keys: Sequence[MovementKey]) -> Mapping[MovementKey, Finding]:
        """Return what is known of movements; nothing of those that no run has written down."""
        ...

    async def to_look_at_again(
        self, provider: str, *, limit: int, after: MovementKey | None = None
    ) -> Sequence[Finding]:
        """Return a page of what is a difference, or on its way; those behind a movement."""
        ...

    async def save(self, provider: str, findings: Sequence[Finding], *, now: datetime) -> None:
        """Write down how movements stand, and tell a person of those that differ for a second time, together."""
        ...

    async def open_counts(self, provider: str) -> Counts:
        """Return how many differences there are now."""
        ...

    async def finish(self, done: StoredReconciliation) -> StoredReconciliation:
        """Write down what a run has found, once; return it as it stands after that."""
        ...

    async def find(self, reconciliation_id: str) -> StoredReconciliation | None:
        """Return a finished one; None when there is none."""
        ...

    async def page(self, *, limit: int, after: ReconciliationPosition | None) -> Sequence[StoredReconciliation]:
        """Return at most `limit` finished ones, newest first; those after a position."""
        ...

    async def differences_of(self, done: StoredReconciliation, *, limit: int) -> Sequence[Finding]:
        """Return the differences that this run was the last to see."""
        ...


class LedgerCheck(Protocol):
    """The ledger's own check."""

    async def differences(self) -> Sequence[LedgerDifference]:
        """Return what is wrong: sums that are not zero, balances that are not the sum of their postings."""
        ...


class Orphans(Protocol):
    """The charges of which nobody has said yet how their purchase ended."""

    async def page(self, *, before: datetime, limit: int, after: OpenCharge | None = None) -> Sequence[OpenCharge]:
        """Return charges from before a moment that may hold money and are not concluded, the oldest first."""
        ...

    async def conclude(
        self, *, tenant: str, operation_ids: Sequence[str], now: datetime, escalation: Escalation | None = None
    ) -> None:
        """Never ask about these charges again; where a person has to, tell them in the same transaction."""
        ...


class Figures(Protocol):
    """What the metrics show."""

    async def read(self) -> MoneyFigures:
        """Return the figures as they are now."""
        ...
