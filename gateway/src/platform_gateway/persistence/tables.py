"""The tables of the gateway: API keys and the audit log, and nothing else. What it has started, Temporal knows."""

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, String, Table, Text

from platform_runtime.database import NAMING_CONVENTION, UtcDateTime, ordered_text

METADATA: Final = MetaData(naming_convention=NAMING_CONVENTION)

API_KEYS: Final = Table(
    "api_keys",
    METADATA,
    Column("key_id", ordered_text(16), primary_key=True),
    Column("tenant", ordered_text(40), nullable=False),
    # Of the secret only this is kept; it has 32 random bytes, so nobody can try them out.
    Column("secret_sha256", String(64), nullable=False),
    Column("name", String(100), nullable=True),
    Column("role", String(16), nullable=False),
    # A JSON array; NULL: whatever the role may do.
    Column("scopes", Text, nullable=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", String(300), nullable=False),
    Column("expires_at", UtcDateTime, nullable=True),
    Column("revoked_at", UtcDateTime, nullable=True),
    # The key that takes over from this one, once it has been rotated.
    Column("successor", ordered_text(16), nullable=True),
    Column("predecessor", ordered_text(16), nullable=True),
    # The keys of one account, page by page, newest first.
    Index(None, "tenant", "created_at", "key_id"),
)

AUDIT_LOG: Final = Table(
    "audit_log",
    METADATA,
    # SQLite counts up by itself only in a column of exactly this type.
    Column("entry_id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("recorded_at", UtcDateTime, nullable=False),
    # NULL: somebody who was not let in, and whose account nobody knows.
    Column("tenant", ordered_text(40), nullable=True),
    Column("subject", String(300), nullable=True),
    Column("home", String(40), nullable=True),
    Column("action", String(100), nullable=False),
    Column("target", String(1000), nullable=False),
    Column("outcome", String(100), nullable=False),
    # A JSON object.
    Column("details", Text, nullable=False),
    Column("trace_id", String(32), nullable=True),
    Index(None, "tenant", "entry_id"),
)
