"""When a recorded decision is looked at again: an open question has one timer, and ends."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from zlib import crc32

from release_passport_server.domain.canonical import canonical, stamp
from release_passport_server.domain.job import REEVALUATE, Timer
from release_passport_server.domain.record import DecisionRecord

# Who decides when nobody asks.
WORKER = "system:worker"
# A question that nobody asks any more ends after this long.
OPEN_FOR = timedelta(days=7)
# Timers that are due at the same moment are spread over at most this.
SPREAD = timedelta(seconds=2)
_PART = 20
# A decision is renewed when this part of its validity is left.
_RENEWED_BEFORE = 4


def question_timer(record: DecisionRecord, asked: datetime, also: datetime | None = None) -> Timer:
    """Return the timer of a decision's question, which somebody asked last at this time; it rings `also` at another."""
    times = (renewal_time(record), record.next_eligible_time, also)
    due = look_again_time(record.release, times, asked, record.decide_time)
    place = f"{record.service}/{record.environment}"
    payload = canonical({"asked": stamp(asked)})
    return Timer(REEVALUATE, record.release, due or asked + OPEN_FOR, payload, place, asked)


def asked_time(payload: bytes) -> datetime:
    """Return when somebody asked last, out of a timer's payload."""
    return datetime.fromisoformat(json.loads(payload)["asked"])


def renewal_time(record: DecisionRecord) -> datetime | None:
    """Return when to renew a decision: before its validity ends, so that nobody who watches sees it end."""
    if record.valid_until is None:
        return None
    return record.valid_until - (record.valid_until - record.decide_time) / _RENEWED_BEFORE


def has_ended(asked: datetime, now: datetime) -> bool:
    """Say whether a question that was asked last at this time is not open any more."""
    return asked + OPEN_FOR <= now


def look_again_time(
    release: str, times: Iterable[datetime | None], asked: datetime, now: datetime
) -> datetime | None:
    """Return when to decide again: at the first of these times that is ahead; None once the question has ended."""
    end = asked + OPEN_FOR
    if has_ended(asked, now):
        return None
    due = min((time for time in times if time is not None and time > now), default=end)
    return min(due + _spread(release, due - now), max(end, due))


def _spread(release: str, wait: timedelta) -> timedelta:
    """Return a delay that differs between releases, at most a small part of the wait."""
    return min(SPREAD, wait / _PART) * (crc32(release.encode()) / 2**32)
