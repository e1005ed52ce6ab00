"""The tables of payouts. Every key begins with the partner, whose tenant it is."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
    text,
)

from payment_service.persistence.tables import METADATA
from platform_runtime.database import UtcDateTime

_IS_OPEN: Final = text("status IN ('reserved', 'held', 'in_review', 'sending')")

PAYOUTS: Final = Table(
    "payouts",
    METADATA,
    Column("partner", String(40), primary_key=True),
    Column("payout_id", String(64), primary_key=True),
    Column("status", String(16), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("exponent", SmallInteger, nullable=False),
    Column("minor_units", BigInteger, nullable=False),
    Column("withheld_minor_units", BigInteger, nullable=False),
    Column("carried", String(16), nullable=True),
    Column("cut", UtcDateTime, nullable=False),
    Column("requested_by", String(200), nullable=True),
    Column("needs_review", Boolean, nullable=False),
    Column("destination", String(80), nullable=True),
    Column("provider", String(16), nullable=False),
    Column("reserve_days", Integer, nullable=False),
    Column("reserve_until", UtcDateTime, nullable=True),
    Column("reserve_released_at", UtcDateTime, nullable=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    CheckConstraint(
        "status IN ('reserved', 'held', 'in_review', 'sending', 'paid', 'failed', 'returned', 'rejected', 'expired',"
        " 'cancelled', 'carried')",
        name="status",
    ),
    # While it is being reserved its amount is not known yet, within that one transaction.
    CheckConstraint(
        "withheld_minor_units >= 0 AND (minor_units > 0 OR (minor_units = 0 AND status IN ('reserved', 'carried')))",
        name="amount",
    ),
    CheckConstraint("(status = 'carried') = (carried IS NOT NULL)", name="carried"),
    # One at a time: the second is refused by the database itself.
    Index(
        "uq_payouts_open",
        "partner",
        "currency",
        "exponent",
        unique=True,
        sqlite_where=_IS_OPEN,
        postgresql_where=_IS_OPEN,
    ),
    Index("ix_payouts_of_partner", "partner", "created_at", "payout_id"),
    Index("ix_payouts_reserves", "reserve_until"),
)
"""A payout, and what it took of the balance. What is carried has an amount of zero."""

PAYOUT_PLANS: Final = Table(
    "payout_plans",
    METADATA,
    Column("partner", String(40), primary_key=True),
    Column("currency", String(3), primary_key=True),
    Column("schedule", String(8), nullable=False),
    Column("minimum_minor_units", BigInteger, nullable=False),
    Column("delay_days", Integer, nullable=False),
    Column("reserve_basis_points", Integer, nullable=False),
    Column("reserve_days", Integer, nullable=False),
    Column("review_above_minor_units", BigInteger, nullable=True),
    Column("destination", String(80), nullable=True),
    Column("change_id", String(64), nullable=False),
    Column("changed_by", String(200), nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    CheckConstraint("schedule IN ('daily', 'weekly', 'manual')", name="schedule"),
    CheckConstraint(
        "minimum_minor_units > 0 AND delay_days >= 0 AND reserve_basis_points BETWEEN 0 AND 9999 AND reserve_days >= 0",
        name="figures",
    ),
)
"""How a partner is paid in one currency; who has none is paid by the platform's plan, which is in the settings."""
