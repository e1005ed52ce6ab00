"""How a finding of a reconciliation is kept in a row."""

from typing import Any

from sqlalchemy.engine import Row

from payment_service.domain.provider import MovementStatus, ProviderRecord, RecordKind
from payment_service.domain.reconciliation import Difference, Finding, FindingState, InLedger, MovementKey
from platform_contracts.money import Money


def finding_of(row: Row[Any]) -> Finding:
    """Return the finding of a row."""
    key = MovementKey(kind=RecordKind(row.kind), tenant=row.tenant, operation_id=row.operation_id)
    return Finding(
        key=key,
        state=FindingState(row.state),
        difference=None if row.difference is None else Difference(row.difference),
        record=None if row.record_at is None else _record(key, row),
        in_ledger=InLedger(
            posted={("", 0): row.posted_minor_units} if row.posted_minor_units else {},
            pending={("", 0): row.pending_minor_units} if row.pending_minor_units else {},
        ),
        first_run=row.first_run,
        first_seen_at=row.first_seen_at,
        last_run=row.last_run,
        last_seen_at=row.last_seen_at,
    )


def finding_values(provider: str, finding: Finding) -> dict[str, Any]:
    """Return the row of a finding."""
    key, record = finding.key, finding.record
    return {
        "provider": provider,
        "kind": key.kind,
        "tenant": key.tenant,
        "operation_id": key.operation_id,
        "state": finding.state,
        "difference": finding.difference,
        "charge_id": record and record.charge_id,
        "record_minor_units": record and record.amount.minor_units,
        "record_currency": record and record.amount.currency,
        "record_exponent": record and record.amount.exponent,
        "record_status": record and record.status,
        "record_at": record and record.at,
        "posted_minor_units": finding.in_ledger.posted_minor_units,
        "pending_minor_units": finding.in_ledger.pending_minor_units,
        "first_run": finding.first_run,
        "first_seen_at": finding.first_seen_at,
        "last_run": finding.last_run,
        "last_seen_at": finding.last_seen_at,
    }


def _record(key: MovementKey, row: Row[Any]) -> ProviderRecord:
    return ProviderRecord(
        kind=key.kind,
        tenant=key.tenant,
        operation_id=key.operation_id,
        charge_id=row.charge_id,
        amount=Money(minor_units=row.record_minor_units, currency=row.record_currency, exponent=row.record_exponent),
        status=MovementStatus(row.record_status),
        at=row.record_at,
    )
