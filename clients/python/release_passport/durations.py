"""Durations as people write them: 30s, 10m, 24h, 7d, 1h30m, 250ms."""

from __future__ import annotations

import re
from datetime import timedelta
from fractions import Fraction

_UNITS = {
    "d": Fraction(86400),
    "h": Fraction(3600),
    "m": Fraction(60),
    "s": Fraction(1),
    "ms": Fraction(1, 1000),
}
_PART = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(ms|d|h|m|s)")
_WHOLE = re.compile(rf"(?:{_PART.pattern}){{1,5}}")
_LONGEST = 366 * 86400


def parse_duration(text: str) -> timedelta:
    """Return the duration that the text says; ValueError says how to write one."""
    parts = _PART.findall(text) if _WHOLE.fullmatch(text) else []
    if not parts:
        raise ValueError(f"{text[:40]!r} is not a duration; write it as 30s, 10m, 24h, 7d or 1h30m")
    order = [list(_UNITS).index(unit) for _, unit in parts]
    if order != sorted(set(order)):
        raise ValueError(f"{text[:40]!r} must name each unit once, the largest first")
    seconds = sum((Fraction(number) * _UNITS[unit] for number, unit in parts), Fraction(0))
    if seconds > _LONGEST:
        raise ValueError(f"{text[:40]!r} is longer than 366 days")
    return timedelta(microseconds=int(seconds * 1_000_000))


def format_duration(duration: timedelta) -> str:
    """Return the duration as people write it, without units that are zero."""
    left = round(duration.total_seconds() * 1000)
    if left < 0:
        return "-" + format_duration(-duration)
    text = ""
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        count, left = divmod(left, size)
        text += f"{count}{unit}" if count else ""
    return text or "0s"


def format_policy_duration(duration: timedelta) -> str:
    """Return the duration as policies write it: whole hours, minutes or seconds."""
    seconds = duration.total_seconds()
    for unit, size in (("h", 3600), ("m", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{int(seconds // size)}{unit}"
    return f"{seconds:g}s"


def roughly(duration: timedelta) -> str:
    """Return the duration with its two largest units, for people."""
    seconds = max(0, int(duration.total_seconds()))
    for unit, below, size, small in (("d", "h", 86400, 3600), ("h", "m", 3600, 60), ("m", "s", 60, 1)):
        if seconds >= size:
            rest = seconds % size // small
            return f"{seconds // size}{unit}" + (f"{rest}{below}" if rest else "")
    return f"{seconds}s"
