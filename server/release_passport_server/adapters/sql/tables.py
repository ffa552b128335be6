"""The one schema of both engines. The tenant comes first in every key.

Times are whole microseconds since 1970 in UTC, so that they are equal and sort alike on both engines.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
)
from sqlalchemy.types import TypeDecorator

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def microseconds(time: datetime) -> int:
    """Return the microseconds since 1970 of a time with zone."""
    return (time - _EPOCH) // _MICROSECOND


def moment(value: int) -> datetime:
    """Return the time of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=value)


class Moment(TypeDecorator[datetime]):
    """A time with zone, kept as microseconds."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> int | None:
        """Return the microseconds of a time."""
        return None if value is None else microseconds(value)

    def process_result_value(self, value: Any, dialect: Any) -> datetime | None:
        """Return the time of microseconds."""
        return None if value is None else moment(int(value))


metadata = MetaData(
    naming_convention={"pk": "pk_%(table_name)s", "ix": "ix_%(table_name)s_%(column_0_N_name)s"}
)

_ID = String(64)
_NAME = String(512)
_DIGEST = String(80)

# One row for each writing process: tells whether a batch whose commit was not answered is there.
writers = Table(
    "writers",
    metadata,
    Column("writer", String(32), primary_key=True),
    Column("batch", BigInteger, nullable=False),
)

heads = Table(
    "heads",
    metadata,
    Column("tenant", _ID, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("last_decide_time", Moment, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("leaf_count", BigInteger, nullable=False),
    Column("access_generation", BigInteger, nullable=False),
    # The revision of the last change of policies, services, environments or observe-only bindings.
    Column("catalog_revision", BigInteger, nullable=False),
    postgresql_with={"fillfactor": 10},
)

feed = Table(
    "feed",
    metadata,
    Column("tenant", _ID, primary_key=True),
    Column("revision", BigInteger, primary_key=True, autoincrement=False),
    Column("index", Integer, primary_key=True, autoincrement=False),
    Column("type", String(64), nullable=False),
    Column("subject", _NAME, nullable=False),
    Column("body", Text, nullable=False),
    Column("time", Moment, nullable=False),
)

feed_scopes = Table(
    "feed_scopes",
    metadata,
    Column("tenant", _ID, primary_key=True),
    Column("revision", BigInteger, primary_key=True, autoincrement=False),
    Column("scope", _NAME, primary_key=True),
)

audit = Table(
    "audit",
    metadata,
    Column("tenant", _ID, primary_key=True),
    Column("revision", BigInteger, primary_key=True, autoincrement=False),
    Column("index", Integer, primary_key=True, autoincrement=False),
    Column("leaf_index", BigInteger, nullable=False),
    Column("principal", String(256), nullable=False),
    Column("action", String(64), nullable=False),
    Column("subject", _NAME, nullable=False),
    Column("time", Moment, nullable=False),
    Column("body", LargeBinary, nullable=True),
    Column("salt", LargeBinary, nullable=True),
    Column("leaf", LargeBinary, nullable=False),
    # The order in which the log reads them; a number that is given twice is refused.
    Index("ix_audit_leaf", "tenant", "leaf_index", unique=True),
)

# Services, environments, bindings, grants, tokens, latches and the tenant itself: few, small, read by id.
documents = Table(
    "documents",
    metadata,
    Column("tenant", _ID, primary_key=True),
    Column("collection", String(32), primary_key=True),
    Column("id", _NAME, primary_key=True),
    # What else the collection is searched by.
    Column("key", _NAME, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("ix_documents_key", "tenant", "collection", "key", "id"),
    Index("ix_documents_token", "collection", "id"),
)

policy_revisions = Table(
    "policy_revisions",
    metadata,
    Column("tenant", _ID, primary_key=True),
    Column("policy_id", _ID, primary_key=True),
    Column("revision", BigInteger, primary_key=True, autoincrement=False),
    Column("newest", Boolean, nullable=False),
    Column("digest", _DIGEST, nullable=False),
    Column("spec", LargeBinary, nullable=False),
    Column("author", String(256), nullable=False),
    Column("create_time", Moment, nullable=False),
    Column("update_time", Moment, nullable=False),
    Column("delete_time", Moment, nullable=True),
    Index("ix_policy_revisions_newest", "tenant", "newest", "policy_id"),
)

releases = Table(
    "releases",
    metadata,
    Column("tenant", _ID, primary_key=True),
    Column("service", _ID, primary_key=True),
    Column("environment", _ID, primary_key=True),
    Column("version", String(128), primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("name", _NAME, nullable=False),
    Column("content_digest", _DIGEST, nullable=False),
    Column("identity", LargeBinary, nullable=False),
    Column("creator", String(256), nullable=False),
    Column("create_time", Moment, nullable=False),
    Index("ix_releases_name", "tenant", "name", unique=True),
    Index("ix_releases_revision", "tenant", "revision", "name"),
    # Each place has its releases in order, so that a list of some places need not read the others.
    Index("ix_releases_place", "tenant", "service", "environment", "revision"),
)

release_artifacts = Table(
    "release_artifacts",
    metadata,
    Column("tenant", _ID, primary_key=True),
    Column("digest", _DIGEST, primary_key=True),
    Column("release", _NAME, primary_key=True),
)

# Which releases came of a source or a manifest.
release_subjects = Table(
    "release_subjects",
    metadata,
    Column("tenant", _ID, primary_key=True),
    # The subject's type, a colon and its value.
    Column("subject", _NAME, primary_key=True),
    Column("release", _NAME, primary_key=True),
)

attempts = Table(
    "attempts",
    metadata,
    Column("tenant", _ID, primary_key=True),
    Column("release", _NAME, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("name", _NAME, nullable=False),
    Column("service", _ID, nullable=False),
    Column("environment", _ID, nullable=False),
    Column("content_digest", _DIGEST, nullable=False),
    Column("ground", _NAME, nullable=False),
    Column("start_time", Moment, nullable=False),
    Column("starter", String(256), nullable=False),
    Column("finish_time", Moment, nullable=True),
    Column("outcome", String(32), nullable=False),
    Column("reason", Text, nullable=False),
    # What else the starter was known as, as a JSON list; null where there is nothing.
    Column("starter_identities", Text, nullable=True),
    # The policies that judge it, as a JSON list of ids and revisions; null where those of now do.
    Column("policies", Text, nullable=True),
    Index("ix_attempts_place", "tenant", "service", "environment", "start_time"),
    Index("ix_attempts_content", "tenant", "content_digest", "start_time"),
)

bodies = Table(
    "bodies",
    metadata,
    Column("tenant", _ID, primary_key=True),
    Column("digest", _DIGEST, primary_key=True),
    # Null once it was purged.
    Column("body", LargeBinary, nullable=True),
)

evidence = Table(
    "evidence",
    metadata,
    Column("tenant", _ID, primary_key=True),
    Column("name", _NAME, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("kind", String(280), nullable=False),
    Column("key", _NAME, nullable=False),
    # The subject's type, a colon and its value.
    Column("subject", _NAME, nullable=False),
    Column("source", String(256), nullable=False),
    Column("external_id", _NAME, nullable=False),
    Column("facts_digest", _DIGEST, nullable=False),
    Column("observe_time", Moment, nullable=False),
    Column("receive_time", Moment, nullable=False),
    Column("expire_time", Moment, nullable=True),
    Column("verification", SmallInteger, nullable=False),
    Column("verification_reason", Text, nullable=False),
    Column("signer", String(256), nullable=False),
    Column("scopes", Text, nullable=False),
    Column("samples", BigInteger, nullable=True),
    Column("inconclusive", Boolean, nullable=False),
    Column("bundle_digest", _DIGEST, nullable=False),
    # What was proven of the envelope, as canonical JSON; null where there was none.
    Column("proof", Text, nullable=True),
    Column("revoke_time", Moment, nullable=True),
    Column("revoker", String(256), nullable=True),
    Column("revoke_reason", Text, nullable=True),
    # What else the submitter was known as, as a JSON list; null where there is nothing.
    Column("source_identities", Text, nullable=True),
    Index("ix_evidence_subject", "tenant", "subject", "kind", "key", "source", "observe_time"),
    Index("ix_evidence_external", "tenant", "source", "external_id", "observe_time"),
    Index("ix_evidence_revision", "tenant", "revision", "name"),
    Index("ix_evidence_kind", "tenant", "kind", "source", "revision"),
    Index("ix_evidence_about", "tenant", "subject", "kind", "source", "revision"),
)

# Every series that there is, so that the newest observations of each are found without reading the others.
series = Table(
    "series",
    metadata,
    Column("tenant", _ID, primary_key=True),
    Column("subject", _NAME, primary_key=True),
    Column("kind", String(280), primary_key=True),
    Column("key", _NAME, primary_key=True),
    Column("source", String(256), primary_key=True),
)

decisions = Table(
    "decisions",
    metadata,
    Column("tenant", _ID, primary_key=True),
    Column("release", _NAME, primary_key=True),
    Column("revision", BigInteger, primary_key=True, autoincrement=False),
    Column("decision_id", String(26), nullable=False),
    Column("name", _NAME, nullable=False),
    Column("service", _ID, nullable=False),
    Column("environment", _ID, nullable=False),
    Column("stage", SmallInteger, nullable=False),
    Column("verdict", SmallInteger, nullable=False),
    Column("effective_verdict", SmallInteger, nullable=False),
    Column("outcome_digest", _DIGEST, nullable=False),
    Column("decide_time", Moment, nullable=False),
    Column("valid_until", Moment, nullable=True),
    Column("next_eligible_time", Moment, nullable=True),
    Column("considered_revision", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("case_body", LargeBinary, nullable=False),
    Column("evidence", Text, nullable=False),
    # DSSE envelopes; those of decisions from before there were keys are null.
    Column("envelope", LargeBinary, nullable=True),
    Column("summary", LargeBinary, nullable=True),
    Index("ix_decisions_name", "tenant", "name", unique=True),
    Index("ix_decisions_revision", "tenant", "revision"),
    Index("ix_decisions_place", "tenant", "service", "environment", "revision"),
    Index("ix_decisions_place_verdict", "tenant", "service", "environment", "effective_verdict", "revision"),
    Index("ix_decisions_verdict", "tenant", "effective_verdict", "revision"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("tenant", _ID, primary_key=True),
    Column("principal", String(256), primary_key=True),
    Column("method", String(64), primary_key=True),
    Column("request_id", String(128), primary_key=True),
    Column("body_digest", _DIGEST, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    Column("expire_time", Moment, nullable=False),
    Index("ix_idempotency_expire_time", "expire_time"),
)

# What is to be done at a time. The times of workers are the database's; a dead job is available never again.
jobs = Table(
    "jobs",
    metadata,
    Column("tenant", _ID, primary_key=True),
    Column("kind", _ID, primary_key=True),
    Column("key", _NAME, primary_key=True),
    Column("due_time", Moment, nullable=False),
    # When it may be claimed: as long as it runs, the end of its lease; null once it is dead.
    Column("available_time", Moment, nullable=True),
    Column("payload", LargeBinary, nullable=False),
    # Grows each time it is scheduled, so that who runs it sees that it is wanted again.
    Column("generation", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("holder", _ID, nullable=False),
    # Grows with each claim: the fencing token.
    Column("token", BigInteger, nullable=False),
    Column("error", Text, nullable=False),
    Column("dead_time", Moment, nullable=True),
    # The service and environment that it is about, if any.
    Column("place", _NAME, nullable=True),
    # Which of a place are the newest.
    Column("open_time", Moment, nullable=True),
    # Until then a job that was woken is not woken once more, but put off to this time.
    Column("rest_until", Moment, nullable=True),
    Index("ix_jobs_available_time", "available_time", "kind"),
    Index("ix_jobs_dead", "tenant", "dead_time"),
    Index("ix_jobs_place", "tenant", "kind", "place", "open_time"),
)

# Who alone may do what a lease is named for. Rows stay, so that the fencing token never goes back.
leases = Table(
    "leases",
    metadata,
    Column("tenant", _ID, primary_key=True),
    Column("name", String(128), primary_key=True),
    Column("holder", _ID, nullable=False),
    Column("token", BigInteger, nullable=False),
    Column("expire_time", Moment, nullable=False),
)

# Permits that were redeemed, each once.
permits = Table(
    "permits",
    metadata,
    Column("tenant", _ID, primary_key=True),
    Column("permit_id", String(26), primary_key=True),
    Column("redeem_time", Moment, nullable=False),
    Column("principal", String(256), nullable=False),
)

# Every revision of what a tenant trusts.
trust_revisions = Table(
    "trust_revisions",
    metadata,
    Column("tenant", _ID, primary_key=True),
    Column("revision", BigInteger, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
    Column("author", String(256), nullable=False),
    Column("create_time", Moment, nullable=False),
)

# Where each log stands: its size, its newest checkpoint, and the fencing token of who wrote last.
log_heads = Table(
    "log_heads",
    metadata,
    Column("tenant", _ID, primary_key=True),
    Column("origin", String(256), primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("checkpoint", LargeBinary, nullable=False),
    Column("token", BigInteger, nullable=False),
)

# What logs consist of, by the paths of the tlog-tiles layout.
log_tiles = Table(
    "log_tiles",
    metadata,
    Column("tenant", _ID, primary_key=True),
    Column("origin", String(256), primary_key=True),
    Column("path", String(128), primary_key=True),
    Column("content", LargeBinary, nullable=False),
)
