"""What services need of the store. Every reader and transaction belongs to one tenant from the start."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from release_passport_server.domain.access import Scope
from release_passport_server.domain.catalog import (
    APIToken,
    Environment,
    ObserveOnlyBinding,
    PolicyDocument,
    RoleBinding,
    Service,
    Tenant,
)
from release_passport_server.domain.evidence import EvidenceItem, Revocation, Subject
from release_passport_server.domain.job import Timer
from release_passport_server.domain.record import AuditEntry, DecisionRecord, FeedEvent, Listed, Page
from release_passport_server.domain.release import Attempt, Latch, Release
from release_passport_server.domain.trust import Trust, TrustRevision
from release_passport_server.domain.verdict import Verdict
from release_passport_server.ports.leases import Scheduling

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ReleaseFilter:
    """Which releases to list; `scopes` is what the asker may see."""

    scopes: tuple[Scope, ...]
    service: str = ""
    environment: str = ""
    artifact_digest: str = ""


@dataclass(frozen=True, slots=True)
class DecisionFilter:
    """Which decisions to list; `scopes` is what the asker may see."""

    scopes: tuple[Scope, ...]
    release: str = ""
    service: str = ""
    environment: str = ""
    effective_verdict: Verdict | None = None


@dataclass(frozen=True, slots=True)
class EvidenceFilter:
    """Which evidence to list; any of `subjects` will do, none means all."""

    kind: str = ""
    source: str = ""
    subjects: tuple[Subject, ...] = ()


@dataclass(frozen=True, slots=True)
class Replay:
    """A request that was answered before: what was asked then, and the answer."""

    body_digest: str
    answer: bytes


class Reader(Protocol):
    """Reads one tenant's data in one consistent snapshot. Methods block; they run off the event loop."""

    tenant: str

    def revision(self) -> int:
        """Return the tenant's head revision."""
        ...

    def find_release(self, service: str, environment: str, version: str) -> Release | None: ...

    def list_releases(self, wanted: ReleaseFilter, page: Page) -> Listed[Release]:
        """Return releases, newest first."""
        ...

    def attempts(self, release: str) -> tuple[Attempt, ...]:
        """Return the attempts of a release, oldest first."""
        ...

    def find_attempt(self, name: str) -> Attempt | None: ...

    def open_attempts(self, service: str, environment: str) -> tuple[Attempt, ...]:
        """Return every attempt of any release there that has no outcome."""
        ...

    def find_decision(self, name: str) -> DecisionRecord | None: ...

    def newest_decision(self, release: str) -> DecisionRecord | None: ...

    def list_decisions(self, wanted: DecisionFilter, page: Page) -> Listed[DecisionRecord]:
        """Return decisions, newest first."""
        ...

    def find_evidence(self, name: str) -> EvidenceItem | None: ...

    def list_evidence(self, wanted: EvidenceFilter, page: Page) -> Listed[EvidenceItem]:
        """Return items, newest first."""
        ...

    def evidence_bodies(self, digests: Sequence[str]) -> Mapping[str, bytes]:
        """Return the stored facts by digest; what was purged is absent."""
        ...

    def evidence_about(self, subjects: Sequence[Subject]) -> tuple[EvidenceItem, ...]:
        """Return every item about any of the subjects (at most 256 for each kind, key, source), oldest first."""
        ...

    def load_case(self, key: CaseKey, now: datetime) -> LoadedCase:
        """Return everything that a question about a release needs, as `judge` would load it."""
        ...

    def latches(self, content_digest: str) -> tuple[Latch, ...]:
        """Return the standing latches of these digests (service and environment are part of the digest)."""
        ...

    def find_service(self, service_id: str) -> Service | None: ...

    def list_services(self, page: Page) -> Listed[Service]:
        """Return services by id."""
        ...

    def find_environment(self, environment_id: str) -> Environment | None: ...

    def list_environments(self, page: Page) -> Listed[Environment]:
        """Return environments by id."""
        ...

    def observe_only(self, service: str, environment: str, now: datetime) -> ObserveOnlyBinding | None:
        """Return the binding that is in force there, if any."""
        ...

    def find_observe_only(self, binding_id: str) -> ObserveOnlyBinding | None: ...

    def list_observe_only(self, page: Page) -> Listed[ObserveOnlyBinding]:
        """Return bindings, newest first, ended ones included."""
        ...

    def find_policy(self, policy_id: str) -> PolicyDocument | None:
        """Return the newest revision, deleted or not."""
        ...

    def list_policies(self, page: Page, *, deleted: bool = False) -> Listed[PolicyDocument]:
        """Return newest revisions by id."""
        ...

    def active_policies(self) -> tuple[PolicyDocument, ...]:
        """Return every policy that is not deleted, by id."""
        ...

    def policy_revision(self, policy_id: str, revision: int) -> PolicyDocument | None: ...

    def list_policy_revisions(self, policy_id: str, page: Page) -> Listed[PolicyDocument]:
        """Return revisions, newest first."""
        ...

    def find_role_binding(self, binding_id: str) -> RoleBinding | None: ...

    def list_role_bindings(self, principal: str, page: Page) -> Listed[RoleBinding]:
        """Return bindings, newest first; an empty principal means all."""
        ...

    def all_role_bindings(self) -> tuple[RoleBinding, ...]: ...

    def access_generation(self) -> int:
        """Return a number that grows with every change of tokens, grants or the tenant's state."""
        ...

    def find_token(self, token_id: str) -> APIToken | None: ...

    def list_tokens(self, page: Page) -> Listed[APIToken]:
        """Return tokens, newest first."""
        ...

    def find_tenant(self) -> Tenant | None: ...

    def find_trust(self, revision: int = 0) -> TrustRevision | None:
        """Return one revision of what the tenant trusts; 0 means the newest."""
        ...

    def list_trust(self, page: Page) -> Listed[TrustRevision]:
        """Return revisions of what the tenant trusts, newest first, without the roots' contents."""
        ...


class Transaction(Reader, Scheduling, Protocol):
    """Changes one tenant's data. All that is put is committed together with its events, or not at all.

    A transaction holds the tenant's head from its start, so that nothing changes beside it.
    """

    now: datetime

    def put_release(self, release: Release) -> None: ...

    def put_attempt(self, release: Release, attempt: Attempt) -> None:
        """Insert an attempt, or replace the open one of that name when it ends."""
        ...

    def put_evidence(self, items: Sequence[EvidenceItem]) -> tuple[EvidenceItem, ...]:
        """Insert items; the same facts with the same source, external id and time are the stored item."""
        ...

    def revoke_evidence(self, name: str, revocation: Revocation) -> None: ...

    def put_decision(self, record: DecisionRecord) -> None: ...

    def permit_redeemed(self, permit_id: str) -> bool:
        """Say whether a permit was used."""
        ...

    def put_permit(self, permit_id: str, principal: str) -> None:
        """Mark a permit as used."""
        ...

    def epoch(self) -> int:
        """Return the store's epoch: it grows when the store is put back to an earlier state."""
        ...

    def put_latch(self, content_digest: str, latch: Latch) -> None: ...

    def put_service(self, service: Service) -> None: ...

    def put_environment(self, environment: Environment) -> None: ...

    def put_observe_only(self, binding: ObserveOnlyBinding) -> None: ...

    def put_policy(self, policy: PolicyDocument) -> None:
        """Insert a new revision and make it the newest."""
        ...

    def put_role_binding(self, binding: RoleBinding) -> None: ...

    def delete_role_binding(self, binding_id: str) -> None: ...

    def put_token(self, token: APIToken) -> None: ...

    def put_tenant(self, tenant: Tenant) -> None: ...

    def put_trust(self, revision: TrustRevision) -> None:
        """Insert a revision of what the tenant trusts."""
        ...

    def emit(self, event: FeedEvent) -> None:
        """Add an event to the feed under this request's revision."""
        ...

    def audit(self, entry: AuditEntry) -> None:
        """Add an entry to the audit log under this request's revision."""
        ...

    def replay(self, principal: str, method: str, request_id: str) -> Replay | None:
        """Return what this request id was answered with within its time."""
        ...

    def remember(self, principal: str, method: str, request_id: str, replay: Replay) -> None:
        """Keep the answer to a request id for 24 hours."""
        ...


@dataclass(frozen=True, slots=True)
class Written(Generic[T]):
    """What a write returned, and the revision that it was committed at (the head's when nothing was emitted)."""

    value: T
    revision: int


class Judgement(Protocol):
    """One question to be decided inside the store's transaction.

    The store calls `prepare` (which may write inline evidence or a new release), gathers the subjects of all
    questions of a batch, loads their cases with one query each kind, and calls `conclude`.
    """

    @property
    def tenant(self) -> str: ...

    @property
    def about(self) -> str:
        """Return the name of the release in question, so that the releases of a batch are read at once."""
        ...

    @property
    def principal(self) -> str: ...

    @property
    def request_id(self) -> str: ...

    @property
    def body_digest(self) -> str: ...

    @property
    def writes(self) -> bool:
        """Say whether `prepare` will write."""
        ...

    @property
    def items(self) -> Sequence[EvidenceItem]:
        """Return the evidence that `prepare` will store, so that what is there of it already is read at once."""
        ...

    def prepare(self, tx: Transaction) -> CaseKey: ...

    def conclude(self, loaded: LoadedCase) -> Conclusion: ...


@dataclass(frozen=True, slots=True)
class CaseKey:
    """What a question is about: enough for the store to load its case.

    Of a kind whose rules look at the newest observation alone, only that one is loaded; `every_history` loads
    the whole series, as policies that are only supposed may look back on anything.
    """

    release: Release
    subjects: tuple[Subject, ...]
    attempt_of: str
    every_history: bool = False


@dataclass(frozen=True, slots=True)
class LoadedCase:
    """Everything that a question needs, read in the transaction that will record the answer.

    `standing` and `ground` come without their `case_body`, which only a replay reads. `read_revision` is the
    revision that everything up to was considered.
    """

    release: Release
    service: Service | None
    environment: Environment | None
    observe_only: ObserveOnlyBinding | None
    attempt: Attempt | None
    previous_attempts: tuple[Attempt, ...]
    ground: DecisionRecord | None
    ground_withdrawn: tuple[str, ...]
    standing: DecisionRecord | None
    policies: tuple[PolicyDocument, ...]
    evidence: tuple[EvidenceItem, ...]
    latches: tuple[Latch, ...]
    rollback_target: str
    read_revision: int
    now: datetime
    # What the tenant trusts now, without the roots' contents.
    trust: Trust = Trust()


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What to record; `record` is None where the standing decision stands."""

    record: DecisionRecord | None
    answer: DecisionRecord
    latches: tuple[Latch, ...] = ()
    events: tuple[FeedEvent, ...] = ()
    audit: tuple[AuditEntry, ...] = ()
    # What is to be done later because of the record; goes with one.
    timers: tuple[Timer, ...] = ()


@dataclass(frozen=True, slots=True)
class Judged:
    """The decision that stands after a question was answered."""

    record: DecisionRecord
    revision: int
    replayed: bool
    standing: bool
    epoch: int = 1


class Store(Protocol):
    """The durable record. Nothing returns before what it says is committed."""

    async def read(self, tenant: str, act: Callable[[Reader], T]) -> T:
        """Run `act` on a snapshot."""
        ...

    async def write(self, tenant: str, act: Callable[[Transaction], T]) -> Written[T]:
        """Run `act` in a transaction that it shares with other writers; its errors undo it alone."""
        ...

    async def judge(self, question: Judgement) -> Judged:
        """Decide and record one question, gathered with the others that wait."""
        ...

    async def list_tenants(self, page: Page) -> Listed[Tenant]:
        """Return tenants by id."""
        ...

    async def tenant_of_token(self, token_id: str) -> str | None:
        """Return the tenant that a token belongs to; the one question that cannot name a tenant first."""
        ...

    async def ready(self) -> None:
        """Return when the store answers; raise Unavailable when it does not."""
        ...
