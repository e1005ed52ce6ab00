"""What was resolved may come up again, and of a reason and a subject only one escalation waits."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

WAITING = "resolved_at IS NULL"


def upgrade() -> None:
    op.create_index(
        "ux_escalations_waiting",
        "escalations",
        ["reason", "subject"],
        unique=True,
        sqlite_where=sa.text(WAITING),
        postgresql_where=sa.text(WAITING),
    )
