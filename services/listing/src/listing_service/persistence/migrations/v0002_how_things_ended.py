"""What came of submissions, and why purchases were released."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def _name(length: int) -> sa.types.TypeEngine[str]:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "submissions",
        sa.Column("tenant", _name(40), nullable=False),
        sa.Column("submission_id", _name(64), nullable=False),
        sa.Column("listing_id", sa.String(64), nullable=False),
        sa.Column("listing_status", sa.String(16), nullable=True),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.Column("reviewer_id", sa.String(64), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("failure", sa.String(80), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "submission_id", name="pk_submissions"),
    )
    op.add_column("purchases", sa.Column("failure", sa.String(80), nullable=True))


def downgrade() -> None:
    op.drop_column("purchases", "failure")
    op.drop_table("submissions")
