"""What streams of decisions are about: what is watched, what happened, and how far a stream has come."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from release_passport_server.domain.access import Principal, Scope
from release_passport_server.domain.glob import matches

MOST_SUBSCRIPTIONS = 256


class Happening(StrEnum):
    """What happened to a decision, by its type in the feed; STOOD alone never stands there."""

    STOOD = "decision.stood"
    CHANGED = "decision.changed"
    RENEWED = "decision.renewed"
    EXPIRED = "decision.expired"


HAPPENINGS = frozenset(Happening)


@dataclass(frozen=True, slots=True)
class DecisionChange:
    """One change of a release's decision; `body` is the serialised Decision message."""

    happening: Happening
    revision: int
    index: int
    release: str
    service: str
    environment: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Mark:
    """A revision of one history: `check` is taken from what the revision says and is another in another history."""

    epoch: int
    revision: int
    check: bytes


@dataclass(frozen=True, slots=True)
class FeedPart:
    """The changes of decisions in a part of the feed, in order, with the mark of each revision that holds one.

    `end` is the last revision that the part covers.
    """

    changes: tuple[DecisionChange, ...]
    marks: dict[int, Mark]
    end: Mark


@dataclass(frozen=True, slots=True)
class Subscription:
    """One release, or those of the services and environments that the globs match."""

    release: str = ""
    service: str = "*"
    environment: str = "*"

    def covers(self, change: DecisionChange) -> bool:
        """Say whether a change is watched."""
        if self.release:
            return self.release == change.release
        return matches(self.service, change.service) and matches(self.environment, change.environment)


@dataclass(frozen=True, slots=True)
class Watched:
    """All that one stream watches."""

    subscriptions: tuple[Subscription, ...]

    @property
    def releases(self) -> frozenset[str]:
        """Return the releases that are named."""
        return frozenset(one.release for one in self.subscriptions if one.release)

    @property
    def places(self) -> tuple[Subscription, ...]:
        """Return what names no release."""
        return tuple(one for one in self.subscriptions if not one.release)

    def covers(self, change: DecisionChange) -> bool:
        """Say whether a change is watched."""
        return any(one.covers(change) for one in self.subscriptions)


class Farewell(StrEnum):
    """Why the server ends a stream."""

    DRAINING = "draining"
    REBALANCE = "rebalance"
    AUTH_EXPIRED = "auth-expired"


@dataclass(frozen=True, slots=True)
class WatchCommand:
    """What to watch; `resume` is None for a stream that begins anew, with a snapshot or with what comes."""

    principal: Principal
    watched: Watched
    resume: Mark | None = None
    snapshot: bool = True
    every: bool = False
    heartbeat_seconds: float = 15.0
    min_revision: int = 0
    client_id: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """One message of a stream; `mark` is where it goes on behind it, None while its snapshot is not complete."""

    revision: int
    mark: Mark | None
    change: DecisionChange | None = None
    # How many decisions the snapshot had, at its end.
    snapshot: int | None = None
    heartbeat: datetime | None = None
    farewell: Farewell | None = None
    reconnect_seconds: float = 0.0


def may_see(scopes: Iterable[Scope], change: DecisionChange) -> bool:
    """Say whether somebody who may read in these scopes may see a change."""
    return any(scope.covers(change.service, change.environment) for scope in scopes)
