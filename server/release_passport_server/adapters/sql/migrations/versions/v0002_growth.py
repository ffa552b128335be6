"""Indexes by which lists page as fast in a large store as in a small one."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision: str | None = "0001"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Create the indexes."""
    op.create_index(
        "ix_releases_place", "releases", ["tenant", "service", "environment", "revision"], unique=False
    )
    op.create_index(
        "ix_decisions_place", "decisions", ["tenant", "service", "environment", "revision"], unique=False
    )
    op.create_index(
        "ix_decisions_place_verdict",
        "decisions",
        ["tenant", "service", "environment", "effective_verdict", "revision"],
        unique=False,
    )
    op.create_index(
        "ix_decisions_verdict", "decisions", ["tenant", "effective_verdict", "revision"], unique=False
    )
    op.create_index("ix_evidence_kind", "evidence", ["tenant", "kind", "source", "revision"], unique=False)
    op.create_index(
        "ix_evidence_about", "evidence", ["tenant", "subject", "kind", "source", "revision"], unique=False
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_evidence_about", table_name="evidence")
    op.drop_index("ix_evidence_kind", table_name="evidence")
    op.drop_index("ix_decisions_verdict", table_name="decisions")
    op.drop_index("ix_decisions_place_verdict", table_name="decisions")
    op.drop_index("ix_decisions_place", table_name="decisions")
    op.drop_index("ix_releases_place", table_name="releases")
