"""What the store keeps of a decision, and what goes out on the feed and into the audit log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from release_passport_server.domain.case import Case
from release_passport_server.domain.outcome import Outcome
from release_passport_server.domain.verdict import Stage, Verdict

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class DecisionRecord:
    """One recorded decision.

    `body` is the serialised Decision message and `case_body` the canonical JSON of its case, both byte for
    byte as they were written; the digests are over these bytes.
    """

    decision_id: str
    name: str
    release: str
    service: str
    environment: str
    stage: Stage
    verdict: Verdict
    effective_verdict: Verdict
    outcome_digest: str
    decide_time: datetime
    valid_until: datetime | None
    next_eligible_time: datetime | None
    considered_revision: int
    body: bytes
    case_body: bytes
    revision: int = 0
    # Names of the evidence that the findings used, and of the acts that it rests on.
    evidence: tuple[str, ...] = ()
    # The signed decision and, for a clean ALLOW, the signed verification summary: DSSE envelopes.
    envelope: bytes = b""
    summary: bytes = b""


@dataclass(frozen=True, slots=True)
class DecisionDraft:
    """What deciding a case came to, before it is recorded; a simulation has no name."""

    case: Case
    outcome: Outcome
    now: datetime
    engine_version: str
    case_digest: str
    considered_revision: int
    name: str = ""
    supersedes: str = ""
    renews: bool = False


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a replay needs of a recorded Decision message."""

    supersedes: str
    renews: bool
    case_digest: str
    outcome_digest: str
    engine_version: str
    semantics_version: int


@dataclass(frozen=True, slots=True)
class FeedEvent:
    """One change, as streams will see it and as later decisions check for it.

    `scopes` name what the change touches: `release:{name}`, `artifact:{digest}`, `source:{revision}`,
    `manifest:{digest}`, `attempt:{name}`, `workload:{service}/{environment}`, `digests:{content digest}`,
    or `tenant` for what can concern every release (policies, catalogue, grants).
    """

    type: str
    subject: str
    scopes: tuple[str, ...]
    body: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what to what, with which outcome; `detail` holds no evidence bodies and no secrets."""

    principal: str
    action: str
    subject: str
    detail: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class LoggedEntry:
    """An entry as the audit log keeps it; `body` and `salt` are None once they were purged."""

    leaf_index: int
    revision: int
    principal: str
    action: str
    subject: str
    time: datetime
    body: bytes | None
    salt: bytes | None
    leaf: bytes


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is wanted: at most `size` items after the key `after`."""

    size: int
    after: str = ""


@dataclass(frozen=True, slots=True)
class Listed(Generic[T]):
    """A part of a list, and the key to go on after; an empty key means the end."""

    items: tuple[T, ...]
    next_after: str = ""
