"""The tables of the payment service. Every key begins with the tenant, so that no row is reached without one."""

from typing import Final

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    text,
)

from platform_runtime.database import NAMING_CONVENTION, UtcDateTime

METADATA: Final = MetaData(naming_convention=NAMING_CONVENTION)

UNCONCLUDED: Final = "concluded_at IS NULL AND status IN ('authorising', 'unknown', 'authorised', 'captured')"
"""Of these charges it is not known yet how their purchase ended, and they may hold money."""

OUTCOME_UNKNOWN: Final = "status IN ('authorising', 'unknown')"

CHARGES: Final = Table(
    "charges",
    METADATA,
    Column("tenant", String(40), primary_key=True),
    Column("operation_id", String(64), primary_key=True),
    Column("status", String(16), nullable=False),
    Column("payment_token", String(64), nullable=True),
    Column("minor_units", BigInteger, nullable=True),
    Column("currency", String(3), nullable=True),
    Column("exponent", SmallInteger, nullable=True),
    Column("shares", JSON(none_as_null=True), nullable=True),
    Column("provider", String(16), nullable=False, server_default="acquirer"),
    Column("reference", String(80), nullable=True),
    Column("capture_minor_units", BigInteger, nullable=True),
    Column("expires_at", UtcDateTime, nullable=True),
    Column("reversed_minor_units", BigInteger, nullable=False, server_default="0"),
    # Counts what was reversed and what was not after all: whoever has read the sum writes it only if it has not moved.
    Column("reversals", Integer, nullable=False, server_default="0"),
    Column("created_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    # Since when it is known that its purchase is sold, or that nobody is charged; None: reconciliation asks.
    Column("concluded_at", UtcDateTime, nullable=True),
    CheckConstraint(
        "status IN ('authorising', 'authorised', 'declined', 'unknown', 'captured', 'capture_refused', 'voided',"
        " 'expired')",
        name="status",
    ),
    CheckConstraint(
        "(payment_token IS NOT NULL AND minor_units > 0 AND currency IS NOT NULL AND exponent IS NOT NULL"
        " AND shares IS NOT NULL) OR (status = 'voided' AND payment_token IS NULL AND minor_units IS NULL)",
        name="details",
    ),
    CheckConstraint(
        "reversed_minor_units >= 0 AND reversed_minor_units <= coalesce(capture_minor_units, minor_units, 0)",
        name="reversed",
    ),
    Index(
        "ix_charges_unconcluded",
        "created_at",
        "tenant",
        "operation_id",
        sqlite_where=text(UNCONCLUDED),
        postgresql_where=text(UNCONCLUDED),
    ),
    Index(
        "ix_charges_outcome_unknown",
        "created_at",
        sqlite_where=text(OUTCOME_UNKNOWN),
        postgresql_where=text(OUTCOME_UNKNOWN),
    ),
)

LEDGER_TRANSACTIONS: Final = Table(
    "ledger_transactions",
    METADATA,
    Column("tenant", String(40), primary_key=True),
    Column("operation_id", String(64), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("posted_at", UtcDateTime, nullable=False),
    Column("phase", String(8), nullable=False, server_default="posted"),
    Column("charge_id", String(64), nullable=True),
    Column("reverses_operation_id", String(64), nullable=True),
    Column("reverses_kind", String(16), nullable=True),
    # Nothing is taken back twice.
    Index("uq_ledger_transactions_reverses", "tenant", "reverses_operation_id", "reverses_kind", unique=True),
    Index("ix_ledger_transactions_of_charge", "tenant", "charge_id"),
)
"""Append only: the database itself refuses to change or delete a row."""

LEDGER_POSTINGS: Final = Table(
    "ledger_postings",
    METADATA,
    Column("tenant", String(40), primary_key=True),
    Column("operation_id", String(64), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("account", String(80), nullable=False),
    Column("minor_units", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("exponent", SmallInteger, nullable=False),
    Column("posted_at", UtcDateTime, nullable=False),
    Column("phase", String(8), nullable=False, server_default="posted"),
    ForeignKeyConstraint(
        ["tenant", "operation_id", "kind"],
        ["ledger_transactions.tenant", "ledger_transactions.operation_id", "ledger_transactions.kind"],
    ),
    CheckConstraint("minor_units <> 0", name="amount"),
    # All that a balance needs, in the order in which it is asked for: no row of the table itself is read.
    Index("ix_ledger_postings_of_account", "account", "posted_at", "phase", "currency", "exponent", "minor_units"),
)
"""Append only, as the transactions. A debit is positive, a credit negative. An account may belong to any tenant."""

LEDGER_BALANCES: Final = Table(
    "ledger_balances",
    METADATA,
    Column("account", String(80), primary_key=True),
    Column("phase", String(8), primary_key=True),
    Column("currency", String(3), primary_key=True),
    Column("exponent", SmallInteger, primary_key=True),
    Column("minor_units", BigInteger, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
)
"""What the postings of an account sum up to, moved along with each of them: a projection that can be made anew."""

ESCALATIONS: Final = Table(
    "escalations",
    METADATA,
    Column("escalation_id", String(64), primary_key=True),
    Column("tenant", String(40), nullable=False),
    Column("reason", String(40), nullable=False),
    Column("subject", String(160), nullable=False),
    Column("details", JSON, nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("resolved_at", UtcDateTime, nullable=True),
    Column("resolved_by", String(200), nullable=True),
    Column("resolution", Text, nullable=True),
    CheckConstraint(
        "(resolved_at IS NULL) = (resolved_by IS NULL) AND (resolved_at IS NULL) = (resolution IS NULL)",
        name="resolved",
    ),
    Index("ix_escalations_opened", "opened_at", "escalation_id"),
    Index(
        "ux_escalations_waiting",
        "reason",
        "subject",
        unique=True,
        sqlite_where=text("resolved_at IS NULL"),
        postgresql_where=text("resolved_at IS NULL"),
    ),
)
"""What could not be resolved without a person. Of a reason and a subject one waits; the id tells occurrences apart."""
