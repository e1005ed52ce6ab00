"""The tables of the user service. Every key begins with the tenant, so that no row is reached without one."""

from typing import Final

from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKeyConstraint, Index, MetaData, String, Table, Text

from platform_runtime.database import NAMING_CONVENTION, UtcDateTime

METADATA: Final = MetaData(naming_convention=NAMING_CONVENTION)

ACCOUNTS: Final = Table(
    "accounts",
    METADATA,
    Column("tenant", String(40), primary_key=True),
    Column("user_id", String(64), primary_key=True),
    Column("email", String(320), nullable=False),
    Column("name", String(200), nullable=False),
    Column("status", String(16), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("onboarded_at", UtcDateTime, nullable=True),
    CheckConstraint("(status = 'active') = (onboarded_at IS NOT NULL)", name="active_since"),
)

PREFERENCES: Final = Table(
    "preferences",
    METADATA,
    Column("tenant", String(40), primary_key=True),
    Column("user_id", String(64), primary_key=True),
    Column("email_enabled", Boolean(create_constraint=False), nullable=False),
    ForeignKeyConstraint(["tenant", "user_id"], ["accounts.tenant", "accounts.user_id"], ondelete="CASCADE"),
)

INBOX_ENTRIES: Final = Table(
    "inbox_entries",
    METADATA,
    Column("tenant", String(40), primary_key=True),
    Column("notification_id", String(64), primary_key=True),
    Column("user_id", String(64), nullable=False),
    Column("type", String(40), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("body", Text, nullable=False),
    Column("delivered_at", UtcDateTime, nullable=False),
    # In the order in which an inbox is read, so that a page costs what it shows however long the inbox is.
    Index(None, "tenant", "user_id", "delivered_at", "notification_id"),
)

DELIVERIES: Final = Table(
    "deliveries",
    METADATA,
    Column("tenant", String(40), primary_key=True),
    Column("notification_id", String(64), primary_key=True),
    Column("channel", String(16), primary_key=True),
    # When it was sent, or left unsent for good.
    Column("sent_at", UtcDateTime, nullable=False),
    Column("status", String(16), nullable=False, server_default="sent"),
    Column("reason", String(40), nullable=True),
)
