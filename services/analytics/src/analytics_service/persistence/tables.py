"""The tables of the analytics service. Whatever belongs to a tenant is reached through the tenant alone."""

from typing import Final

from sqlalchemy import BigInteger, Column, Index, MetaData, String, Table

from platform_runtime.database import NAMING_CONVENTION, UtcDateTime, ordered_text

METADATA: Final = MetaData(naming_convention=NAMING_CONVENTION)

EVENTS: Final = Table(
    "events",
    METADATA,
    Column("tenant", ordered_text(40), primary_key=True),
    Column("event_id", String(200), primary_key=True),
    Column("type", ordered_text(80), nullable=False),
    Column("subject_id", String(200), nullable=False),
    Column("occurred_at", UtcDateTime, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    # Holds all that it takes to count a period, so that the table itself is not read.
    Index(None, "tenant", "occurred_at", "type"),
)

CHANGED_PERIODS: Final = Table(
    "changed_periods",
    METADATA,
    Column("granularity", String(8), primary_key=True),
    Column("tenant", ordered_text(40), primary_key=True),
    Column("period_start", UtcDateTime, primary_key=True),
    # Goes up with every change, so that whoever counts can tell whether there was another one meanwhile.
    Column("version", BigInteger, nullable=False),
)

EVENT_COUNTS: Final = Table(
    "event_counts",
    METADATA,
    Column("granularity", String(8), primary_key=True),
    Column("tenant", ordered_text(40), primary_key=True),
    Column("period_start", UtcDateTime, primary_key=True),
    Column("type", ordered_text(80), primary_key=True),
    Column("count", BigInteger, nullable=False),
    # The counts of one type, page by page.
    Index(None, "granularity", "tenant", "type", "period_start"),
)

ROLLUPS: Final = Table(
    "rollups",
    METADATA,
    Column("granularity", String(8), primary_key=True),
    # Written first by every transaction that counts, so that there is one at a time on PostgreSQL too.
    Column("turn", BigInteger, nullable=False),
    Column("counted_at", UtcDateTime, nullable=True),
)
