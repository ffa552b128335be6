"""Changes one tenant's data inside a batch, under the tenant's head."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import Connection, Table, and_, delete, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from release_passport_server.adapters.sql import tables
from release_passport_server.adapters.sql.codec import (
    Values,
    attempt_values,
    body_text,
    decision_values,
    evidence_values,
    facts_body,
    item_of,
    policy_values,
    release_values,
)
from release_passport_server.adapters.sql.documents import (
    BINDINGS,
    ENVIRONMENTS,
    LATCHES,
    ROLE_BINDINGS,
    SERVICES,
    TENANTS,
    TOKENS,
    Collection,
)
from release_passport_server.adapters.sql.loading import PolicyCache
from release_passport_server.adapters.sql.reader import SQLReader
from release_passport_server.adapters.sql.statements import evidence_rows
from release_passport_server.domain.canonical import canonical, digest, stamp
from release_passport_server.domain.catalog import (
    APIToken,
    Environment,
    ObserveOnlyBinding,
    PolicyDocument,
    RoleBinding,
    Service,
    Tenant,
)
from release_passport_server.domain.evidence import EvidenceItem, Revocation
from release_passport_server.domain.record import AuditEntry, DecisionRecord, FeedEvent
from release_passport_server.domain.release import Attempt, Latch, Release
from release_passport_server.ports.store import Replay

T = TypeVar("T")
KEPT = timedelta(hours=24)
SALT_BYTES = 16


@dataclass(slots=True)
class Head:
    """A tenant's head as the batch moves it on."""

    revision: int
    last_decide_time: datetime
    leaf_count: int
    access_generation: int


class SQLTransaction(SQLReader):
    """Changes one tenant's data; see the port. Everything a request writes stands under its one revision."""

    def __init__(
        self, connection: Connection, tenant: str, policies: PolicyCache, head: Head, now: datetime
    ) -> None:
        super().__init__(connection, tenant, policies)
        self.now = now
        self._head = head
        self._revision = head.revision + 1
        self._leaves = 0
        self._events = 0
        self._access_changed = False
        self.touched = False

    def settle(self) -> int:
        """Move the head on by what was written; return the revision of this request."""
        if self.touched:
            self._head.revision = self._revision
            self._head.leaf_count += self._leaves
        if self._access_changed:
            self._head.access_generation += 1
        return self._head.revision

    def access_generation(self) -> int:
        """Return the generation with what this batch has changed so far."""
        return self._head.access_generation + self._access_changed

    def put_release(self, release: Release) -> None:
        """Insert a release."""
        self._insert(tables.releases, release_values(self.tenant, release, self._revision))
        digests = sorted({artifact.digest for artifact in release.identity.artifacts})
        self._insert(
            tables.release_artifacts,
            *({"tenant": self.tenant, "digest": digest, "release": release.name} for digest in digests),
        )

    def put_attempt(self, release: Release, attempt: Attempt) -> None:
        """Insert an attempt, or end the open one of that number."""
        self._upsert(tables.attempts, attempt_values(self.tenant, release, attempt))

    def put_evidence(self, items: Sequence[EvidenceItem]) -> tuple[EvidenceItem, ...]:
        """Insert items; the same (source, external id, observe time, subject, kind) is the stored item."""
        before = self._same_observations(items)
        stored: list[EvidenceItem] = []
        fresh: dict[object, EvidenceItem] = {}
        for item in items:
            identity = _identity(item)
            found = before.get(identity) or (fresh.get(identity) if item.external_id else None)
            if found is None:
                found = replace(item, revision=self._revision)
                fresh[identity if item.external_id else item.name] = found
            stored.append(found)
        if fresh:
            bodies = {item.facts_digest: facts_body(item) for item in fresh.values()}
            bodies |= {digest(item.bundle): item.bundle for item in fresh.values() if item.bundle}
            self._insert_new(
                tables.bodies,
                [{"tenant": self.tenant, "digest": d, "body": b} for d, b in sorted(bodies.items())],
            )
            rows = [evidence_values(self.tenant, item, self._revision) for item in fresh.values()]
            self._insert(tables.evidence, *rows)
        return tuple(stored)

    def revoke_evidence(self, name: str, revocation: Revocation) -> None:
        """Mark an item as revoked; nothing else of it ever changes."""
        c = tables.evidence.c
        self._execute(
            update(tables.evidence)
            .where(c.tenant == self.tenant, c.name == name, c.revoke_time.is_(None))
            .values(revoke_time=revocation.time, revoker=revocation.revoker, revoke_reason=revocation.reason)
        )

    def put_decision(self, record: DecisionRecord) -> None:
        """Insert a decision."""
        self._insert(tables.decisions, decision_values(self.tenant, record, self._revision))

    def put_latch(self, content_digest: str, latch: Latch) -> None:
        """Insert a latch on these digests."""
        self._put(LATCHES, latch, key=content_digest)

    def put_service(self, service: Service) -> None:
        """Insert or replace a service."""
        self._put(SERVICES, service)

    def put_environment(self, environment: Environment) -> None:
        """Insert or replace an environment."""
        self._put(ENVIRONMENTS, environment)

    def put_observe_only(self, binding: ObserveOnlyBinding) -> None:
        """Insert or replace a binding."""
        self._put(BINDINGS, binding)

    def put_policy(self, policy: PolicyDocument) -> None:
        """Insert a new revision and make it the newest."""
        c = tables.policy_revisions.c
        self._execute(
            update(tables.policy_revisions)
            .where(c.tenant == self.tenant, c.policy_id == policy.policy_id, c.newest)
            .values(newest=False)
        )
        self._insert(tables.policy_revisions, policy_values(self.tenant, policy))

    def put_role_binding(self, binding: RoleBinding) -> None:
        """Insert a grant."""
        self._put(ROLE_BINDINGS, binding)
        self._access_changed = True

    def delete_role_binding(self, binding_id: str) -> None:
        """Delete a grant."""
        c = tables.documents.c
        self._execute(
            delete(tables.documents).where(
                c.tenant == self.tenant, c.collection == ROLE_BINDINGS.name, c.id == binding_id
            )
        )
        self._access_changed = True

    def put_token(self, token: APIToken) -> None:
        """Insert or replace a token."""
        self._put(TOKENS, token)
        self._access_changed = True

    def put_tenant(self, tenant: Tenant) -> None:
        """Insert or replace the tenant."""
        self._put(TENANTS, tenant)
        self._access_changed = True

    def emit(self, event: FeedEvent) -> None:
        """Add an event to the feed under this request's revision."""
        place = {"tenant": self.tenant, "revision": self._revision}
        row = place | {
            "index": self._events,
            "type": event.type,
            "subject": event.subject,
            "body": body_text(event.body),
            "time": self.now,
        }
        self._insert(tables.feed, row)
        self._insert_new(
            tables.feed_scopes, [place | {"scope": scope} for scope in dict.fromkeys(event.scopes)]
        )
        self._events += 1
        self.touched = True

    def audit(self, entry: AuditEntry) -> None:
        """Add an entry to the audit log; its leaf is salted, so that nobody can guess the body from it."""
        body = canonical(
            {
                "tenant": self.tenant,
                "revision": self._revision,
                "principal": entry.principal,
                "action": entry.action,
                "subject": entry.subject,
                "time": stamp(self.now),
                "detail": dict(entry.detail),
            }
        )
        salt = secrets.token_bytes(SALT_BYTES)
        commitment = hmac.new(salt, body, hashlib.sha256).digest()
        self._insert(
            tables.audit,
            {
                "tenant": self.tenant,
                "revision": self._revision,
                "index": self._leaves,
                "leaf_index": self._head.leaf_count + self._leaves,
                "principal": entry.principal,
                "action": entry.action,
                "subject": entry.subject,
                "time": self.now,
                "body": body,
                "salt": salt,
                "leaf": hashlib.sha256(b"\x00" + commitment).digest(),
            },
        )
        self._leaves += 1
        self.touched = True

    def replay(self, principal: str, method: str, request_id: str) -> Replay | None:
        """Return what this request id was answered with within its time."""
        c = tables.idempotency.c
        row = self._one(
            select(c.body_digest, c.answer).where(
                c.tenant == self.tenant,
                c.principal == principal,
                c.method == method,
                c.request_id == request_id,
                c.expire_time > self.now,
            )
        )
        return None if row is None else Replay(row.body_digest, row.answer)

    def remember(self, principal: str, method: str, request_id: str, replay: Replay) -> None:
        """Keep the answer to a request id for 24 hours."""
        row = {
            "tenant": self.tenant,
            "principal": principal,
            "method": method,
            "request_id": request_id,
            "body_digest": replay.body_digest,
            "answer": replay.answer,
            "expire_time": self.now + KEPT,
        }
        self._upsert(tables.idempotency, row)

    def _same_observations(self, items: Sequence[EvidenceItem]) -> dict[object, EvidenceItem]:
        c = tables.evidence.c
        named = [item for item in items if item.external_id]
        if not named:
            return {}
        same = or_(*(and_(c.source == i.source, c.external_id == i.external_id) for i in named))
        rows = evidence_rows().where(c.tenant == self.tenant, same)
        return {_identity(item): item for item in map(item_of, self._connection.execute(rows))}

    def _put(self, collection: Collection[T], value: T, *, key: str = "") -> None:
        row = {
            "tenant": self.tenant,
            "collection": collection.name,
            "id": collection.id_of(value),
            "key": key or collection.key_of(value),
            "body": collection.encode(value),
        }
        self._upsert(tables.documents, row)

    def _insert(self, table: Table, *rows: Values) -> None:
        if rows:
            self._execute(insert(table), list(rows))

    def _upsert(self, table: Table, row: Values) -> None:
        keys = [column.name for column in table.primary_key]
        statement = self._dialect_insert(table).values(row)
        rest = {name: statement.excluded[name] for name in row if name not in keys}
        self._execute(statement.on_conflict_do_update(index_elements=keys, set_=rest))

    def _insert_new(self, table: Table, rows: list[Values]) -> None:
        """Insert the rows that are not there yet."""
        if rows:
            self._execute(self._dialect_insert(table).on_conflict_do_nothing(), rows)

    def _dialect_insert(self, table: Table) -> Any:
        return (sqlite if self._connection.dialect.name == "sqlite" else postgresql).insert(table)

    def _execute(self, statement: Any, rows: list[Values] | None = None) -> None:
        self._connection.execute(statement, rows)


def _identity(item: EvidenceItem) -> object:
    return (item.source, item.external_id, item.observe_time, item.subject, item.kind)
