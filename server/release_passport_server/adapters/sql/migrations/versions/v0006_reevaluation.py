"""What finds the open questions that a change concerns."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision: str | None = "0005"
branch_labels: str | None = None
depends_on: str | None = None

_MANY = 1000


def upgrade() -> None:
    """Let jobs lie in a place and rest, and list by source and manifest the releases that there are."""
    op.add_column("jobs", sa.Column("place", sa.String(512), nullable=True))
    op.add_column("jobs", sa.Column("open_time", sa.BigInteger(), nullable=True))
    op.add_column("jobs", sa.Column("rest_until", sa.BigInteger(), nullable=True))
    op.create_index("ix_jobs_place", "jobs", ["tenant", "kind", "place", "open_time"], unique=False)
    op.create_table(
        "release_subjects",
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(512), nullable=False),
        sa.Column("release", sa.String(512), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "subject", "release", name="pk_release_subjects"),
    )
    _list_releases()


def downgrade() -> None:
    """Drop them."""
    op.drop_table("release_subjects")
    op.drop_index("ix_jobs_place", table_name="jobs")
    op.drop_column("jobs", "rest_until")
    op.drop_column("jobs", "open_time")
    op.drop_column("jobs", "place")


def _list_releases() -> None:
    connection = op.get_bind()
    found = connection.execute(sa.text("SELECT tenant, name, identity FROM releases"))
    columns = "(tenant, subject, release) VALUES (:tenant, :subject, :release)"
    insert = sa.text(f"INSERT INTO release_subjects {columns}")
    for part in found.partitions(_MANY):
        rows = [
            {"tenant": row.tenant, "subject": subject, "release": row.name}
            for row in part
            for subject in _subjects(json.loads(bytes(row.identity)))
        ]
        if rows:
            connection.execute(insert, rows)


def _subjects(identity: dict[str, Any]) -> list[str]:
    source, manifest = identity["sourceRevision"], identity["manifestDigest"]
    return [*([f"source:{source}"] if source else []), *([f"manifest:{manifest}"] if manifest else [])]
