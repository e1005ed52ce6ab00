"""Charges, and the ledger, whose rows the database itself keeps as they are."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

APPEND_ONLY = ("ledger_transactions", "ledger_postings")


def upgrade() -> None:
    op.create_table(
        "charges",
        sa.Column("tenant", sa.String(40), nullable=False),
        sa.Column("operation_id", sa.String(64), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("payment_token", sa.String(64), nullable=True),
        sa.Column("minor_units", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(3), nullable=True),
        sa.Column("exponent", sa.SmallInteger(), nullable=True),
        sa.Column("shares", sa.JSON(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "operation_id", name="pk_charges"),
        sa.CheckConstraint(
            "status IN ('authorising', 'authorised', 'declined', 'unknown', 'captured', 'capture_refused', 'voided')",
            name="ck_charges_status",
        ),
        sa.CheckConstraint(
            "(payment_token IS NOT NULL AND minor_units > 0 AND currency IS NOT NULL AND exponent IS NOT NULL"
            " AND shares IS NOT NULL) OR (status = 'voided' AND payment_token IS NULL AND minor_units IS NULL)",
            name="ck_charges_details",
        ),
    )
    op.create_table(
        "ledger_transactions",
        sa.Column("tenant", sa.String(40), nullable=False),
        sa.Column("operation_id", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("posted_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "operation_id", "kind", name="pk_ledger_transactions"),
    )
    op.create_table(
        "ledger_postings",
        sa.Column("tenant", sa.String(40), nullable=False),
        sa.Column("operation_id", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("account", sa.String(80), nullable=False),
        sa.Column("minor_units", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("exponent", sa.SmallInteger(), nullable=False),
        sa.Column("posted_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "operation_id", "kind", "position", name="pk_ledger_postings"),
        sa.ForeignKeyConstraint(
            ["tenant", "operation_id", "kind"],
            ["ledger_transactions.tenant", "ledger_transactions.operation_id", "ledger_transactions.kind"],
            name="fk_ledger_postings_ledger_transactions",
        ),
        sa.CheckConstraint("minor_units <> 0", name="ck_ledger_postings_amount"),
    )
    op.create_index(
        "ix_ledger_postings_of_account",
        "ledger_postings",
        ["account", "posted_at", "currency", "exponent", "minor_units"],
    )
    # A later migration that alters these tables in batch mode makes them anew on SQLite, and has to call this again.
    _forbid_changes()


def downgrade() -> None:
    op.drop_table("ledger_postings")
    op.drop_table("ledger_transactions")
    op.drop_table("charges")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_ledger_change")


def _forbid_changes() -> None:
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    if is_postgresql:
        op.execute(
            "CREATE FUNCTION refuse_ledger_change() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'the ledger is append only'; END $$"
        )
    for table in APPEND_ONLY:
        if is_postgresql:
            for event, level in (("UPDATE OR DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
                op.execute(
                    f"CREATE TRIGGER {table}_append_only_{level.lower()} BEFORE {event} ON {table} "
                    f"FOR EACH {level} EXECUTE FUNCTION refuse_ledger_change()"
                )
        else:
            for event in ("UPDATE", "DELETE"):
                op.execute(
                    f"CREATE TRIGGER {table}_append_only_{event.lower()} BEFORE {event} ON {table} "
                    "BEGIN SELECT RAISE(ABORT, 'the ledger is append only'); END"
                )
