"""What is to be done at a time, and the right to be the only one who does it."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

# Deciding a release anew; the key is its name. There is such a job as long as its question is open.
REEVALUATE = "reevaluate"
# A change rests for so long after it has woken a job: what comes meanwhile is one more run.
REST = timedelta(milliseconds=200)


@dataclass(frozen=True, slots=True)
class Timer:
    """Something to be done once it is due; the same kind and key again replaces it."""

    kind: str
    key: str
    due_time: datetime
    payload: bytes = b""
    # `service/environment` that it is about, if any.
    place: str = ""
    open_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """A job that one worker runs; `token` is higher than that of everybody who ran it before."""

    tenant: str
    kind: str
    key: str
    due_time: datetime
    payload: bytes
    # How often it was begun, this time included.
    attempts: int
    generation: int
    holder: str
    token: int


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to be the only one who does what `name` stands for, until it ends or is renewed."""

    tenant: str
    name: str
    holder: str
    token: int
    expire_time: datetime


@dataclass(frozen=True, slots=True)
class DeadJob:
    """A job that is not tried again until somebody says so, with what went wrong last."""

    tenant: str
    kind: str
    key: str
    due_time: datetime
    attempts: int
    error: str
    dead_time: datetime


@dataclass(frozen=True, slots=True)
class Backlog:
    """How much waits: jobs that are due, since when the oldest of them is, and jobs that are dead."""

    due: int
    oldest_due_time: datetime | None
    dead: int


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait after a failure: twice as long each time, and never for everybody the same."""

    first: timedelta = timedelta(seconds=1)
    longest: timedelta = timedelta(minutes=10)
    attempts: int = 12

    def after(self, attempts: int, chance: random.Random) -> timedelta | None:
        """Return the time until the next attempt, between half and all of the step; None when it was the last."""
        if attempts >= self.attempts:
            return None
        # The exponent is bounded, so that no number of attempts makes a number too large for a time.
        step = min(self.first * (1 << min(attempts - 1, 40)), self.longest)
        return step * chance.uniform(0.5, 1.0)


class LeaseLost(Exception):
    """Somebody else holds it by now: what was about to be written is not."""

    def __init__(self, held: Claim | Lease) -> None:
        what = f"{held.kind} {held.key}" if isinstance(held, Claim) else held.name
        super().__init__(f"{what} of {held.tenant} is not held with token {held.token} any more")
        self.held = held
