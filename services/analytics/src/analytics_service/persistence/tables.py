"""The tables of the analytics service. Whatever belongs to a tenant is reached through the tenant alone."""

from typing import Final

from sqlalchemy import BigInteger, Column, Index, MetaData, String, Table
from sqlalchemy.types import TypeEngine

from platform_runtime.database import UtcDateTime

METADATA: Final = MetaData(
    # SQLite can change a constraint only by its name, so each has one.
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


def _name(length: int) -> TypeEngine[str]:
    """Return the type of a text that both databases order by its bytes, as Python does.

    In the order of a language, where PostgreSQL overlooks hyphens, a walk from tenant to tenant could leave some out.
    """
    return String(length).with_variant(String(length, collation="C"), "postgresql")


EVENTS: Final = Table(
    "events",
    METADATA,
    Column("tenant", _name(40), primary_key=True),
    Column("event_id", String(200), primary_key=True),
    Column("type", _name(80), nullable=False),
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
    Column("tenant", _name(40), primary_key=True),
    Column("period_start", UtcDateTime, primary_key=True),
    # Goes up with every change, so that whoever counts can tell whether there was another one meanwhile.
    Column("version", BigInteger, nullable=False),
)

EVENT_COUNTS: Final = Table(
    "event_counts",
    METADATA,
    Column("granularity", String(8), primary_key=True),
    Column("tenant", _name(40), primary_key=True),
    Column("period_start", UtcDateTime, primary_key=True),
    Column("type", _name(80), primary_key=True),
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
