"""What a batch knows besides what is in the database."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from release_passport_server.adapters.sql.pending import Pending
from release_passport_server.adapters.sql.waking import Waking
from release_passport_server.domain.evidence import EvidenceItem
from release_passport_server.domain.release import Attempt, Release
from release_passport_server.ports.store import Replay


@dataclass(slots=True)
class Head:
    """A tenant's head as the batch moves it on."""

    revision: int = 0
    last_decide_time: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    leaf_count: int = 0
    access_generation: int = 0
    catalog_revision: int = 0
    epoch: int = 1


@dataclass(slots=True)
class Written:
    """What the requests of a batch have written so far: rows that wait, and what is looked up by key among them."""

    pending: Pending = field(default_factory=Pending)
    answers: dict[object, Replay] = field(default_factory=dict)
    items: dict[object, EvidenceItem] = field(default_factory=dict)
    # The names of releases that were not there before.
    releases: set[str] = field(default_factory=set)
    waking: Waking = field(default_factory=Waking)
    # Tenants of whose decisions one was changed.
    decided: set[str] = field(default_factory=set)

    def take(self, other: Written) -> None:
        """Take over what one request has written."""
        self.pending.take(other.pending)
        self.answers |= other.answers
        self.items |= other.items
        self.releases |= other.releases
        self.waking.take(other.waking)
        self.decided |= other.decided


@dataclass(frozen=True, slots=True)
class Found:
    """What was read for the questions of a batch at once; a release without what is computed of others."""

    releases: dict[str, Release | None] = field(default_factory=dict)
    attempts: dict[str, tuple[Attempt, ...]] = field(default_factory=dict)
    # Items by what makes a submission the same one; None where they were not looked up.
    items: dict[object, EvidenceItem] | None = None
