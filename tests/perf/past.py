"""The past of a store: releases with evidence, decisions and rollouts over a year, made out of one real release."""

from __future__ import annotations

import hashlib
import itertools
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, cast

from google.protobuf.json_format import MessageToDict
from sqlalchemy import Connection, Table

from perf.workload import ENVIRONMENT, SOURCE, Version
from release_passport_server.adapters.sql import tables
from release_passport_server.adapters.sql.asked import METHOD
from release_passport_server.adapters.sql.batch_state import Head, Written
from release_passport_server.adapters.sql.catalog import Catalogs
from release_passport_server.adapters.sql.codec import evidence_values, facts_body
from release_passport_server.adapters.sql.transaction import SQLTransaction
from release_passport_server.domain.canonical import canonical
from release_passport_server.domain.evidence import EvidenceItem, Subject
from release_passport_server.domain.ids import ulid
from release_passport_server.domain.record import AuditEntry, DecisionRecord, FeedEvent
from release_passport_server.domain.release import Artifact, Attempt, Latch, Release
from release_passport_server.domain.verdict import Verdict
from release_passport_server.ports.store import Replay
from release_passport_server.services.intake import scope_of
from release_passport_server.wire.evidence import facts_to_proto

SPAN = timedelta(days=365)
FIRST_SERVICE = 100
# All as long as the real ones, so that they can take their places in what is serialised.
OTHER_ENVIRONMENTS = ("test", "rare")
_ROUND = timedelta(minutes=10)
# Kinds that describe what runs, and are observed again and again.
_LIVE = ("incident_state", "feature_flag_state", "rollout_status", "runtime_health", "metric_sample")


def service_id(number: int) -> str:
    """Return the id of one of the services; all are as long."""
    return f"service-{FIRST_SERVICE + number}"


@dataclass(frozen=True, slots=True)
class Sample:
    """A release that a real server has decided about: what the others are copies of."""

    tenant: str
    version: Version
    release: Release
    items: tuple[EvidenceItem, ...]
    decision: DecisionRecord


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is."""

    decisions: int = 1_000_000
    evidence: int = 5_000_000
    services: int = 500
    tenants: int = 1

    @property
    def rounds(self) -> int:
        """Return how often each release was decided about."""
        return 4

    @property
    def releases(self) -> int:
        """Return how many releases there are."""
        return max(1, self.decisions // self.rounds)


@dataclass(frozen=True, slots=True)
class _Facts:
    """One kind's item, with its facts as bytes and as the text that its digest is over."""

    item: EvidenceItem
    body: bytes
    text: bytes


class Copies:
    """Makes the texts of another release out of those of the sample."""

    def __init__(self, sample: Sample) -> None:
        self._sample = sample
        self._old = _strings(sample.tenant, sample.version, ENVIRONMENT)
        self.kinds = [
            _Facts(item, facts_body(item), canonical(MessageToDict(facts_to_proto(item))))
            for item in sample.items
        ]

    def of(self, tenant: str, version: Version, environment: str) -> _Copy:
        """Return what turns the sample into a release of that name."""
        new = _strings(tenant, version, environment)
        if [len(one) for one in new] != [len(one) for one in self._old]:
            raise ValueError(f"{version} does not fit into the place of {self._sample.version}")
        pairs = tuple(zip(self._old, new, strict=True))
        return _Copy(pairs, tuple((old.encode(), made.encode()) for old, made in pairs))


@dataclass(frozen=True, slots=True)
class _Copy:
    texts: tuple[tuple[str, str], ...]
    binary: tuple[tuple[bytes, bytes], ...]

    def text(self, old: str) -> str:
        """Return a text with the other names in it."""
        for one, other in self.texts:
            old = old.replace(one, other)
        return old

    def body(self, old: bytes) -> bytes:
        """Return bytes with the other names in them."""
        for one, other in self.binary:
            old = old.replace(one, other)
        return old


def _strings(tenant: str, version: Version, environment: str) -> tuple[str, ...]:
    place = f"tenants/{tenant}/services/{version.service}/environments/{environment}"
    return (
        f"{place}/releases/{version.number}",
        f"{version.service}/{environment}",
        version.image.removeprefix("sha256:"),
        version.manifests.removeprefix("sha256:"),
        version.commit,
        version.commit[:10],
        version.commit[:8].upper(),
        version.service,
        version.number,
    )


@dataclass
class Past:
    """Tells a tenant's past, request by request, as the server would have recorded it."""

    sample: Sample
    size: Size
    end: datetime
    # Where each tenant stands before, and after.
    heads: dict[str, Head]
    _written: Written = field(default_factory=Written)
    _random: random.Random = field(default_factory=lambda: random.Random(7))
    _ids: Iterator[int] = field(default_factory=itertools.count)
    _seen: set[int] = field(default_factory=set)
    _decided: int = 0
    _observed: int = 0

    def __post_init__(self) -> None:
        self._copies = Copies(self.sample)
        self._catalogs = Catalogs()
        # What belongs to the sample is there already.
        for item in self.sample.items:
            row = evidence_values(self.sample.tenant, item, 0) | {"digest": item.facts_digest}
            for table in (tables.bodies, tables.series):
                list(self._unseen(table, [row]))
        self._live = [one for one in self._copies.kinds if one.item.kind in _LIVE]

    def parts(self, releases: int = 500) -> Iterator[Mapping[Table, Sequence[Mapping[str, Any]]]]:
        """Yield the rows of so many releases at a time, until the size is reached."""
        for first in range(0, self.size.releases, releases):
            for number in range(first, min(first + releases, self.size.releases)):
                self._release(number)
            yield self._taken()

    def _taken(self) -> Mapping[Table, Sequence[Mapping[str, Any]]]:
        rows = dict(self._written.pending._rows)
        self._written = Written()
        for table in (tables.bodies, tables.series):
            if table in rows:
                rows[table] = [dict(row) for row in self._unseen(table, rows[table])]
        return rows

    def _unseen(self, table: Table, rows: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
        keys = [column.name for column in table.primary_key]
        for row in rows:
            key = hash((table.name, *(row[name] for name in keys)))
            if key not in self._seen:
                self._seen.add(key)
                yield row

    def _release(self, number: int) -> None:
        tenant, size = tenant_id(number % self.size.tenants), self.size
        start = self.end - SPAN + SPAN * number / size.releases
        environment = ENVIRONMENT
        if number % 10 == 9:
            environment = OTHER_ENVIRONMENTS[number % 1000 == 999]
        version = Version(service_id(self._service(number)), f"1.{number:07d}.0")
        copy = self._copies.of(tenant, version, environment)
        release = _renamed(self.sample.release, copy, tenant, version, environment, start)
        with_tx = self._request(tenant, start)
        with_tx.put_release(release)
        with_tx.emit(FeedEvent("release.created", release.name, (f"release:{release.name}",)))
        with_tx.audit(
            AuditEntry(SOURCE, "CreateRelease", release.name, {"releaseDigest": release.identity.digest})
        )
        with_tx.settle()
        items: list[EvidenceItem] = []
        decisions: list[DecisionRecord] = []
        for turn in range(size.rounds):
            at = start + _ROUND * turn
            items += self._evidence(tenant, copy, at, first=turn == 0)
            decisions.append(self._decision(tenant, release, copy, items, at, last=turn == size.rounds - 1))
        self._rollout(tenant, number, release, decisions[-1])

    def _service(self, number: int) -> int:
        """Return which service a release is of: the first has one in twenty, the last next to none."""
        services = self.size.services
        if number % 20 == 0 or services < 3:
            return 0
        if number % 10_007 == 1:
            return services - 1
        return 1 + self._random.randrange(services - 2)

    def _evidence(self, tenant: str, copy: _Copy, at: datetime, *, first: bool) -> list[EvidenceItem]:
        """Submit everything at first, and later so much of what runs that the size is reached in the end."""
        self._decided += 1
        owed = int(self.size.evidence * self._decided / max(1, self.size.releases * self.size.rounds))
        more = max(0, owed - self._observed)
        chosen = self._copies.kinds if first else itertools.islice(itertools.cycle(self._live), more)
        made = []
        tx = self._request(tenant, at)
        for number, facts in enumerate(chosen):
            seen = at - timedelta(seconds=90 - number)
            made.append(self._item(tx, facts, copy, tenant, seen))
        self._observed += len(made)
        if made:
            scopes = tuple(dict.fromkeys(scope_of(item.subject) for item in made))
            tx.emit(FeedEvent("evidence.submitted", made[0].name, scopes))
            tx.audit(AuditEntry(SOURCE, "Evaluate", made[0].name, {"items": [item.name for item in made]}))
        tx.settle()
        return made

    def _item(
        self, tx: SQLTransaction, facts: _Facts, copy: _Copy, tenant: str, at: datetime
    ) -> EvidenceItem:
        old = facts.item
        item = replace(
            old,
            name=f"tenants/{tenant}/evidence/{self._ulid(tx.now)}",
            subject=Subject(old.subject.type, copy.text(old.subject.value)),
            facts_digest="sha256:" + hashlib.sha256(copy.body(facts.text)).hexdigest(),
            key=copy.text(old.key),
            observe_time=at,
            receive_time=tx.now,
            external_id=f"{self._random.getrandbits(128):032x}",
        )
        row = evidence_values(tenant, item, tx.revision() + 1)
        body = {"tenant": tenant, "digest": item.facts_digest, "body": copy.body(facts.body)}
        tx._insert(tables.bodies, body)
        tx._insert(tables.evidence, row)
        tx._insert(tables.series, {column.name: row[column.name] for column in tables.series.c})
        return item

    def _decision(
        self,
        tenant: str,
        release: Release,
        copy: _Copy,
        items: Sequence[EvidenceItem],
        at: datetime,
        *,
        last: bool,
    ) -> DecisionRecord:
        tx = self._request(tenant, at + timedelta(seconds=1))
        identifier = self._ulid(tx.now)
        old = self.sample.decision
        newest = {item.kind: item for item in items}
        pairs = [(was.name[-26:], newest[was.kind].name[-26:]) for was in self.sample.items]
        pairs += [(was.facts_digest, newest[was.kind].facts_digest) for was in self.sample.items]
        pairs.append((old.decision_id, identifier))
        changed = replace(copy, binary=(*copy.binary, *((a.encode(), b.encode()) for a, b in pairs)))
        verdict = self._verdict() if last else Verdict.HOLD
        record = replace(
            old,
            decision_id=identifier,
            name=f"{release.name}/decisions/{identifier}",
            release=release.name,
            service=release.identity.service,
            environment=release.identity.environment,
            verdict=verdict,
            effective_verdict=verdict,
            outcome_digest="sha256:" + hashlib.sha256(f"{release.name} {verdict}".encode()).hexdigest(),
            decide_time=tx.now,
            valid_until=tx.now + timedelta(minutes=15),
            considered_revision=tx.revision(),
            body=changed.body(old.body),
            case_body=changed.body(old.case_body),
            revision=tx.revision() + 1,
            evidence=tuple(item.name for item in newest.values()),
        )
        tx.put_decision(record)
        scopes = (f"release:{release.name}", f"digests:{release.identity.content_digest}")
        shown: dict[str, object] = {"verdict": verdict.name, "effectiveVerdict": verdict.name}
        tx.emit(FeedEvent("decision.changed", record.name, scopes, shown))
        detail = shown | {"outcomeDigest": record.outcome_digest, "bodyDigest": record.outcome_digest}
        tx.audit(AuditEntry(SOURCE, "Evaluate", record.name, detail))
        if tx.now > self.end - timedelta(days=1):
            digest = record.outcome_digest
            tx.remember(SOURCE, METHOD, f"gate-{identifier}", Replay(digest, record.name.encode()))
        tx.settle()
        return record

    def _verdict(self) -> Verdict:
        drawn = self._random.random()
        if drawn < 0.0001:
            return Verdict.ROLLBACK_RECOMMENDED
        if drawn < 0.05:
            return Verdict.BLOCK
        return Verdict.ALLOW if drawn < 0.8 else Verdict.ALLOW_WITH_CANARY

    def _rollout(self, tenant: str, number: int, release: Release, ground: DecisionRecord) -> None:
        """Roll out every second release; a few come out badly, and are latched."""
        if number % 2:
            return
        tx = self._request(tenant, ground.decide_time + _ROUND)
        passed = number % 40 != 0
        attempt = Attempt(
            f"{release.name}/attempts/1",
            1,
            ground.name,
            ground.decide_time + timedelta(minutes=1),
            SOURCE,
            tx.now,
            "PASSED" if passed else "ROLLED_BACK",
            "" if passed else "the canary was bad",
        )
        tx.put_attempt(release, attempt)
        tx.emit(FeedEvent("FinishRollout", attempt.name, (f"digests:{release.identity.content_digest}",)))
        tx.audit(AuditEntry(SOURCE, "FinishRollout", attempt.name, {"outcome": attempt.outcome}))
        if not passed:
            latch = Latch(
                self._ulid(tx.now), "runtime", "latency-is-good", ground.name, attempt.name, True,
                "ROLLBACK_RECOMMENDED", tx.now,
            )  # fmt: skip
            tx.put_latch(release.identity.content_digest, latch)
        tx.settle()

    def _request(self, tenant: str, now: datetime) -> SQLTransaction:
        head = self.heads[tenant]
        nowhere = cast("Connection", None)
        return SQLTransaction(
            nowhere, tenant, self._catalogs, head, now=now, catalog_revision=0, written=self._written
        )

    def _ulid(self, now: datetime) -> str:
        return ulid(now, (next(self._ids) << 32 | self._random.getrandbits(32)).to_bytes(10, "big"))


def tenant_id(number: int) -> str:
    """Return the id of one of the tenants; all are as long."""
    return "default" if number == 0 else f"t{number:06d}"


def _renamed(
    old: Release, copy: _Copy, tenant: str, version: Version, environment: str, at: datetime
) -> Release:
    identity = replace(
        old.identity,
        service=version.service,
        environment=environment,
        version=version.number,
        source_revision=version.commit,
        manifest_digest=version.manifests,
        artifacts=(Artifact(copy.text(old.identity.artifacts[0].name), version.image),),
    )
    name = f"tenants/{tenant}/services/{version.service}/environments/{environment}/releases/{version.number}"
    return Release(name, identity, SOURCE, at)
