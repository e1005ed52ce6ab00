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
)

from platform_runtime.database import NAMING_CONVENTION, UtcDateTime

METADATA: Final = MetaData(naming_convention=NAMING_CONVENTION)

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
    Column("created_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    CheckConstraint(
        "status IN ('authorising', 'authorised', 'declined', 'unknown', 'captured', 'capture_refused', 'voided')",
        name="status",
    ),
    CheckConstraint(
        "(payment_token IS NOT NULL AND minor_units > 0 AND currency IS NOT NULL AND exponent IS NOT NULL"
        " AND shares IS NOT NULL) OR (status = 'voided' AND payment_token IS NULL AND minor_units IS NULL)",
        name="details",
    ),
)

LEDGER_TRANSACTIONS: Final = Table(
    "ledger_transactions",
    METADATA,
    Column("tenant", String(40), primary_key=True),
    Column("operation_id", String(64), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("posted_at", UtcDateTime, nullable=False),
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
    ForeignKeyConstraint(
        ["tenant", "operation_id", "kind"],
        ["ledger_transactions.tenant", "ledger_transactions.operation_id", "ledger_transactions.kind"],
    ),
    CheckConstraint("minor_units <> 0", name="amount"),
    # All that a balance needs, in the order in which it is asked for: no row of the table itself is read.
    Index("ix_ledger_postings_of_account", "account", "posted_at", "currency", "exponent", "minor_units"),
)
"""Append only, as the transactions. A debit is positive, a credit negative. An account may belong to any tenant."""
