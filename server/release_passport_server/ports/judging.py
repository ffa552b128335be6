"""What it takes to decide a question inside the store's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from release_passport_server.domain.acts import NO_ACTS, Acts
from release_passport_server.domain.catalog import Environment, ObserveOnlyBinding, PolicyDocument, Service
from release_passport_server.domain.evidence import EvidenceItem, Subject
from release_passport_server.domain.job import Timer
from release_passport_server.domain.record import AuditEntry, DecisionRecord, FeedEvent
from release_passport_server.domain.release import Attempt, Latch, Release
from release_passport_server.domain.trust import NO_TRUST, Trust

if TYPE_CHECKING:
    from release_passport_server.ports.store import Transaction


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

    def recall(self, standing: DecisionRecord, attempt: Attempt | None, now: datetime) -> bool:
        """Say whether a decision that was concluded before, and stands, answers this question as well."""
        ...


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
    trust: Trust = NO_TRUST
    # What people recorded about the release, its place and the whole tenant.
    acts: Acts = NO_ACTS
    # The policies that judge the open attempt; None where those of now do.
    kept_policies: tuple[PolicyDocument, ...] | None = None


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
    # When deciding again could come to something else.
    times: tuple[datetime | None, ...] = ()
    # Until when the same case comes to the same standing decision; None where that cannot be told.
    same_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """The decision that stands after a question was answered."""

    record: DecisionRecord
    revision: int
    replayed: bool
    standing: bool
    epoch: int = 1
