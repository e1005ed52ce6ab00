"""When a provider's record and the ledger's postings are the same thing."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payment_service.domain.ledger import Phase
from payment_service.domain.provider import MovementStatus, ProviderRecord, RecordKind
from payment_service.domain.reconciliation import (
    Difference,
    Finding,
    FindingState,
    InLedger,
    difference,
    key_of,
    next_state,
    phase_sums,
)
from platform_contracts.money import Money

NOW = datetime(2026, 1, 2, tzinfo=UTC)
EUR = ("EUR", 2)
amounts = st.integers(min_value=1, max_value=10**12)


def _record(
    units: int, *, kind: RecordKind = RecordKind.REFUND, status: MovementStatus = MovementStatus.SUCCEEDED
) -> ProviderRecord:
    return ProviderRecord(
        kind=kind,
        tenant="buyers",
        operation_id="r-1",
        charge_id="p-1",
        amount=Money(minor_units=units, currency="EUR"),
        status=status,
        at=NOW,
    )


def _finding(state: FindingState, *, differs: Difference | None = Difference.EXTRA) -> Finding:
    return Finding(
        key=key_of(_record(1)),
        state=state,
        difference=differs,
        record=_record(1),
        in_ledger=InLedger(),
        first_run="run-1",
        first_seen_at=NOW,
        last_run="run-1",
        last_seen_at=NOW,
    )


@given(units=amounts, kind=st.sampled_from(RecordKind))
def test_movement_that_is_posted_with_its_amount_matches(units: int, kind: RecordKind) -> None:
    debit = units if kind is RecordKind.CAPTURE else -units
    in_ledger = phase_sums({(Phase.POSTED, EUR): debit, (Phase.PENDING, EUR): 0}, kind=kind)

    assert difference(_record(units, kind=kind), in_ledger) is None


@given(units=amounts, other=amounts)
def test_another_amount_never_matches(units: int, other: int) -> None:
    expected = None if units == other else Difference.MISMATCHED

    assert difference(_record(units), InLedger(posted={EUR: other})) is expected


@pytest.mark.parametrize(
    ("kind", "status", "in_ledger", "expected"),
    [
        (RecordKind.REFUND, MovementStatus.PENDING, InLedger(pending={EUR: 5}), None),
        (RecordKind.REFUND, MovementStatus.SUCCEEDED, InLedger(pending={EUR: 5}), Difference.MISMATCHED),
        (RecordKind.PAYOUT, MovementStatus.PENDING, InLedger(posted={EUR: 5}), Difference.MISMATCHED),
        (RecordKind.PAYOUT, MovementStatus.FAILED, InLedger(), None),
        (RecordKind.PAYOUT, MovementStatus.FAILED, InLedger(posted={EUR: 5}), Difference.MISMATCHED),
        (RecordKind.DISPUTE, MovementStatus.PENDING, InLedger(posted={EUR: 5}), None),
        (RecordKind.DISPUTE, MovementStatus.FAILED, InLedger(posted={EUR: 0}), None),
        (RecordKind.CAPTURE, MovementStatus.SUCCEEDED, InLedger(), Difference.EXTRA),
        (RecordKind.CAPTURE, MovementStatus.SUCCEEDED, InLedger(posted={("JPY", 0): 5}), Difference.MISMATCHED),
    ],
)
def test_each_status_is_posted_in_its_own_way(
    kind: RecordKind, status: MovementStatus, in_ledger: InLedger, expected: Difference | None
) -> None:
    assert difference(_record(5, kind=kind, status=status), in_ledger) is expected


def test_what_is_only_pending_was_perhaps_not_sent_yet() -> None:
    assert difference(None, InLedger(pending={EUR: 5})) is None
    assert difference(None, InLedger(posted={EUR: 5})) is Difference.MISSING


@pytest.mark.parametrize(
    ("known", "run_id", "expected"),
    [
        (None, "run-1", FindingState.OPEN),
        (_finding(FindingState.OPEN), "run-1", FindingState.OPEN),
        (_finding(FindingState.OPEN), "run-2", FindingState.ESCALATED),
        (_finding(FindingState.ESCALATED), "run-3", FindingState.ESCALATED),
        (_finding(FindingState.SETTLED), "run-3", FindingState.OPEN),
        (_finding(FindingState.IN_FLIGHT, differs=None), "run-2", FindingState.OPEN),
    ],
)
def test_difference_is_a_persons_once_a_second_run_sees_it(
    known: Finding | None, run_id: str, expected: FindingState
) -> None:
    assert next_state(Difference.EXTRA, _record(1), known=known, run_id=run_id) is expected


@pytest.mark.parametrize(
    ("known", "status", "expected"),
    [
        (None, MovementStatus.SUCCEEDED, FindingState.MATCHED),
        (None, MovementStatus.PENDING, FindingState.IN_FLIGHT),
        (_finding(FindingState.ESCALATED), MovementStatus.SUCCEEDED, FindingState.SETTLED),
        (_finding(FindingState.IN_FLIGHT, differs=None), MovementStatus.SUCCEEDED, FindingState.MATCHED),
    ],
)
def test_what_agrees_is_matched_or_settled_or_on_its_way(
    known: Finding | None, status: MovementStatus, expected: FindingState
) -> None:
    assert next_state(None, _record(1, status=status), known=known, run_id="run-2") is expected
