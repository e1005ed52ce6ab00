"""The tables of reconciliations."""

from typing import Final

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Integer, SmallInteger, String, Table

from payment_service.persistence.tables import METADATA
from platform_runtime.database import UtcDateTime

RECONCILIATIONS: Final = Table(
    "reconciliations",
    METADATA,
    Column("run_id", String(36), primary_key=True),
    Column("provider", String(16), primary_key=True),
    Column("since", UtcDateTime, nullable=False),
    Column("until", UtcDateTime, nullable=False),
    Column("matched", Integer, nullable=False),
    Column("missing", Integer, nullable=False),
    Column("extra", Integer, nullable=False),
    Column("mismatched", Integer, nullable=False),
    Column("escalated", Integer, nullable=False),
    Column("finished_at", UtcDateTime, nullable=False),
    CheckConstraint("since <= until", name="span"),
    Index("ix_reconciliations_finished", "finished_at", "provider", "run_id"),
    Index("ix_reconciliations_until", "provider", "until"),
)
"""What each finished run has found at each provider. The next one begins where the last one ended."""

RECONCILIATION_FINDINGS: Final = Table(
    "reconciliation_findings",
    METADATA,
    Column("provider", String(16), primary_key=True),
    Column("kind", String(16), primary_key=True),
    # Whatever the provider calls it: it need not be ours.
    Column("tenant", String(80), primary_key=True),
    Column("operation_id", String(160), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("difference", String(16), nullable=True),
    Column("charge_id", String(160), nullable=True),
    Column("record_minor_units", BigInteger, nullable=True),
    Column("record_currency", String(3), nullable=True),
    Column("record_exponent", SmallInteger, nullable=True),
    Column("record_status", String(16), nullable=True),
    Column("record_at", UtcDateTime, nullable=True),
    Column("posted_minor_units", BigInteger, nullable=False),
    Column("pending_minor_units", BigInteger, nullable=False),
    Column("first_run", String(36), nullable=False),
    Column("first_seen_at", UtcDateTime, nullable=False),
    Column("last_run", String(36), nullable=False),
    Column("last_seen_at", UtcDateTime, nullable=False),
    CheckConstraint("state IN ('matched', 'in_flight', 'open', 'escalated', 'settled')", name="state"),
    CheckConstraint("(state IN ('open', 'escalated')) <= (difference IS NOT NULL)", name="difference"),
    # What is looked at again by every run, and counted for the metrics.
    Index("ix_reconciliation_findings_of_state", "state", "provider", "kind", "tenant", "operation_id"),
    Index("ix_reconciliation_findings_of_run", "last_run", "provider"),
)
"""Movements that differ or did, and all refunds, payouts and disputes: a provider may change these later on."""
