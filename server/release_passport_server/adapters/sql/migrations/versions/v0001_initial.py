"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision: str | None = None
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Create every table."""
    op.create_table(
        "attempts",
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("release", sa.String(512), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("name", sa.String(512), nullable=False),
        sa.Column("service", sa.String(64), nullable=False),
        sa.Column("environment", sa.String(64), nullable=False),
        sa.Column("content_digest", sa.String(80), nullable=False),
        sa.Column("ground", sa.String(512), nullable=False),
        sa.Column("start_time", sa.BigInteger(), nullable=False),
        sa.Column("starter", sa.String(256), nullable=False),
        sa.Column("finish_time", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.String(32), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "release", "number", name="pk_attempts"),
    )
    op.create_index(
        "ix_attempts_content", "attempts", ["tenant", "content_digest", "start_time"], unique=False
    )
    op.create_index(
        "ix_attempts_place", "attempts", ["tenant", "service", "environment", "start_time"], unique=False
    )
    op.create_table(
        "audit",
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("index", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("leaf_index", sa.BigInteger(), nullable=False),
        sa.Column("principal", sa.String(256), nullable=False),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(512), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("salt", sa.LargeBinary(), nullable=True),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "revision", "index", name="pk_audit"),
    )
    op.create_table(
        "bodies",
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(80), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "digest", name="pk_bodies"),
    )
    op.create_table(
        "decisions",
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("release", sa.String(512), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("decision_id", sa.String(26), nullable=False),
        sa.Column("name", sa.String(512), nullable=False),
        sa.Column("service", sa.String(64), nullable=False),
        sa.Column("environment", sa.String(64), nullable=False),
        sa.Column("stage", sa.SmallInteger(), nullable=False),
        sa.Column("verdict", sa.SmallInteger(), nullable=False),
        sa.Column("effective_verdict", sa.SmallInteger(), nullable=False),
        sa.Column("outcome_digest", sa.String(80), nullable=False),
        sa.Column("decide_time", sa.BigInteger(), nullable=False),
        sa.Column("valid_until", sa.BigInteger(), nullable=True),
        sa.Column("next_eligible_time", sa.BigInteger(), nullable=True),
        sa.Column("considered_revision", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("case_body", sa.LargeBinary(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "release", "revision", name="pk_decisions"),
    )
    op.create_index("ix_decisions_name", "decisions", ["tenant", "name"], unique=True)
    op.create_index("ix_decisions_revision", "decisions", ["tenant", "revision"], unique=False)
    op.create_table(
        "documents",
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("collection", sa.String(32), nullable=False),
        sa.Column("id", sa.String(512), nullable=False),
        sa.Column("key", sa.String(512), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "collection", "id", name="pk_documents"),
    )
    op.create_index("ix_documents_key", "documents", ["tenant", "collection", "key", "id"], unique=False)
    op.create_index("ix_documents_token", "documents", ["collection", "id"], unique=False)
    op.create_table(
        "evidence",
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("name", sa.String(512), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(280), nullable=False),
        sa.Column("key", sa.String(512), nullable=False),
        sa.Column("subject", sa.String(512), nullable=False),
        sa.Column("source", sa.String(256), nullable=False),
        sa.Column("external_id", sa.String(512), nullable=False),
        sa.Column("facts_digest", sa.String(80), nullable=False),
        sa.Column("observe_time", sa.BigInteger(), nullable=False),
        sa.Column("receive_time", sa.BigInteger(), nullable=False),
        sa.Column("expire_time", sa.BigInteger(), nullable=True),
        sa.Column("verification", sa.SmallInteger(), nullable=False),
        sa.Column("verification_reason", sa.Text(), nullable=False),
        sa.Column("signer", sa.String(256), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("samples", sa.BigInteger(), nullable=True),
        sa.Column("inconclusive", sa.Boolean(), nullable=False),
        sa.Column("bundle_digest", sa.String(80), nullable=False),
        sa.Column("revoke_time", sa.BigInteger(), nullable=True),
        sa.Column("revoker", sa.String(256), nullable=True),
        sa.Column("revoke_reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "name", name="pk_evidence"),
    )
    op.create_index(
        "ix_evidence_external", "evidence", ["tenant", "source", "external_id", "observe_time"], unique=False
    )
    op.create_index("ix_evidence_revision", "evidence", ["tenant", "revision", "name"], unique=False)
    op.create_index(
        "ix_evidence_subject",
        "evidence",
        ["tenant", "subject", "kind", "key", "source", "observe_time"],
        unique=False,
    )
    op.create_table(
        "feed",
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("index", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("type", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(512), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "revision", "index", name="pk_feed"),
    )
    op.create_table(
        "feed_scopes",
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("scope", sa.String(512), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "revision", "scope", name="pk_feed_scopes"),
    )
    op.create_table(
        "heads",
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("last_decide_time", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("leaf_count", sa.BigInteger(), nullable=False),
        sa.Column("access_generation", sa.BigInteger(), nullable=False),
        sa.Column("catalog_revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", name="pk_heads"),
        # The row is rewritten with every commit: there is room for that on its own page.
        postgresql_with={"fillfactor": 10},
    )
    op.create_table(
        "idempotency",
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("principal", sa.String(256), nullable=False),
        sa.Column("method", sa.String(64), nullable=False),
        sa.Column("request_id", sa.String(128), nullable=False),
        sa.Column("body_digest", sa.String(80), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.Column("expire_time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "principal", "method", "request_id", name="pk_idempotency"),
    )
    op.create_index("ix_idempotency_expire_time", "idempotency", ["expire_time"], unique=False)
    op.create_table(
        "policy_revisions",
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("policy_id", sa.String(64), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("newest", sa.Boolean(), nullable=False),
        sa.Column("digest", sa.String(80), nullable=False),
        sa.Column("spec", sa.LargeBinary(), nullable=False),
        sa.Column("author", sa.String(256), nullable=False),
        sa.Column("create_time", sa.BigInteger(), nullable=False),
        sa.Column("update_time", sa.BigInteger(), nullable=False),
        sa.Column("delete_time", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "policy_id", "revision", name="pk_policy_revisions"),
    )
    op.create_index(
        "ix_policy_revisions_newest", "policy_revisions", ["tenant", "newest", "policy_id"], unique=False
    )
    op.create_table(
        "release_artifacts",
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(80), nullable=False),
        sa.Column("release", sa.String(512), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "digest", "release", name="pk_release_artifacts"),
    )
    op.create_table(
        "releases",
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("service", sa.String(64), nullable=False),
        sa.Column("environment", sa.String(64), nullable=False),
        sa.Column("version", sa.String(128), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(512), nullable=False),
        sa.Column("content_digest", sa.String(80), nullable=False),
        sa.Column("identity", sa.LargeBinary(), nullable=False),
        sa.Column("creator", sa.String(256), nullable=False),
        sa.Column("create_time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "service", "environment", "version", name="pk_releases"),
    )
    op.create_index("ix_releases_name", "releases", ["tenant", "name"], unique=True)
    op.create_index("ix_releases_revision", "releases", ["tenant", "revision", "name"], unique=False)
    op.create_table(
        "series",
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(512), nullable=False),
        sa.Column("kind", sa.String(280), nullable=False),
        sa.Column("key", sa.String(512), nullable=False),
        sa.Column("source", sa.String(256), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "subject", "kind", "key", "source", name="pk_series"),
    )
    op.create_table(
        "writers",
        sa.Column("writer", sa.String(32), nullable=False),
        sa.Column("batch", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("writer", name="pk_writers"),
    )


def downgrade() -> None:
    """Drop every table."""
    op.drop_table("writers")
    op.drop_table("series")
    op.drop_table("releases")
    op.drop_table("release_artifacts")
    op.drop_table("policy_revisions")
    op.drop_table("idempotency")
    op.drop_table("heads")
    op.drop_table("feed_scopes")
    op.drop_table("feed")
    op.drop_table("evidence")
    op.drop_table("documents")
    op.drop_table("decisions")
    op.drop_table("bodies")
    op.drop_table("audit")
    op.drop_table("attempts")
