"""The time in which a rollout is watched: armed when it begins, open from the first exposure, and it always ends."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from release_passport_server.domain.evidence import EvidenceItem
from release_passport_server.domain.ids import AttemptName, parts, template
from release_passport_server.domain.job import Timer
from release_passport_server.domain.kind import kind_named
from release_passport_server.domain.outcome import Reason
from release_passport_server.domain.release import Attempt, Latch
from release_passport_server.domain.verdict import Verdict

# Ending a window that nobody has ended; the key is the attempt's name.
EXPIRE_WINDOW = "expire-window"
# A window ends by itself after so many times its duration, so that a canary is never left with nobody watching it.
ENDS_AFTER = 3
EXPIRED = "EXPIRED_WITHOUT_DATA"
SUPERSEDED = "SUPERSEDED"

_FORM = "tenants/{tenant}/services/{service}/environments/{environment}/releases/{version}"
_WINDOW = template(f"{_FORM}/attempts/{{number}}/watchWindow")


class WindowState(StrEnum):
    """Where a window stands; the last ones are how its rollout ended."""

    ARMED = "ARMED"
    OPEN = "OPEN"
    LATCHED = "LATCHED"
    PASSED = "PASSED"
    ROLLED_BACK = "ROLLED_BACK"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    SUPERSEDED = SUPERSEDED
    EXPIRED_WITHOUT_DATA = EXPIRED


# How a person may end one: whether it was healthy is not theirs to say.
BY_HAND = (WindowState.ROLLED_BACK, WindowState.FAILED, WindowState.CANCELLED)


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """A person's word that a recommended rollback was looked into."""

    name: str
    content_digest: str
    principal: str
    reason: str
    time: datetime
    latches: tuple[str, ...]
    decision: str


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen of the images of a rollout at a time; None where that could not be told."""

    time: datetime
    # Some of the new revision takes traffic.
    exposed: bool | None
    # They take traffic: as the new revision, or as what has become stable.
    serving: bool | None
    # Who saw it, and of which object.
    seen: tuple[str, str] = ("", "")


class Signal(NamedTuple):
    """What a rule says of a rollout; `since` is when the oldest was seen that it has of the rollout itself."""

    rule: str
    verdict: Verdict
    reason: str
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class WatchWindow:
    """The window of one attempt, as it stands at a time."""

    attempt: Attempt
    duration: timedelta
    max_weight: int
    steps: tuple[int, ...]
    looks: tuple[Look, ...]
    latches: tuple[Latch, ...]
    acknowledgements: tuple[Acknowledgement, ...] = ()
    decision: str = ""
    effective_verdict: Verdict | None = None
    rollback_target: str = ""
    release_digest: str = ""
    # What was last seen of the way back from the release.
    readiness: EvidenceItem | None = None

    @property
    def name(self) -> str:
        """Return the resource name."""
        return f"{self.attempt.name}/watchWindow"

    @property
    def state(self) -> WindowState:
        """Return where it stands."""
        if self.attempt.finish_time is not None:
            return WindowState(self.attempt.outcome)
        if any(recommends(one) for one in self.latches if one.attempt == self.attempt.name):
            return WindowState.LATCHED
        return WindowState.ARMED if self.open_time is None else WindowState.OPEN

    @property
    def open_time(self) -> datetime | None:
        """Return when its exposure was first observed; None before that."""
        return first_exposure(self.attempt, self.looks)

    @property
    def is_paused(self) -> bool:
        """Say whether its clock stands: it was exposed, and is no longer."""
        found = runs(self.attempt, self.looks)
        return bool(found) and found[-1][1] is not None

    @property
    def pass_time(self) -> datetime | None:
        """Return the earliest time at which it can pass; None before it is open, and while its clock stands."""
        return passes(self.attempt, self.looks, self.duration)

    @property
    def expire_time(self) -> datetime | None:
        """Return when it ends by itself; None where no policy asks for a duration."""
        return expire_time(self.attempt, self.duration)


def window_name(text: str) -> AttemptName:
    """Return the attempt of a window's name; raise Invalid."""
    *_, number = parts(_WINDOW, text, "name")
    assert number
    return AttemptName.parse(text.removesuffix("/watchWindow"))


def recommends(latch: Latch) -> bool:
    """Say whether a latch recommends a rollback; an inconclusive one only holds."""
    return latch.enforced and latch.reason != Reason.ANALYSIS_INCONCLUSIVE


def expire_time(attempt: Attempt, duration: timedelta) -> datetime | None:
    """Return when the window of an attempt ends by itself."""
    return attempt.start_time + ENDS_AFTER * duration if duration else None


def expiry(attempt: Attempt, place: str, duration: timedelta) -> Timer | None:
    """Return the timer that ends a window; None where there is no end to it."""
    due = expire_time(attempt, duration)
    return None if due is None else Timer(EXPIRE_WINDOW, attempt.name, due, place=place)


def first_exposure(attempt: Attempt, looks: Sequence[Look]) -> datetime | None:
    """Return when an attempt was first seen to be exposed, out of what was seen when, in any order."""
    return min((look.time for look in looks if look.exposed and is_within(attempt, look)), default=None)


def runs(attempt: Attempt, looks: Sequence[Look]) -> tuple[tuple[datetime, datetime | None], ...]:
    """Return from when to when an attempt was exposed, since it first was; the last may have no end.

    Several objects may roll out the same: it is exposed while one of them shows it, each as it was last seen.
    """
    opened = first_exposure(attempt, looks)
    found: list[tuple[datetime, datetime | None]] = []
    shown: dict[tuple[str, str], bool] = {}
    for look in sorted((one for one in looks if is_within(attempt, one)), key=_order):
        if opened is None or look.time < opened:
            continue
        # What could not be told is as it was.
        shown[look.seen] = shown.get(look.seen, False) if look.serving is None else look.serving
        begun = bool(found) and found[-1][1] is None
        if any(shown.values()) and not begun:
            found.append((look.time, None))
        elif begun and not any(shown.values()):
            found[-1] = (found[-1][0], look.time)
    return tuple(found)


def passes(attempt: Attempt, looks: Sequence[Look], duration: timedelta) -> datetime | None:
    """Return when an attempt has been exposed for a duration; None while the clock stands before that."""
    left = duration
    for begun, ended in runs(attempt, looks):
        if ended is None or ended - begun >= left:
            return begun + left
        left -= ended - begun
    return None


def unseen(required: Iterable[str], signals: Sequence[Signal], opened: datetime | None) -> tuple[str, ...]:
    """Return the rules, of those whose signal a window needs, that do not pass on what was seen since it opened."""
    passing = [
        one
        for one in signals
        if one.verdict is Verdict.ALLOW and one.reason != Reason.FAILING_BELOW_THRESHOLD
    ]
    seen = {one.rule for one in passing}
    # What was seen before says nothing of how it serves.
    seen -= {
        one.rule for one in passing if opened is not None and one.since is not None and one.since < opened
    }
    return tuple(rule for rule in required if rule not in seen)


def seen_since(items: Iterable[tuple[str, datetime]]) -> datetime | None:
    """Return when the oldest was seen of what is about the rollout itself, out of items by kind; None without any."""
    return min((time for kind, time in items if kind_named(kind).attempt_bound), default=None)


def is_gone(looks: Sequence[Look]) -> bool:
    """Say whether the images were last seen to take no traffic, by whoever looked; what is not known is no."""
    shown = {look.seen: look.serving for look in sorted(looks, key=_order)}
    return all(serving is False for serving in shown.values())


def is_within(attempt: Attempt, look: Look) -> bool:
    """Say whether a look was taken while a rollout ran."""
    end = attempt.finish_time
    return attempt.start_time <= look.time and (end is None or look.time <= end)


def _order(look: Look) -> tuple[datetime, bool]:
    # Of two looks at one time the one without traffic stands.
    return look.time, look.serving is False
