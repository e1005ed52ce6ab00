"""Reconciliations and their findings; which charges are concluded."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

UNCONCLUDED = "concluded_at IS NULL AND status IN ('authorising', 'unknown', 'authorised', 'captured')"
OUTCOME_UNKNOWN = "status IN ('authorising', 'unknown')"


def upgrade() -> None:
    op.add_column("charges", sa.Column("concluded_at", sa.DateTime(timezone=True), nullable=True))
    for name, columns, where in (
        ("ix_charges_unconcluded", ["created_at", "tenant", "operation_id"], UNCONCLUDED),
        ("ix_charges_outcome_unknown", ["created_at"], OUTCOME_UNKNOWN),
    ):
        op.create_index(name, "charges", columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
    op.create_table(
        "reconciliations",
        sa.Column("run_id", sa.String(36), nullable=False),
        sa.Column("provider", sa.String(16), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        *(
            sa.Column(name, sa.Integer(), nullable=False)
            for name in ("matched", "missing", "extra", "mismatched", "escalated")
        ),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "provider", name="pk_reconciliations"),
        sa.CheckConstraint("since <= until", name="ck_reconciliations_span"),
    )
    op.create_index("ix_reconciliations_finished", "reconciliations", ["finished_at", "provider", "run_id"])
    op.create_index("ix_reconciliations_until", "reconciliations", ["provider", "until"])
    op.create_table(
        "reconciliation_findings",
        sa.Column("provider", sa.String(16), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("tenant", sa.String(80), nullable=False),
        sa.Column("operation_id", sa.String(160), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("difference", sa.String(16), nullable=True),
        sa.Column("charge_id", sa.String(160), nullable=True),
        sa.Column("record_minor_units", sa.BigInteger(), nullable=True),
        sa.Column("record_currency", sa.String(3), nullable=True),
        sa.Column("record_exponent", sa.SmallInteger(), nullable=True),
        sa.Column("record_status", sa.String(16), nullable=True),
        sa.Column("record_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("posted_minor_units", sa.BigInteger(), nullable=False),
        sa.Column("pending_minor_units", sa.BigInteger(), nullable=False),
        sa.Column("first_run", sa.String(36), nullable=False),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_run", sa.String(36), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("provider", "kind", "tenant", "operation_id", name="pk_reconciliation_findings"),
        sa.CheckConstraint(
            "state IN ('matched', 'in_flight', 'open', 'escalated', 'settled')",
            name="ck_reconciliation_findings_state",
        ),
        sa.CheckConstraint(
            "(state IN ('open', 'escalated')) <= (difference IS NOT NULL)", name="ck_reconciliation_findings_difference"
        ),
    )
    op.create_index(
        "ix_reconciliation_findings_of_state",
        "reconciliation_findings",
        ["state", "provider", "kind", "tenant", "operation_id"],
    )
    op.create_index("ix_reconciliation_findings_of_run", "reconciliation_findings", ["last_run", "provider"])


def downgrade() -> None:
    op.drop_table("reconciliation_findings")
    op.drop_table("reconciliations")
    op.drop_index("ix_charges_outcome_unknown", "charges")
    op.drop_index("ix_charges_unconcluded", "charges")
    op.drop_column("charges", "concluded_at")
