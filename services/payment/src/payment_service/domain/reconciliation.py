"""Reconciliation: what a provider's record and the ledger's postings say of one movement of money."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from payment_service.domain.escalations import EscalationReason
from payment_service.domain.ledger import Phase, TransactionKind
from payment_service.domain.provider import MovementStatus, ProviderRecord, RecordKind

Currency = tuple[str, int]
"""A currency and its exponent."""

KINDS: Final[Mapping[RecordKind, frozenset[TransactionKind]]] = {
    RecordKind.CAPTURE: frozenset({TransactionKind.CAPTURE}),
    RecordKind.REFUND: frozenset(
        {TransactionKind.REFUND_PENDING, TransactionKind.REFUND_RELEASED, TransactionKind.REFUND}
    ),
    RecordKind.PAYOUT: frozenset(
        {
            TransactionKind.PAYOUT_PENDING,
            TransactionKind.PAYOUT_RELEASED,
            TransactionKind.PAYOUT,
            TransactionKind.PAYOUT_RETURNED,
        }
    ),
    RecordKind.DISPUTE: frozenset({TransactionKind.DISPUTE, TransactionKind.DISPUTE_WON}),
}
"""Which transactions one movement at a provider is posted by: what is taken back sums up to nothing."""

RECORD_KIND_OF: Final[Mapping[TransactionKind, RecordKind]] = {
    kind: of for of, kinds in KINDS.items() for kind in kinds
}


class Difference(StrEnum):
    """How a movement differs; the words are stored, and labels of a metric."""

    MISSING = "missing"
    """The ledger has it, the provider does not."""
    EXTRA = "extra"
    """The provider has it, the ledger does not."""
    MISMATCHED = "mismatched"
    """Both have it, with another amount, currency or status."""


REASON_OF: Final[Mapping[Difference, EscalationReason]] = {
    Difference.MISSING: EscalationReason.MISSING_AT_PROVIDER,
    Difference.EXTRA: EscalationReason.EXTRA_AT_PROVIDER,
    Difference.MISMATCHED: EscalationReason.MISMATCHED,
}


class FindingState(StrEnum):
    """How a finding stands; the words are stored, and labels of a metric."""

    MATCHED = "matched"
    IN_FLIGHT = "in_flight"
    """Provider and ledger agree, and that it is on its way: looked at again by every run."""
    OPEN = "open"
    """A difference that one run has seen."""
    ESCALATED = "escalated"
    """A difference that a second run has seen, too: a person was told."""
    SETTLED = "settled"
    """It was a difference, and is none any more."""


LOOKED_AT_AGAIN: Final = frozenset({FindingState.IN_FLIGHT, FindingState.OPEN, FindingState.ESCALATED})


@dataclass(frozen=True, kw_only=True)
class MovementKey:
    """What names a movement of money at a provider."""

    kind: RecordKind
    tenant: str
    operation_id: str


@dataclass(frozen=True, kw_only=True)
class InLedger:
    """What the ledger has of a movement, in minor units by currency, as the provider counts: always positive."""

    posted: Mapping[Currency, int] = field(default_factory=dict[Currency, int])
    pending: Mapping[Currency, int] = field(default_factory=dict[Currency, int])

    @property
    def posted_minor_units(self) -> int:
        """Return the sum, for people; a movement has one currency where all is well."""
        return sum(self.posted.values())

    @property
    def pending_minor_units(self) -> int:
        """Return the sum, for people."""
        return sum(self.pending.values())


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A movement as a run has seen it."""

    key: MovementKey
    state: FindingState
    difference: Difference | None
    record: ProviderRecord | None
    """None where the provider has none."""
    in_ledger: InLedger
    first_run: str
    first_seen_at: datetime
    last_run: str
    last_seen_at: datetime


@dataclass(frozen=True, kw_only=True)
class Counts:
    """How many movements a run has seen."""

    matched: int = 0
    missing: int = 0
    extra: int = 0
    mismatched: int = 0
    escalated: int = 0


@dataclass(frozen=True, kw_only=True)
class Span:
    """What a run covers: from a moment up to another, which it does not cover."""

    since: datetime
    until: datetime


@dataclass(frozen=True, kw_only=True)
class StoredReconciliation:
    """What a finished run has found at a provider."""

    run_id: str
    provider: str
    span: Span
    counts: Counts
    finished_at: datetime

    @property
    def reconciliation_id(self) -> str:
        """What names it."""
        return f"{self.provider}-{self.run_id}"


@dataclass(frozen=True, kw_only=True)
class ReconciliationPosition:
    """Where a page of reconciliations ended."""

    finished_at: datetime
    reconciliation_id: str


def key_of(record: ProviderRecord) -> MovementKey:
    """Return what names the movement of a provider's record."""
    return MovementKey(kind=record.kind, tenant=record.tenant, operation_id=record.operation_id)


def sign_of(kind: RecordKind) -> int:
    """Return what makes of a debit of `cash_clearing` an amount as the provider counts it."""
    return 1 if kind is RecordKind.CAPTURE else -1


def difference(record: ProviderRecord | None, in_ledger: InLedger) -> Difference | None:
    """Return how provider and ledger differ on one movement; None where they agree.

    Of what did not come to pass neither needs to have anything.
    """
    posted = {currency: units for currency, units in in_ledger.posted.items() if units}
    pending = {currency: units for currency, units in in_ledger.pending.items() if units}
    if record is None:
        # What is only pending was perhaps not sent yet.
        return Difference.MISSING if posted else None
    if not posted and not pending:
        return None if record.status is MovementStatus.FAILED else Difference.EXTRA
    return None if (posted, pending) == _expected(record) else Difference.MISMATCHED


def _expected(record: ProviderRecord) -> tuple[dict[Currency, int], dict[Currency, int]]:
    """Return what the ledger has posted, and pending, where it agrees with the record."""
    amount = {(record.amount.currency, record.amount.exponent): record.amount.minor_units}
    match record.status:
        case MovementStatus.FAILED:
            return {}, {}
        # What a bank takes back is gone from the day on which the dispute is opened.
        case MovementStatus.PENDING if record.kind is not RecordKind.DISPUTE:
            return {}, amount
        case _:
            return amount, {}


def next_state(
    difference: Difference | None, record: ProviderRecord | None, *, known: Finding | None, run_id: str
) -> FindingState:
    """Return how a movement stands after this run has seen it.

    What differs for the first time is perhaps only on its way, and is given one more run. The same run sees it again
    when it is repeated: that is no second time.
    """
    if difference is None:
        if record is not None and record.status is MovementStatus.PENDING:
            return FindingState.IN_FLIGHT
        was_different = known is not None and known.difference is not None
        return FindingState.SETTLED if was_different else FindingState.MATCHED
    if known is None or known.difference is None or known.state in {FindingState.SETTLED, FindingState.MATCHED}:
        return FindingState.OPEN
    if known.state is FindingState.ESCALATED:
        return FindingState.ESCALATED
    return FindingState.OPEN if known.first_run == run_id else FindingState.ESCALATED


def phase_sums(rows: Mapping[tuple[Phase, Currency], int], *, kind: RecordKind) -> InLedger:
    """Return what the ledger has of a movement, given the sums of its postings on `cash_clearing`."""
    sign = sign_of(kind)

    def of(phase: Phase) -> dict[Currency, int]:
        return {currency: sign * units for (each, currency), units in rows.items() if each is phase and units}

    return InLedger(posted=of(Phase.POSTED), pending=of(Phase.PENDING))
