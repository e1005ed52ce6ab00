"""The table of provider events. They belong to no tenant: a provider tells the platform, and may be unreadable."""

from typing import Final

from sqlalchemy import CheckConstraint, Column, Index, Integer, LargeBinary, String, Table

from payment_service.persistence.tables import METADATA
from platform_runtime.database import UtcDateTime

PROVIDER_EVENTS: Final = Table(
    "provider_events",
    METADATA,
    Column("provider", String(16), primary_key=True),
    Column("event_id", String(128), primary_key=True),
    Column("body", LargeBinary, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("status", String(16), nullable=False),
    Column("reason", String(40), nullable=True),
    Column("attempts", Integer, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    CheckConstraint(
        "status IN ('received', 'applied', 'ignored', 'contradicted', 'quarantined')",
        name="status",
    ),
    Index("ix_provider_events_status", "status", "received_at", "provider", "event_id"),
)
"""Each event once by the provider's own id of it, for as long as the platform lives: a workflow's id is forgotten."""
