"""The events that providers send, each once."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "provider_events",
        sa.Column("provider", sa.String(16), nullable=False),
        sa.Column("event_id", sa.String(128), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(40), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("provider", "event_id", name="pk_provider_events"),
        sa.CheckConstraint(
            "status IN ('received', 'applied', 'ignored', 'contradicted', 'quarantined')",
            name="ck_provider_events_status",
        ),
    )
    op.create_index("ix_provider_events_status", "provider_events", ["status", "received_at", "provider", "event_id"])


def downgrade() -> None:
    op.drop_table("provider_events")
