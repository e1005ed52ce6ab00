"""Events, the counts of them, and which periods have changed since they were counted."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _name(length: int) -> TypeEngine[str]:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "events",
        sa.Column("tenant", _name(40), nullable=False),
        sa.Column("event_id", sa.String(200), nullable=False),
        sa.Column("type", _name(80), nullable=False),
        sa.Column("subject_id", sa.String(200), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "event_id", name="pk_events"),
    )
    op.create_index("ix_events_tenant_occurred_at_type", "events", ["tenant", "occurred_at", "type"])
    op.create_table(
        "changed_periods",
        sa.Column("granularity", sa.String(8), nullable=False),
        sa.Column("tenant", _name(40), nullable=False),
        sa.Column("period_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("granularity", "tenant", "period_start", name="pk_changed_periods"),
    )
    op.create_table(
        "event_counts",
        sa.Column("granularity", sa.String(8), nullable=False),
        sa.Column("tenant", _name(40), nullable=False),
        sa.Column("period_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("type", _name(80), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("granularity", "tenant", "period_start", "type", name="pk_event_counts"),
    )
    op.create_index(
        "ix_event_counts_granularity_tenant_type_period_start",
        "event_counts",
        ["granularity", "tenant", "type", "period_start"],
    )
    op.create_table(
        "rollups",
        sa.Column("granularity", sa.String(8), nullable=False),
        sa.Column("turn", sa.BigInteger(), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("granularity", name="pk_rollups"),
    )


def downgrade() -> None:
    op.drop_table("rollups")
    op.drop_table("event_counts")
    op.drop_table("changed_periods")
    op.drop_table("events")
