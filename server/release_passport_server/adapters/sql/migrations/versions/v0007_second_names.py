"""What else people are known as who submit evidence and start rollouts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision: str | None = "0006"
branch_labels: str | None = None
depends_on: str | None = None

_COLUMNS = (("evidence", "source_identities"), ("attempts", "starter_identities"))


def upgrade() -> None:
    """Keep the other names of whoever did it; null where there are none, and for what was there before."""
    for table, column in _COLUMNS:
        op.add_column(table, sa.Column(column, sa.Text(), nullable=True))


def downgrade() -> None:
    """Drop them."""
    for table, column in _COLUMNS:
        op.drop_column(table, column)
