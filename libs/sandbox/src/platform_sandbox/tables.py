"""The acquirer's book."""

from typing import Final

from sqlalchemy import BigInteger, Column, Integer, MetaData, String, Table, Text

from platform_runtime.database import UtcDateTime

METADATA: Final = MetaData()

# There are no migrations. A book of an earlier version gets the tables that are new to it, so none here gets a column.

OPERATIONS: Final = Table(
    "operations",
    METADATA,
    Column("operation", String(200), primary_key=True),
    Column("status", String(16), nullable=False),
    Column("token", String(64), nullable=True),
    Column("amount_minor", BigInteger, nullable=True),
    Column("currency", String(3), nullable=True),
)

JOURNAL: Final = Table(
    "journal",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("operation", String(200), nullable=False, index=True),
    Column("verb", String(16), nullable=False),
    Column("key", String(255), nullable=False),
    Column("amount_minor", BigInteger, nullable=True),
    Column("currency", String(3), nullable=True),
    Column("at", UtcDateTime, nullable=False),
)
"""What was done to operations, each time with the key it was asked for with. Only ever added to."""

MOVEMENTS: Final = Table(
    "movements",
    METADATA,
    Column("kind", String(16), primary_key=True),
    Column("operation", String(200), primary_key=True),
    Column("name", String(200), primary_key=True),
    Column("partner", String(40), nullable=True),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("status", String(16), nullable=False),
    Column("at", UtcDateTime, nullable=False),
)
"""Refunds, payouts and disputes as they stand; `at` is when each was made."""

MOVEMENT_JOURNAL: Final = Table(
    "movement_journal",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("kind", String(16), nullable=False),
    Column("operation", String(200), nullable=False, index=True),
    Column("name", String(200), nullable=False),
    Column("status", String(16), nullable=False),
    Column("key", String(255), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("at", UtcDateTime, nullable=False),
)
"""What became of each movement, and the key it was asked for with. Only ever added to."""

ALARMS: Final = Table(
    "alarms",
    METADATA,
    Column("kind", String(16), primary_key=True),
    Column("operation", String(200), primary_key=True),
    Column("name", String(200), primary_key=True),
    Column("becomes", String(16), nullable=False),
    Column("due_at", UtcDateTime, nullable=False, index=True),
)
"""What happens by itself after a while; a row goes when it has happened."""

EVENTS: Final = Table(
    "events",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("event_id", String(64), nullable=False, unique=True),
    Column("type", String(64), nullable=False),
    Column("subject", String(420), nullable=False),
    Column("body", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("copies_left", Integer, nullable=False),
    Column("due_at", UtcDateTime, nullable=True, index=True),
)
"""What is told to the webhook's receiver, written with what it tells of; no `due_at`: the receiver has it."""

ANSWERS: Final = Table(
    "answers",
    METADATA,
    Column("key", String(255), primary_key=True),
    Column("request", Text, nullable=False),
    Column("http_status", Integer, nullable=False),
    Column("body", Text, nullable=False),
)
"""The final answer to each idempotency key."""
