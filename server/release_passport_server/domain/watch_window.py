"""The time in which a rollout is watched: armed when it begins, open from the first exposure, and it always ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from release_passport_server.domain.evidence import EvidenceItem
from release_passport_server.domain.ids import AttemptName, parts, template
from release_passport_server.domain.job import Timer
from release_passport_server.domain.outcome import Reason
from release_passport_server.domain.release import Attempt, Latch
from release_passport_server.domain.verdict import Verdict

# Ending a window that nobody has ended; the key is the attempt's name.
EXPIRE_WINDOW = "expire-window"
# A window ends by itself after so many times its duration, so that a canary is never left with nobody watching it.
ENDS_AFTER = 3
EXPIRED = "EXPIRED_WITHOUT_DATA"

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
class WatchWindow:
    """The window of one attempt, as it stands at a time."""

    attempt: Attempt
    duration: timedelta
    max_weight: int
    steps: tuple[int, ...]
    open_time: datetime | None
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
    def pass_time(self) -> datetime | None:
        """Return the earliest time at which it can pass; None before it is open."""
        return None if self.open_time is None else self.open_time + self.duration

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


def first_exposure(attempt: Attempt, seen: Sequence[tuple[datetime, bool]]) -> datetime | None:
    """Return when an attempt was first seen to be exposed, out of what was observed when, in any order."""
    end = attempt.finish_time
    times = [time for time, exposed in seen if exposed and attempt.start_time <= time]
    return min((time for time in times if end is None or time <= end), default=None)
