"""What workers share: jobs and leases."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision: str | None = "0002"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Create the tables of jobs and leases."""
    op.create_table(
        "jobs",
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("key", sa.String(512), nullable=False),
        sa.Column("due_time", sa.BigInteger(), nullable=False),
        sa.Column("available_time", sa.BigInteger(), nullable=True),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("holder", sa.String(64), nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("dead_time", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "kind", "key", name="pk_jobs"),
    )
    op.create_index("ix_jobs_available_time", "jobs", ["available_time", "kind"], unique=False)
    op.create_index("ix_jobs_dead", "jobs", ["tenant", "dead_time"], unique=False)
    op.create_table(
        "leases",
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("holder", sa.String(64), nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("expire_time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "name", name="pk_leases"),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("leases")
    op.drop_index("ix_jobs_dead", table_name="jobs")
    op.drop_index("ix_jobs_available_time", table_name="jobs")
    op.drop_table("jobs")
