"""The tables of what takes a captured charge back: refunds and disputes."""

from typing import Final

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    String,
    Table,
)

from payment_service.persistence.tables import METADATA
from platform_runtime.database import UtcDateTime

REFUNDS: Final = Table(
    "refunds",
    METADATA,
    Column("tenant", String(40), primary_key=True),
    Column("refund_id", String(64), primary_key=True),
    Column("charge_id", String(64), nullable=False),
    Column("status", String(16), nullable=False),
    Column("minor_units", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("exponent", SmallInteger, nullable=False),
    Column("parts", JSON, nullable=False),
    Column("own_shares", SmallInteger, nullable=False),
    Column("reason", String(200), nullable=False),
    Column("requested_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    ForeignKeyConstraint(["tenant", "charge_id"], ["charges.tenant", "charges.operation_id"]),
    CheckConstraint("status IN ('requested', 'pending', 'succeeded', 'failed')", name="status"),
    CheckConstraint("minor_units > 0", name="amount"),
    Index("ix_refunds_of_charge", "tenant", "charge_id", "requested_at"),
)
"""What is given back of a charge. `parts` has what each seller gives, and the fee in it: seller, minor units, fee."""

DISPUTES: Final = Table(
    "disputes",
    METADATA,
    Column("tenant", String(40), primary_key=True),
    Column("dispute_id", String(64), primary_key=True),
    Column("charge_id", String(64), nullable=False),
    Column("status", String(16), nullable=False),
    Column("minor_units", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("exponent", SmallInteger, nullable=False),
    Column("parts", JSON, nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    CheckConstraint("status IN ('opened', 'won', 'lost')", name="status"),
    CheckConstraint("minor_units > 0", name="amount"),
    Index("ix_disputes_of_charge", "tenant", "charge_id"),
)
"""What a bank took back, by the provider's name for it. `parts` has what was posted; empty where it was nothing."""
