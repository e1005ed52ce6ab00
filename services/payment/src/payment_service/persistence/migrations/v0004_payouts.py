"""Payouts and the plans that they follow."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

IS_OPEN = sa.text("status IN ('reserved', 'held', 'in_review', 'sending')")


def upgrade() -> None:
    op.create_table(
        "payouts",
        sa.Column("partner", sa.String(40), nullable=False),
        sa.Column("payout_id", sa.String(64), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("exponent", sa.SmallInteger(), nullable=False),
        sa.Column("minor_units", sa.BigInteger(), nullable=False),
        sa.Column("withheld_minor_units", sa.BigInteger(), nullable=False),
        sa.Column("carried", sa.String(16), nullable=True),
        sa.Column("cut", sa.DateTime(timezone=True), nullable=False),
        sa.Column("requested_by", sa.String(200), nullable=True),
        sa.Column("needs_review", sa.Boolean(), nullable=False),
        sa.Column("destination", sa.String(80), nullable=True),
        sa.Column("provider", sa.String(16), nullable=False),
        sa.Column("reserve_days", sa.Integer(), nullable=False),
        sa.Column("reserve_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reserve_released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("partner", "payout_id", name="pk_payouts"),
        sa.CheckConstraint(
            "status IN ('reserved', 'held', 'in_review', 'sending', 'paid', 'failed', 'returned', 'rejected',"
            " 'expired', 'cancelled', 'carried')",
            name="ck_payouts_status",
        ),
        sa.CheckConstraint(
            "withheld_minor_units >= 0"
            " AND (minor_units > 0 OR (minor_units = 0 AND status IN ('reserved', 'carried')))",
            name="ck_payouts_amount",
        ),
        sa.CheckConstraint("(status = 'carried') = (carried IS NOT NULL)", name="ck_payouts_carried"),
    )
    op.create_index(
        "uq_payouts_open",
        "payouts",
        ["partner", "currency", "exponent"],
        unique=True,
        sqlite_where=IS_OPEN,
        postgresql_where=IS_OPEN,
    )
    op.create_index("ix_payouts_of_partner", "payouts", ["partner", "created_at", "payout_id"])
    op.create_index("ix_payouts_reserves", "payouts", ["reserve_until"])
    op.create_table(
        "payout_plans",
        sa.Column("partner", sa.String(40), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("schedule", sa.String(8), nullable=False),
        sa.Column("minimum_minor_units", sa.BigInteger(), nullable=False),
        sa.Column("delay_days", sa.Integer(), nullable=False),
        sa.Column("reserve_basis_points", sa.Integer(), nullable=False),
        sa.Column("reserve_days", sa.Integer(), nullable=False),
        sa.Column("review_above_minor_units", sa.BigInteger(), nullable=True),
        sa.Column("destination", sa.String(80), nullable=True),
        sa.Column("change_id", sa.String(64), nullable=False),
        sa.Column("changed_by", sa.String(200), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("partner", "currency", name="pk_payout_plans"),
        sa.CheckConstraint("schedule IN ('daily', 'weekly', 'manual')", name="ck_payout_plans_schedule"),
        sa.CheckConstraint(
            "minimum_minor_units > 0 AND delay_days >= 0 AND reserve_basis_points BETWEEN 0 AND 9999"
            " AND reserve_days >= 0",
            name="ck_payout_plans_figures",
        ),
    )


def downgrade() -> None:
    op.drop_table("payout_plans")
    op.drop_table("payouts")
