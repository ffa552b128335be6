"""Changes one tenant's data inside a batch, under the tenant's head."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import (
    Connection,
    Delete,
    NestedTransaction,
    Table,
    Update,
    delete,
    select,
    update,
)

from release_passport_server.adapters.sql import tables
from release_passport_server.adapters.sql.asked import identity_of, stored_observations
from release_passport_server.adapters.sql.batch_state import Found, Head, Written
from release_passport_server.adapters.sql.catalog import Catalogs
from release_passport_server.adapters.sql.codec import (
    Values,
    attempt_values,
    body_text,
    decision_values,
    evidence_values,
    facts_body,
    release_values,
    subjects_values,
)
from release_passport_server.adapters.sql.documents import (
    LATCHES,
)
from release_passport_server.adapters.sql.loading import Known
from release_passport_server.adapters.sql.resources import ResourceWrites
from release_passport_server.adapters.sql.salts import new_salt
from release_passport_server.adapters.sql.statements import empty_series, verified_anew
from release_passport_server.domain.canonical import canonical, digest, stamp
from release_passport_server.domain.evidence import EvidenceItem, Revocation
from release_passport_server.domain.ids import ReleaseName
from release_passport_server.domain.record import AuditEntry, DecisionRecord, FeedEvent
from release_passport_server.domain.release import Attempt, Latch, Release
from release_passport_server.domain.watch import HAPPENINGS
from release_passport_server.ports.store import Replay

T = TypeVar("T")
KEPT = timedelta(hours=24)
_SERIES = [column.name for column in tables.series.c]


class SQLTransaction(ResourceWrites):
    """What one request changes; see the port. Everything that it writes stands under its one revision.

    Rows wait until somebody reads, or until the batch ends. A savepoint is set only where rows of this request
    reach the database before it has come to its end.
    """

    def __init__(
        self,
        connection: Connection,
        tenant: str,
        catalogs: Catalogs,
        head: Head,
        *,
        now: datetime,
        catalog_revision: int | None,
        written: Written,
        found: Found | None = None,
    ) -> None:
        super().__init__(connection, tenant, catalogs)
        self.now = now
        self._catalog_revision = catalog_revision
        self._head = head
        self._revision = head.revision + 1
        self._before = written
        self._mine = Written()
        self._found = found or Found()
        self._savepoint: NestedTransaction | None = None
        self._leaves = 0
        self._events = 0
        self._access_changed = False
        self._catalog_changed = False
        self.touched = False

    def settle(self) -> int:
        """Hand what was written over to the batch and move the head on; return the revision of this request."""
        if self.touched and not self._events:
            # Whatever changes is seen by streams, and by the decisions that are made meanwhile.
            self.emit(FeedEvent("changed", "", ("tenant",)))
        if self._savepoint is not None:
            self._savepoint.commit()
        self._before.take(self._mine)
        if self.touched:
            self._head.revision = self._revision
            self._head.leaf_count += self._leaves
            self._head.last_decide_time = max(self._head.last_decide_time, self.now)
        if self._access_changed:
            self._head.access_generation += 1
        if self._catalog_changed:
            self._head.catalog_revision = self._revision
        return self._head.revision

    def undo(self) -> None:
        """Forget what was written."""
        if self._savepoint is not None:
            self._savepoint.rollback()

    @property
    def _connection(self) -> Connection:
        """Return the connection to read through, with everything there that was written."""
        self._flush()
        return self._database

    def _flush(self) -> None:
        if self._before.pending:
            self._before.pending.flush(self._database)
        if self._mine.pending:
            self._in_savepoint()
            self._mine.pending.flush(self._database)

    def _in_savepoint(self) -> None:
        if self._savepoint is None:
            self._savepoint = self._database.begin_nested()

    def access_generation(self) -> int:
        """Return the generation with what this batch has changed so far."""
        return self._head.access_generation + self._access_changed

    def revision(self) -> int:
        """Return the head's revision before this request."""
        return self._head.revision

    def _known(self) -> Known:
        """Return the head as it is now; the catalogue is kept only once it is committed."""
        revision = None if self._catalog_changed else self._catalog_revision
        return Known(self._head.revision, revision, releases=self._mine.releases)

    def find_release(self, service: str, environment: str, version: str) -> Release | None:
        """Return a release; one that was read beforehand comes without what is computed of others."""
        name = str(ReleaseName(self.tenant, service, environment, version))
        if name in self._found.releases:
            return self._found.releases[name]
        return super().find_release(service, environment, version)

    def attempts(self, release: str) -> tuple[Attempt, ...]:
        """Return the attempts of a release, oldest first."""
        known = self._found.attempts.get(release)
        return super().attempts(release) if known is None else known

    def put_release(self, release: Release) -> None:
        """Insert a release."""
        self._insert(tables.releases, release_values(self.tenant, release, self._revision))
        self._found.releases.pop(release.name, None)
        self._mine.releases.add(release.name)
        digests = sorted({artifact.digest for artifact in release.identity.artifacts})
        self._insert(
            tables.release_artifacts,
            *({"tenant": self.tenant, "digest": digest, "release": release.name} for digest in digests),
        )
        self._insert(tables.release_subjects, *subjects_values(self.tenant, release))

    def put_attempt(self, release: Release, attempt: Attempt) -> None:
        """Insert an attempt, or end the open one of that number."""
        self._insert(tables.attempts, attempt_values(self.tenant, release, attempt))
        self._found.attempts.pop(release.name, None)

    def put_evidence(self, items: Sequence[EvidenceItem]) -> tuple[EvidenceItem, ...]:
        """Insert items; the same facts with the same source, external id, time and subject are the stored item."""
        known = self._same_observations(items)
        stored: list[EvidenceItem] = []
        new: list[EvidenceItem] = []
        for item in items:
            identity = identity_of(item) if item.external_id else None
            found = known.get(identity) if identity else None
            if found is None:
                found = item.with_server_parts(revision=self._revision)
                new.append(found)
                if identity:
                    known[identity] = self._mine.items[identity] = found
            stored.append(found)
        self._put_items(new)
        return tuple(stored)

    def _put_items(self, items: Sequence[EvidenceItem]) -> None:
        bodies = [(item.facts_digest, facts_body(item)) for item in items]
        bodies += [(digest(item.bundle), item.bundle) for item in items if item.bundle]
        self._insert(tables.bodies, *({"tenant": self.tenant, "digest": d, "body": b} for d, b in bodies))
        rows = [evidence_values(self.tenant, item, self._revision) for item in items]
        self._insert(tables.evidence, *rows)
        self._insert(tables.series, *({name: row[name] for name in _SERIES} for row in rows))
        for item in items:
            self._mine.pending.add_item(self.tenant, item)

    def put_verification(self, item: EvidenceItem) -> None:
        """Replace what came of verifying an item's envelope; what decisions saw of it is kept with them."""
        row = evidence_values(self.tenant, item, item.revision)
        self._insert(
            tables.bodies, {"tenant": self.tenant, "digest": item.facts_digest, "body": facts_body(item)}
        )
        self._insert(tables.series, {name: row[name] for name in _SERIES})
        self._change(verified_anew(self.tenant, item.name, row))
        self._change(empty_series(self.tenant, row))

    def revoke_evidence(self, name: str, revocation: Revocation) -> None:
        """Mark an item as revoked; nothing else of it ever changes."""
        c = tables.evidence.c
        self._change(
            update(tables.evidence)
            .where(c.tenant == self.tenant, c.name == name, c.revoke_time.is_(None))
            .values(revoke_time=revocation.time, revoker=revocation.revoker, revoke_reason=revocation.reason)
        )

    def put_decision(self, record: DecisionRecord) -> None:
        """Insert a decision."""
        self._insert(tables.decisions, decision_values(self.tenant, record, self._revision))

    def permit_redeemed(self, permit_id: str) -> bool:
        """Say whether a permit was used."""
        c = tables.permits.c
        rows = select(c.permit_id).where(c.tenant == self.tenant, c.permit_id == permit_id)
        return self._one(rows) is not None

    def put_permit(self, permit_id: str, principal: str) -> None:
        """Mark a permit as used."""
        used = {"permit_id": permit_id, "redeem_time": self.now, "principal": principal}
        self._insert(tables.permits, {"tenant": self.tenant, **used})

    def epoch(self) -> int:
        """Return the store's epoch."""
        return self._head.epoch

    def put_latch(self, content_digest: str, latch: Latch) -> None:
        """Insert a latch on these digests."""
        self._put(LATCHES, latch, key=content_digest)

    def clear_latches(self, content_digest: str) -> None:
        """Remove what latched on these digests; who said so and why is kept as an act."""
        c = tables.documents.c
        latched = delete(tables.documents).where(
            c.tenant == self.tenant, c.collection == LATCHES.name, c.key == content_digest
        )
        self._change(latched)

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
        if event.type in HAPPENINGS:
            self._mine.decided.add(self.tenant)
        self._insert(tables.feed_scopes, *(place | {"scope": one} for one in dict.fromkeys(event.scopes)))
        self._events += 1

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
        salt = new_salt()
        commitment = hmac.digest(salt, body, "sha256")
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

    def replay(self, principal: str, method: str, request_id: str) -> Replay | None:
        """Return what this request id was answered with within its time."""
        given = (self.tenant, principal, method, request_id)
        known = self._mine.answers.get(given) or self._before.answers.get(given)
        if known is not None:
            return known
        c = tables.idempotency.c
        # Answers that wait are known by their key: nothing has to be inserted first.
        row = self._database.execute(
            select(c.body_digest, c.answer).where(
                c.tenant == self.tenant,
                c.principal == principal,
                c.method == method,
                c.request_id == request_id,
                c.expire_time > self.now,
            )
        ).first()
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
        # An answer alone is no change that anybody else could see: it takes no revision.
        self._mine.pending.add(tables.idempotency, [row])
        self._mine.answers[self.tenant, principal, method, request_id] = replay

    def _same_observations(self, items: Sequence[EvidenceItem]) -> dict[object, EvidenceItem]:
        """Return what is stored of these observations, by identity."""
        named = {identity_of(item): item for item in items if item.external_id}
        waiting = (self._before.items, self._mine.items)
        known = {one: found[one] for found in waiting for one in named if one in found}
        unknown = [item for identity, item in named.items() if identity not in known]
        if not unknown:
            return known
        if self._found.items is None:
            return known | stored_observations(self._database, self.tenant, unknown)
        return known | {one: self._found.items[one] for one in named if one in self._found.items}

    def _insert(self, table: Table, *rows: Values) -> None:
        if rows:
            self._mine.pending.add(table, rows)
            self.touched = True

    def _change(self, statement: Update | Delete) -> None:
        """Change rows that are there, in the order in which the request says so."""
        self._flush()
        self._in_savepoint()
        self._database.execute(statement)
        self.touched = True
