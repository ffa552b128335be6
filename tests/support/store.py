"""Stores on both engines, values to put into them, and questions whose answers are easy to foresee."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from release_passport.v1 import evidence_pb2
from release_passport_server.adapters.sql.store import SQLStore
from release_passport_server.domain.canonical import canonical, digest
from release_passport_server.domain.catalog import Tenant
from release_passport_server.domain.evidence import EvidenceItem, Subject
from release_passport_server.domain.ids import ulid
from release_passport_server.domain.kind import SubjectType
from release_passport_server.domain.record import AuditEntry, DecisionRecord, FeedEvent
from release_passport_server.domain.release import Artifact, Attempt, Release, ReleaseIdentity
from release_passport_server.domain.verdict import Stage, Verdict
from release_passport_server.ports.judging import CaseKey, Conclusion, LoadedCase
from release_passport_server.ports.store import Transaction
from release_passport_server.wire.evidence import facts_digest

TENANT = "acme"
START = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
_numbers = itertools.count(1)


@dataclass(slots=True)
class SetClock:
    """A clock that tests move."""

    time: datetime = START

    def __call__(self) -> datetime:
        return self.time


def new_id(at: datetime = START) -> str:
    """Return a ULID that sorts after those that this process made before at the same time."""
    return ulid(at, (next(_numbers) << 40 | os.getpid()).to_bytes(10, "big"))


def sha(text: object) -> str:
    """Return a digest that stands for some content."""
    return "sha256:" + sha256(str(text).encode()).hexdigest()


@asynccontextmanager
async def opened(
    url: str, clock: Callable[[], datetime] | None = None, *, tenant: str = TENANT, **more: object
) -> AsyncIterator[SQLStore]:
    """Open a store with its schema, close it after."""
    store = SQLStore.open(url, clock or SetClock(), **more)  # type: ignore[arg-type]
    try:
        if not store.schema_usable():
            await asyncio.to_thread(store.migrate)
        yield store
    finally:
        await store.close()


def a_tenant(tenant_id: str = TENANT) -> Tenant:
    """Return a tenant."""
    return Tenant(tenant_id, tenant_id.title(), START)


def a_release(
    version: str = "1.0.0",
    *,
    service: str = "checkout",
    environment: str = "prod",
    content: str = "",
    tenant: str = TENANT,
) -> Release:
    """Return a release with one artifact; equal `content` means equal digests."""
    identity = ReleaseIdentity(
        service,
        environment,
        version,
        sha(version)[7:47],
        (Artifact("registry/app", sha(content or version)),),
        sha(f"manifest {content or version}"),
        {"pipeline": "7"},
    )
    name = f"tenants/{tenant}/services/{service}/environments/{environment}/releases/{version}"
    return Release(name, identity, "sa:ci", START)


def workload(service: str = "checkout", environment: str = "prod") -> Subject:
    """Return the subject of a service in an environment."""
    return Subject(SubjectType.WORKLOAD, f"{service}/{environment}")


def an_item(
    open_incidents: int = 0,
    *,
    subject: Subject | None = None,
    at: datetime = START,
    source: str = "connector:pager",
    tenant: str = TENANT,
    **more: object,
) -> EvidenceItem:
    """Return an observation of incidents; two with as many have the same facts."""
    facts = evidence_pb2.EvidenceFacts(
        incident_state=evidence_pb2.IncidentState(provider="pager", open_count=open_incidents)
    )
    made = EvidenceItem(
        name=f"tenants/{tenant}/evidence/{new_id(at)}",
        kind="incident_state",
        key="pager",
        subject=subject or workload(),
        source=source,
        facts=facts.incident_state,
        facts_digest=facts_digest(facts),
        observe_time=at,
        receive_time=at,
    )
    return replace(made, **more)  # type: ignore[arg-type]


def failing(item: EvidenceItem) -> bool:
    """Say whether an observation speaks against a release."""
    return item.facts.open_count > 0  # type: ignore[attr-defined, no-any-return]


def subjects_of(release: Release) -> tuple[Subject, ...]:
    """Return what evidence about a release may be about."""
    identity = release.identity
    return (
        *(Subject(SubjectType.ARTIFACT, artifact.digest) for artifact in identity.artifacts),
        Subject(SubjectType.RELEASE, release.name),
        workload(identity.service, identity.environment),
    )


def put_item(tx: Transaction, item: EvidenceItem) -> EvidenceItem:
    """Store an observation with the event that concerns its subject."""
    (stored,) = tx.put_evidence([item])
    scope = f"{item.subject.type.value}:{item.subject.value}"
    tx.emit(FeedEvent("evidence.submitted", stored.name, (scope,)))
    return stored


def put_release(tx: Transaction, release: Release) -> None:
    """Store a release with its event."""
    tx.put_release(release)
    tx.emit(FeedEvent("release.created", release.name, (f"release:{release.name}",)))


def decision(
    release: Release,
    verdict: Verdict,
    now: datetime,
    *,
    considered: int = 0,
    evidence: Sequence[str] = (),
    life: timedelta = timedelta(minutes=15),
) -> DecisionRecord:
    """Return a decision whose outcome is its verdict."""
    decision_id = new_id(now)
    return DecisionRecord(
        decision_id=decision_id,
        name=f"{release.name}/decisions/{decision_id}",
        release=release.name,
        service=release.identity.service,
        environment=release.identity.environment,
        stage=Stage.PRE_ROLLOUT,
        verdict=verdict,
        effective_verdict=verdict,
        outcome_digest=digest(canonical(verdict.name)),
        decide_time=now,
        valid_until=now + life,
        next_eligible_time=None,
        considered_revision=considered,
        body=verdict.name.encode(),
        case_body=canonical(sorted(evidence)),
        evidence=tuple(evidence),
    )


def _good(record: DecisionRecord, now: datetime) -> bool:
    return record.valid_until is not None and now < record.valid_until


# So long a test's answer stands without being looked at again.
SAME_FOR = timedelta(seconds=15)


@dataclass(slots=True)
class Question:
    """Allows a release unless some observation speaks against it."""

    release: Release
    request_id: str = ""
    body_digest: str = "sha256:" + "0" * 64
    principal: str = "sa:ci"
    tenant: str = TENANT
    items: tuple[EvidenceItem, ...] = ()
    creates: bool = False
    error: Exception | None = None
    seen: list[LoadedCase] = field(default_factory=list)

    @property
    def about(self) -> str:
        return self.release.name

    @property
    def writes(self) -> bool:
        return bool(self.items) or self.creates

    def prepare(self, tx: Transaction) -> CaseKey:
        """Store what came with the question."""
        identity = self.release.identity
        found = tx.find_release(identity.service, identity.environment, identity.version)
        if found is None and self.creates:
            put_release(tx, self.release)
        for item in self.items:
            put_item(tx, item)
        return CaseKey(found or self.release, subjects_of(self.release), self.release.name)

    def conclude(self, loaded: LoadedCase) -> Conclusion:
        """Block where something fails; the same verdict again stands."""
        self.seen.append(loaded)
        if self.error is not None:
            raise self.error
        verdict = Verdict.BLOCK if any(map(failing, loaded.evidence)) else Verdict.ALLOW
        standing = loaded.standing
        if standing is not None and standing.verdict is verdict and _good(standing, loaded.now):
            return Conclusion(None, standing, same_until=loaded.now + SAME_FOR)
        made = decision(
            self.release,
            verdict,
            loaded.now,
            considered=loaded.read_revision,
            evidence=[item.name for item in loaded.evidence],
        )
        scopes = (f"release:{made.release}", f"digests:{self.release.identity.content_digest}")
        event = FeedEvent("decision.changed", made.name, scopes)
        return Conclusion(
            made, made, events=(event,), audit=(AuditEntry(self.principal, "Evaluate", made.name, {}),)
        )

    def recall(self, standing: DecisionRecord, attempt: Attempt | None, now: datetime) -> bool:
        """Take what stands."""
        return True
