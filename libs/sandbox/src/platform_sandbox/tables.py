"""The acquirer's book."""

from typing import Final

from sqlalchemy import BigInteger, Column, Integer, MetaData, String, Table, Text

from platform_runtime.database import UtcDateTime

METADATA: Final = MetaData()

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
"""What was done, each time with the key it was asked for with. Only ever added to."""

ANSWERS: Final = Table(
    "answers",
    METADATA,
    Column("key", String(255), primary_key=True),
    Column("request", Text, nullable=False),
    Column("http_status", Integer, nullable=False),
    Column("body", Text, nullable=False),
)
"""The final answer to each idempotency key."""
