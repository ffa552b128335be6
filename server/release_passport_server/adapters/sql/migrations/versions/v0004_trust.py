"""Signed decisions, redeemed permits, and what tenants trust."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision: str | None = "0003"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Add the envelopes of decisions, the proofs of evidence, and the tables of permits and trust."""
    op.add_column("decisions", sa.Column("envelope", sa.LargeBinary(), nullable=True))
    op.add_column("decisions", sa.Column("summary", sa.LargeBinary(), nullable=True))
    op.add_column("evidence", sa.Column("proof", sa.Text(), nullable=True))
    op.create_table(
        "permits",
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("permit_id", sa.String(26), nullable=False),
        sa.Column("redeem_time", sa.BigInteger(), nullable=False),
        sa.Column("principal", sa.String(256), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "permit_id", name="pk_permits"),
    )
    op.create_table(
        "trust_revisions",
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("author", sa.String(256), nullable=False),
        sa.Column("create_time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "revision", name="pk_trust_revisions"),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("trust_revisions")
    op.drop_table("permits")
    op.drop_column("evidence", "proof")
    op.drop_column("decisions", "summary")
    op.drop_column("decisions", "envelope")
