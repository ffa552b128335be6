"""The transparency log: where each tenant's tree stands, and its tiles."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision: str | None = "0004"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Create the tables of the logs, and the index by which they read the audit table."""
    op.create_index("ix_audit_leaf", "audit", ["tenant", "leaf_index"], unique=True)
    op.create_table(
        "log_heads",
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("origin", sa.String(256), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("checkpoint", sa.LargeBinary(), nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "origin", name="pk_log_heads"),
    )
    op.create_table(
        "log_tiles",
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("origin", sa.String(256), nullable=False),
        sa.Column("path", sa.String(128), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "origin", "path", name="pk_log_tiles"),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("log_tiles")
    op.drop_table("log_heads")
    op.drop_index("ix_audit_leaf", table_name="audit")
