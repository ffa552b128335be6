"""Which revisions of policies judge a rollout."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision: str | None = "0008"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Keep them with the attempt; those that are under way are judged by the policies of now, as they were."""
    op.add_column("attempts", sa.Column("policies", sa.Text(), nullable=True))


def downgrade() -> None:
    """Drop them."""
    op.drop_column("attempts", "policies")
