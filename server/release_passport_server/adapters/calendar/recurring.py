"""When freezes are on, by python-dateutil's recurrence rules in the wall-clock time of a zone.

An occurrence begins at its wall-clock time, whatever daylight saving does, and lasts so many hours of real time. A
time of day that is skipped is taken as it would have been before the change; one that comes twice counts once.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dateutil.rrule import rrule, rrulestr

from release_passport_server.domain.acts import Freeze, FreezeTimes
from release_passport_server.domain.errors import Violation, invalid

MAX_OCCURRENCE = timedelta(days=31)
# Nothing recurs for longer than this without being made anew.
HORIZON = timedelta(days=20 * 366)
_LATEST = datetime(9000, 1, 1)  # noqa: DTZ001
# No rule is asked for more occurrences than these before it must have given one.
_MAX_RULE = 512
_MAX_KNOWN = 10_000
_RULE = re.compile(r"[A-Z]+=[A-Z0-9,+:-]+(?:;[A-Z]+=[A-Z0-9,+:-]+)*")
_COARSE = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY")


class RecurringFreezes:
    """Works out when freezes are on."""

    def __init__(self) -> None:
        # What was said last of each recurrence, and since when: it holds until something begins or ends.
        self._known: dict[tuple[object, ...], tuple[datetime, FreezeTimes]] = {}

    def times(self, freeze: Freeze, now: datetime) -> FreezeTimes:
        """Return until when the freeze is on, and when it begins next."""
        if not freeze.rrule:
            return _once(freeze, now)
        key = (freeze.rrule, freeze.start_time, freeze.until_time, freeze.duration_seconds, freeze.time_zone)
        known = self._known.get(key)
        if known is not None and known[0] <= now and not _changed(known[1], now):
            return known[1]
        times = _recurring(freeze, now)
        if len(self._known) > _MAX_KNOWN:
            self._known.clear()
        self._known[key] = (now, times)
        return times

    def check(self, freeze: Freeze) -> None:
        """Raise Invalid for times that make no sense, a rule that is none, or one that is never over."""
        problems = list(_problems(freeze))
        if problems:
            raise invalid(problems)


def _once(freeze: Freeze, now: datetime) -> FreezeTimes:
    assert freeze.until_time is not None
    on = freeze.start_time <= now < freeze.until_time
    return FreezeTimes(
        freeze.until_time if on else None, freeze.start_time if now < freeze.start_time else None
    )


def _changed(times: FreezeTimes, now: datetime) -> bool:
    return any(end is not None and end <= now for end in (times.until_time, times.next_start))


def _recurring(freeze: Freeze, now: datetime) -> FreezeTimes:
    zone, lasts = ZoneInfo(freeze.time_zone or "UTC"), timedelta(seconds=freeze.duration_seconds)
    rule = _rule(freeze.rrule, _wall(freeze.start_time, zone))
    # Wall clocks differ from real time by hours at most: a day more is looked at on either side.
    begun = [
        start + lasts
        for wall in rule.between(
            _wall(now - lasts, zone) - timedelta(days=1), _wall(now, zone) + timedelta(days=1)
        )
        if (start := _real(wall, zone)) <= now < start + lasts and _begins(freeze, start)
    ]
    after = rule.after(_wall(now, zone) - timedelta(hours=3))
    while after is not None and _real(after, zone) <= now:
        after = rule.after(after)
    following = None if after is None else _real(after, zone)
    if following is not None and not _begins(freeze, following):
        following = None
    return FreezeTimes(max(begun, default=None), following)


def _begins(freeze: Freeze, start: datetime) -> bool:
    return freeze.until_time is None or start <= freeze.until_time


def _problems(freeze: Freeze) -> list[Violation]:
    try:
        zone = ZoneInfo(freeze.time_zone or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        text = f"{freeze.time_zone[:40]!a} is no IANA time zone, such as Europe/Berlin"
        return [Violation("freeze.time_zone", text)]
    if not freeze.rrule:
        return _once_problems(freeze)
    return _form_problems(freeze) or _rule_problems(freeze, zone)


def _once_problems(freeze: Freeze) -> list[Violation]:
    if freeze.duration_seconds:
        return [Violation("freeze.duration", "goes with rrule: give until_time instead")]
    if freeze.until_time is None:
        return [Violation("freeze.until_time", "required: a freeze that nobody ends must end by itself")]
    if freeze.until_time <= freeze.start_time:
        return [Violation("freeze.until_time", "must be after start_time")]
    return []


def _form_problems(freeze: Freeze) -> list[Violation]:
    if not 60 <= freeze.duration_seconds <= MAX_OCCURRENCE.total_seconds():
        text = "must be 1 minute to 31 days: how long each occurrence lasts"
        return [Violation("freeze.duration", text)]
    if len(freeze.rrule) > _MAX_RULE or not _RULE.fullmatch(freeze.rrule):
        text = "must be an RFC 5545 rule, such as FREQ=WEEKLY;BYDAY=FR;BYHOUR=16"
        return [Violation("freeze.rrule", text)]
    parts = dict(part.split("=", 1) for part in freeze.rrule.split(";"))
    if parts.get("FREQ") not in _COARSE:
        return [Violation("freeze.rrule", f"FREQ must be one of {', '.join(_COARSE)}")]
    if parts.get("INTERVAL", "1").strip("0") == "":
        return [Violation("freeze.rrule", "INTERVAL must be 1 or more")]
    if not parts.keys().isdisjoint(("DTSTART", "UNTIL", "COUNT")):
        return [Violation("freeze.rrule", "DTSTART is start_time; UNTIL and COUNT are until_time")]
    return []


def _rule_problems(freeze: Freeze, zone: ZoneInfo) -> list[Violation]:
    try:
        rule = _rule(freeze.rrule, _wall(freeze.start_time, zone))
        first = rule.after(_wall(freeze.start_time, zone), inc=True)
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        return [Violation("freeze.rrule", f"cannot be read: {str(error)[:200]}")]
    if first is None:
        return [Violation("freeze.rrule", "never occurs after start_time")]
    following = rule.after(first)
    lasts = timedelta(seconds=freeze.duration_seconds)
    if following is not None and _real(following, zone) - _real(first, zone) <= lasts:
        return [
            Violation("freeze.duration", "is as long as the time between two occurrences: it would never end")
        ]
    return []


@lru_cache(maxsize=1024)
def _rule(text: str, start: datetime) -> rrule:
    parsed = rrulestr(text, dtstart=start, cache=True)
    assert isinstance(parsed, rrule)
    # A rule that never comes true is looked at for so long and no longer.
    return parsed.replace(until=min(start, _LATEST - HORIZON) + HORIZON)


def _wall(time: datetime, zone: ZoneInfo) -> datetime:
    return time.astimezone(zone).replace(tzinfo=None, microsecond=0)


def _real(wall: datetime, zone: ZoneInfo) -> datetime:
    return wall.replace(tzinfo=zone).astimezone(UTC)
