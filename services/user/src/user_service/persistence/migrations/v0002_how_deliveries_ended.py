"""What came of a delivery; those before were all sent."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("status", sa.String(16), nullable=False, server_default="sent"))
    op.add_column("deliveries", sa.Column("reason", sa.String(40), nullable=True))


def downgrade() -> None:
    op.drop_column("deliveries", "reason")
    op.drop_column("deliveries", "status")
