"""What services need of the store. Every reader and transaction belongs to one tenant from the start."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar

from release_passport_server.domain.access import Scope
from release_passport_server.domain.catalog import (
    APIToken,
    Ban,
    Environment,
    ObserveOnlyBinding,
    PolicyDocument,
    RoleBinding,
    Service,
    Tenant,
)
from release_passport_server.domain.evidence import EvidenceItem, Revocation, Subject
from release_passport_server.domain.gate import Gate
from release_passport_server.domain.job import DeadJob
from release_passport_server.domain.record import (
    AuditEntry,
    DecisionRecord,
    FeedEvent,
    Listed,
    LoggedEntry,
    Page,
)
from release_passport_server.domain.release import Attempt, Latch, Release
from release_passport_server.domain.trust import TrustRevision
from release_passport_server.domain.verdict import Verdict
from release_passport_server.ports.feed import FeedReader
from release_passport_server.ports.judging import CaseKey, Judged, Judgement, LoadedCase
from release_passport_server.ports.leases import Scheduling
from release_passport_server.ports.notices import NoticeReader, NoticeWriter
from release_passport_server.ports.people import ActReader, ActWriter

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
class AuditFilter:
    """Which entries of the audit log to list; `to_time` itself is left out."""

    subject: str = ""
    from_time: datetime | None = None
    to_time: datetime | None = None
    from_leaf: int = 0


@dataclass(frozen=True, slots=True)
class Replay:
    """A request that was answered before: what was asked then, and the answer."""

    body_digest: str
    answer: bytes


class Reader(ActReader, FeedReader, NoticeReader, Protocol):
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

    def open_attempts(self, service: str = "", environment: str = "") -> tuple[Attempt, ...]:
        """Return every attempt of any release there that has no outcome; empty means everywhere."""
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

    def evidence_bundles(self, names: Sequence[str]) -> Mapping[str, bytes]:
        """Return the envelopes of items by the items' names; what has none or was purged is absent."""
        ...

    def evidence_about(self, subjects: Sequence[Subject]) -> tuple[EvidenceItem, ...]:
        """Return every item about any of the subjects (at most 256 for each kind, key, source), oldest first."""
        ...

    def load_case(self, key: CaseKey, now: datetime) -> LoadedCase:
        """Return everything that a question about a release needs, as `judge` would load it."""
        ...

    def dead_jobs(self, page: Page) -> Listed[DeadJob]:
        """Return the jobs that are not tried again until somebody says so, by kind and key."""
        ...

    def latches(self, content_digest: str) -> tuple[Latch, ...]:
        """Return the standing latches of these digests, of which service and environment are part; of all for none."""
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

    def list_observe_only(
        self, page: Page, *, scopes: Sequence[Scope] | None = None
    ) -> Listed[ObserveOnlyBinding]:
        """Return bindings, newest first, ended ones included; those for places inside the scopes."""
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

    def tokens_of(self, principal: str) -> tuple[APIToken, ...]:
        """Return every token of a principal, revoked and expired ones too."""
        ...

    def find_ban(self, ban_id: str) -> Ban | None: ...

    def bans_of(self, principal: str) -> tuple[Ban, ...]:
        """Return every ban of a principal, ended ones too."""
        ...

    def list_bans(self, principal: str, page: Page) -> Listed[Ban]:
        """Return bans, newest first; an empty principal means all."""
        ...

    def find_tenant(self) -> Tenant | None: ...

    def leaf_count(self) -> int:
        """Return how many entries the audit log has."""
        ...

    def list_audit(self, wanted: AuditFilter, page: Page) -> Listed[LoggedEntry]:
        """Return entries by leaf, oldest first; a part can be short, and the key alone says where the end is."""
        ...

    def audited_at(self, revisions: Sequence[int]) -> tuple[LoggedEntry, ...]:
        """Return the entries that were written at these revisions, by leaf."""
        ...

    def find_trust(self, revision: int = 0) -> TrustRevision | None:
        """Return one revision of what the tenant trusts; 0 means the newest."""
        ...

    def list_trust(self, page: Page) -> Listed[TrustRevision]:
        """Return revisions of what the tenant trusts, newest first, without the roots' contents."""
        ...


class Transaction(Reader, ActWriter, NoticeWriter, Scheduling, Protocol):
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

    def put_verification(self, item: EvidenceItem) -> None:
        """Replace what came of verifying a stored item's envelope, and the facts that are proven by it."""
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
    def clear_latches(self, content_digest: str) -> None: ...

    def put_service(self, service: Service) -> None: ...

    def put_environment(self, environment: Environment) -> None: ...

    def put_observe_only(self, binding: ObserveOnlyBinding) -> None: ...

    def put_policy(self, policy: PolicyDocument) -> None:
        """Insert a new revision and make it the newest."""
        ...

    def put_role_binding(self, binding: RoleBinding) -> None: ...

    def delete_role_binding(self, binding_id: str) -> None: ...

    def put_token(self, token: APIToken) -> None: ...

    def put_ban(self, ban: Ban) -> None: ...

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

    async def revisions(self, tenants: Collection[str]) -> Mapping[str, int]:
        """Return the head revision of each of these tenants that has one."""
        ...

    async def trim_feed(self, tenant: str, window: timedelta) -> None:
        """Remove what is older than the window from a tenant's feed; its newest revision stays."""
        ...

    def on_decided(self, told: Callable[[Collection[str]], None]) -> None:
        """Have it told, from another thread, for which tenants this process has just committed changes of decisions."""
        ...

    async def find_gate(self, gate_id: str) -> tuple[str, Gate] | None:
        """Return a gate and the tenant that it belongs to: its controller knows nothing but the gate's id."""
        ...

    async def ready(self) -> None:
        """Return when the store answers; raise Unavailable when it does not."""
        ...
