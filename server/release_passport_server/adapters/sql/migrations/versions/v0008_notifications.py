"""How far channels were told, and what each is told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision: str | None = "0007"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Make the tables of notifications."""
    op.create_table(
        "notice_positions",
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("channel", sa.String(26), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("missed_until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "channel", name="pk_notice_positions"),
    )
    op.create_table(
        "notices",
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("channel", sa.String(26), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("index", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(512), nullable=False),
        sa.Column("event", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_status", sa.Integer(), nullable=False),
        sa.Column("last_failure", sa.String(512), nullable=False),
        sa.Column("first_time", sa.BigInteger(), nullable=True),
        sa.Column("next_time", sa.BigInteger(), nullable=True),
        sa.Column("end_time", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "channel", "revision", "index", name="pk_notices"),
    )
    op.create_index(
        "ix_notices_subject",
        "notices",
        ["tenant", "channel", "state", "subject", "revision", "index"],
        unique=False,
    )
    op.create_index("ix_notices_end", "notices", ["tenant", "channel", "state", "end_time"], unique=False)


def downgrade() -> None:
    """Drop them."""
    op.drop_table("notices")
    op.drop_table("notice_positions")
