"""What services need of the contract's messages, whose form is not the domain's business."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from release_passport_server.domain.bypass import Running
from release_passport_server.domain.evidence import EvidenceItem
from release_passport_server.domain.record import DecisionDraft, Recorded
from release_passport_server.domain.release import Attempt, Place, Release
from release_passport_server.domain.verdict import Stage
from release_passport_server.domain.watch_window import Look, Signal


@dataclass(frozen=True, slots=True)
class Limits:
    """How far a recorded decision goes: the weight and steps of its canary, what weakens it, and its mode."""

    max_weight: int
    steps: tuple[int, ...]
    weakenings: tuple[str, ...]
    dev: bool
    # How long its rollout is watched, and why it does not simply let it go.
    watched: timedelta = timedelta(0)
    reasons: tuple[str, ...] = ()
    # It goes because it restores what passed there before.
    restores: bool = False
    # No rule looks at the rollout while it is under way.
    unwatched: bool = False
    # Rules without whose signal the window cannot pass, and what they say.
    required_rules: tuple[str, ...] = ()
    signals: tuple[Signal, ...] = ()


class Messages(Protocol):
    """Makes and reads messages."""

    def decision_body(self, draft: DecisionDraft) -> bytes:
        """Return the bytes of the Decision message to record."""
        ...

    def limits(self, body: bytes) -> Limits:
        """Return how far the decision of recorded bytes goes."""
        ...

    def rollback_target(self, body: bytes) -> str:
        """Return the release that the decision of recorded bytes says to go back to; empty where there is none."""
        ...

    def held(self, body: bytes) -> tuple[str, datetime | None]:
        """Return whose rollout the decision of recorded bytes is about, and since when it said to hold before that."""
        ...

    def look(self, item: EvidenceItem, digests: frozenset[str] = frozenset()) -> Look | None:
        """Return how far a `rollout_status` shows these digests exposed; without any, its new revision."""
        ...

    def running(self, item: EvidenceItem) -> Running | None:
        """Return what a look at a rollout says of the images that take traffic; None where it says nothing of them."""
        ...

    def new_images(self, item: EvidenceItem) -> frozenset[str]:
        """Return the digests of the new revision's images as a `rollout_status` shows them; none where it does not."""
        ...

    def silence_time(self, item: EvidenceItem) -> datetime | None:
        """Return when the newest silence was made that hides an alert, as an `incident_state` says; None without."""
        ...

    def recorded(self, body: bytes) -> Recorded:
        """Return what a replay needs of recorded bytes; raise ValueError for bytes that are no decision."""
        ...

    def release_facts(self, release: Release, place: Place, stage: Stage) -> object:
        """Return what expressions see of a release."""
        ...

    def attempt_facts(self, attempt: Attempt, previous_outcome: str) -> object:
        """Return what expressions see of an attempt."""
        ...

    def facts(self, body: bytes, digest: str) -> object:
        """Return an item's facts from the stored bytes; raise ValueError where they do not fit their digest."""
        ...

    def described(self, kind: str, facts: object) -> tuple[str, str]:
        """Return the key within the kind, and the digest, of facts that the server derived."""
        ...

    def builder(self, kind: str, facts: object) -> str:
        """Return the builder that derived facts name; empty for other kinds than provenance."""
        ...

    def fingerprint(self, kind: str, key: str, facts: object) -> str:
        """Return what tells facts of a kind from others that would be another finding: identities, not values."""
        ...

    def rollout_outcome(self, release: Release, attempt: Attempt, now: datetime) -> tuple[object, str]:
        """Return the facts that tell how a rollout ended, and their digest."""
        ...
