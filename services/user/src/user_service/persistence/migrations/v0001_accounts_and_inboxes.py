"""Accounts with their preferences, inboxes, and which notifications were sent."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("tenant", sa.String(40), nullable=False),
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("email", sa.String(320), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("onboarded_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "user_id", name="pk_accounts"),
        sa.CheckConstraint("(status = 'active') = (onboarded_at IS NOT NULL)", name="ck_accounts_active_since"),
    )
    op.create_table(
        "preferences",
        sa.Column("tenant", sa.String(40), nullable=False),
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("email_enabled", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "user_id", name="pk_preferences"),
        sa.ForeignKeyConstraint(
            ["tenant", "user_id"],
            ["accounts.tenant", "accounts.user_id"],
            name="fk_preferences_accounts",
            ondelete="CASCADE",
        ),
    )
    op.create_table(
        "inbox_entries",
        sa.Column("tenant", sa.String(40), nullable=False),
        sa.Column("notification_id", sa.String(64), nullable=False),
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("type", sa.String(40), nullable=False),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "notification_id", name="pk_inbox_entries"),
    )
    op.create_index(
        "ix_inbox_entries_tenant_user_id_delivered_at_notification_id",
        "inbox_entries",
        ["tenant", "user_id", "delivered_at", "notification_id"],
    )
    op.create_table(
        "deliveries",
        sa.Column("tenant", sa.String(40), nullable=False),
        sa.Column("notification_id", sa.String(64), nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "notification_id", "channel", name="pk_deliveries"),
    )


def downgrade() -> None:
    op.drop_table("deliveries")
    op.drop_table("inbox_entries")
    op.drop_table("preferences")
    op.drop_table("accounts")
