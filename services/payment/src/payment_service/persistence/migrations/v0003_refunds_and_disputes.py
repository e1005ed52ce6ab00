"""Refunds and disputes, and what they take of a charge."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("charges") as charges:
        charges.add_column(sa.Column("reversed_minor_units", sa.BigInteger(), nullable=False, server_default="0"))
        charges.add_column(sa.Column("reversals", sa.Integer(), nullable=False, server_default="0"))
        charges.create_check_constraint(
            "ck_charges_reversed",
            "reversed_minor_units >= 0 AND reversed_minor_units <= coalesce(capture_minor_units, minor_units, 0)",
        )
    op.create_table(
        "refunds",
        sa.Column("tenant", sa.String(40), nullable=False),
        sa.Column("refund_id", sa.String(64), nullable=False),
        sa.Column("charge_id", sa.String(64), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("minor_units", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("exponent", sa.SmallInteger(), nullable=False),
        sa.Column("parts", sa.JSON(), nullable=False),
        sa.Column("own_shares", sa.SmallInteger(), nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "refund_id", name="pk_refunds"),
        sa.ForeignKeyConstraint(
            ["tenant", "charge_id"], ["charges.tenant", "charges.operation_id"], name="fk_refunds_charges"
        ),
        sa.CheckConstraint("status IN ('requested', 'pending', 'succeeded', 'failed')", name="ck_refunds_status"),
        sa.CheckConstraint("minor_units > 0", name="ck_refunds_amount"),
    )
    op.create_index("ix_refunds_of_charge", "refunds", ["tenant", "charge_id", "requested_at"])
    op.create_table(
        "disputes",
        sa.Column("tenant", sa.String(40), nullable=False),
        sa.Column("dispute_id", sa.String(64), nullable=False),
        sa.Column("charge_id", sa.String(64), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("minor_units", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("exponent", sa.SmallInteger(), nullable=False),
        sa.Column("parts", sa.JSON(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "dispute_id", name="pk_disputes"),
        sa.CheckConstraint("status IN ('opened', 'won', 'lost')", name="ck_disputes_status"),
        sa.CheckConstraint("minor_units > 0", name="ck_disputes_amount"),
    )
    op.create_index("ix_disputes_of_charge", "disputes", ["tenant", "charge_id"])


def downgrade() -> None:
    op.drop_table("disputes")
    op.drop_table("refunds")
    with op.batch_alter_table("charges") as charges:
        charges.drop_constraint("ck_charges_reversed", type_="check")
        charges.drop_column("reversals")
        charges.drop_column("reversed_minor_units")
