"""Pending postings, reversals and balances in the ledger; the provider of a charge; escalations."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

STATUSES = "'authorising', 'authorised', 'declined', 'unknown', 'captured', 'capture_refused', 'voided'"
APPEND_ONLY = ("ledger_transactions", "ledger_postings")


def upgrade() -> None:
    _charges()
    _ledger()
    op.create_table(
        "escalations",
        sa.Column("escalation_id", sa.String(64), nullable=False),
        sa.Column("tenant", sa.String(40), nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("subject", sa.String(160), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_by", sa.String(200), nullable=True),
        sa.Column("resolution", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("escalation_id", name="pk_escalations"),
        sa.CheckConstraint(
            "(resolved_at IS NULL) = (resolved_by IS NULL) AND (resolved_at IS NULL) = (resolution IS NULL)",
            name="ck_escalations_resolved",
        ),
    )
    op.create_index("ix_escalations_opened", "escalations", ["opened_at", "escalation_id"])


def _charges() -> None:
    with op.batch_alter_table("charges") as charges:
        charges.add_column(sa.Column("provider", sa.String(16), nullable=False, server_default="acquirer"))
        charges.add_column(sa.Column("reference", sa.String(80), nullable=True))
        charges.add_column(sa.Column("capture_minor_units", sa.BigInteger(), nullable=True))
        charges.add_column(sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True))
        charges.drop_constraint("ck_charges_status", type_="check")
        charges.create_check_constraint("ck_charges_status", f"status IN ({STATUSES}, 'expired')")


def _ledger() -> None:
    op.add_column("ledger_transactions", sa.Column("phase", sa.String(8), nullable=False, server_default="posted"))
    op.add_column("ledger_transactions", sa.Column("charge_id", sa.String(64), nullable=True))
    op.add_column("ledger_transactions", sa.Column("reverses_operation_id", sa.String(64), nullable=True))
    op.add_column("ledger_transactions", sa.Column("reverses_kind", sa.String(16), nullable=True))
    op.add_column("ledger_postings", sa.Column("phase", sa.String(8), nullable=False, server_default="posted"))
    # What was posted so far stays what it was; only the names are those of several providers now.
    with_triggers_off(
        "UPDATE ledger_postings SET account = 'cash_clearing:acquirer' WHERE account = 'acquirer_clearing'",
        "UPDATE ledger_transactions SET charge_id = operation_id WHERE kind = 'capture'",
    )
    op.create_index(
        "uq_ledger_transactions_reverses",
        "ledger_transactions",
        ["tenant", "reverses_operation_id", "reverses_kind"],
        unique=True,
    )
    op.create_index("ix_ledger_transactions_of_charge", "ledger_transactions", ["tenant", "charge_id"])
    op.drop_index("ix_ledger_postings_of_account", "ledger_postings")
    op.create_index(
        "ix_ledger_postings_of_account",
        "ledger_postings",
        ["account", "posted_at", "phase", "currency", "exponent", "minor_units"],
    )
    op.create_table(
        "ledger_balances",
        sa.Column("account", sa.String(80), nullable=False),
        sa.Column("phase", sa.String(8), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("exponent", sa.SmallInteger(), nullable=False),
        sa.Column("minor_units", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("account", "phase", "currency", "exponent", name="pk_ledger_balances"),
    )
    op.execute(
        "INSERT INTO ledger_balances (account, phase, currency, exponent, minor_units, changed_at)"
        " SELECT account, phase, currency, exponent, sum(minor_units), max(posted_at) FROM ledger_postings"
        " GROUP BY account, phase, currency, exponent"
    )


def with_triggers_off(*statements: str) -> None:
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    if is_postgresql:
        for table in APPEND_ONLY:
            op.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    else:
        for table in APPEND_ONLY:
            op.execute(f"DROP TRIGGER {table}_append_only_update")
    for statement in statements:
        op.execute(statement)
    for table in APPEND_ONLY:
        if is_postgresql:
            op.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        else:
            op.execute(
                f"CREATE TRIGGER {table}_append_only_update BEFORE UPDATE ON {table} "
                "BEGIN SELECT RAISE(ABORT, 'the ledger is append only'); END"
            )


def downgrade() -> None:
    op.drop_table("escalations")
    op.drop_table("ledger_balances")
    op.drop_index("ix_ledger_postings_of_account", "ledger_postings")
    op.drop_index("ix_ledger_transactions_of_charge", "ledger_transactions")
    op.drop_index("uq_ledger_transactions_reverses", "ledger_transactions")
    with_triggers_off(
        "UPDATE ledger_postings SET account = 'acquirer_clearing' WHERE account = 'cash_clearing:acquirer'"
    )
    op.drop_column("ledger_postings", "phase")
    for column in ("phase", "charge_id", "reverses_operation_id", "reverses_kind"):
        op.drop_column("ledger_transactions", column)
    op.create_index(
        "ix_ledger_postings_of_account",
        "ledger_postings",
        ["account", "posted_at", "currency", "exponent", "minor_units"],
    )
    with op.batch_alter_table("charges") as charges:
        charges.drop_constraint("ck_charges_status", type_="check")
        charges.create_check_constraint("ck_charges_status", f"status IN ({STATUSES})")
        for column in ("provider", "reference", "capture_minor_units", "expires_at"):
            charges.drop_column(column)
