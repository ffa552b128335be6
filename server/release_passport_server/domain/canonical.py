"""The canonical form of everything that is digested or replayed: RFC 8785 (JSON Canonicalization Scheme)."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from json.encoder import encode_basestring

# The canonical form of a string without lone surrogates.
canonical_text: Callable[[str], str] = encode_basestring

# Python's own JSON is in canonical form but for some fractions, large numbers and the order of some keys.
_PLAIN = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False, check_circular=False
)
_LARGE = re.compile("[0-9]{16}")
_WHOLE = re.compile(r"\.0(?![0-9])")
_OTHER_ORDER = re.compile("[\ud800-\U0010ffff]")


def canonical(value: object) -> bytes:
    """Return the RFC 8785 bytes of a JSON value, whose keys are strings.

    Raises ValueError for what JSON cannot say: NaN, infinities, lone surrogates, integers beyond 2^53.
    """
    try:
        text = _made_canonical(_PLAIN.encode(value))
    except (TypeError, ValueError):
        text = None
    return (_text(value) if text is None else text).encode("utf-8")


def digest(content: bytes) -> str:
    """Return `sha256:` and the hex SHA-256 of the bytes."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


def digest_of(value: object) -> str:
    """Return the digest of a value's canonical form."""
    return digest(canonical(value))


# The times of the same evidence are written again and again.
@lru_cache(4096)
def stamp(time: datetime | None) -> str | None:
    """Return a time as RFC 3339 in UTC with microseconds, as protobuf's JSON mapping and records use it."""
    if time is None:
        return None
    text = (time if time.tzinfo is UTC else time.astimezone(UTC)).isoformat("T", "microseconds")
    return text[:-6] + "Z"


def unstamp(text: str | None) -> datetime | None:
    """Return the time that `stamp` wrote."""
    if text is None:
        return None
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)


def _made_canonical(text: str) -> str | None:
    """Return Python's JSON as canonical form; None where it may hold what looks different there."""
    if "\\" in text or not (text.isascii() or _OTHER_ORDER.search(text) is None):
        return None
    # Without escapes every second part lies outside of strings.
    parts = text.split('"')
    bare = "".join(parts[::2])
    if "e+" in bare or "e-" in bare or _LARGE.search(bare):
        return None
    if "." not in bare:
        return text
    if "-0.0" in bare:
        return None
    # Of what is left, fractions are written alike, and a whole number has no point there.
    parts[::2] = [_WHOLE.sub("", part) for part in parts[::2]]
    return '"'.join(parts)


def _text(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return canonical_text(value)
        case int():
            return _integer(value)
        case float():
            return canonical_number(value)
        case Mapping():
            return _object(value)
        case Sequence():
            return "[" + ",".join(_text(item) for item in value) + "]"
        case _:
            raise ValueError(f"{type(value).__name__} has no canonical form")


def _object(value: Mapping[object, object]) -> str:
    members = (f"{canonical_text(str(key))}:{_text(value[key])}" for key in sorted(value, key=_utf16))
    return "{" + ",".join(members) + "}"


def _utf16(key: object) -> bytes:
    if not isinstance(key, str):
        raise ValueError("a key must be a string")
    return key.encode("utf-16-be")


def _integer(value: int) -> str:
    if abs(value) > 2**53:
        raise ValueError("an integer beyond 2^53 has no canonical form; write it as a string")
    return str(value)


def canonical_number(value: float) -> str:
    """Return a number as ECMAScript's Number::toString does (RFC 8785, section 3.2.2.3); raise ValueError."""
    if not math.isfinite(value):
        raise ValueError("NaN and infinities have no canonical form")
    if value == 0:
        return "0"
    text = repr(value)
    if "e" not in text:
        return text.removesuffix(".0")
    sign = "-" if value < 0 else ""
    digits, point = _digits(repr(abs(value)))
    if 0 < point <= 21:
        whole = digits.ljust(point, "0")
        text = whole[:point] + ("." + whole[point:] if whole[point:] else "")
    elif -6 < point <= 0:
        text = "0." + "0" * -point + digits
    else:
        power = point - 1
        text = (
            digits[0] + ("." + digits[1:] if digits[1:] else "") + f"e{'+' if power > 0 else '-'}{abs(power)}"
        )
    return sign + text


def _digits(shortest: str) -> tuple[str, int]:
    """Return the significant digits of a positive float's repr, and where the decimal point stands in them."""
    base, _, power = shortest.partition("e")
    whole, _, fraction = base.partition(".")
    point = len(whole) + int(power or 0)
    digits = whole + fraction
    leading = len(digits) - len(digits.lstrip("0"))
    return digits.strip("0") or "0", point - leading
