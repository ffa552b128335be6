"""RFC 8785: what is digested has one form, whichever way it was made."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as some

from release_passport_server.domain.canonical import canonical, stamp, unstamp

# The examples of RFC 8785, section 3.2.3, and of its appendix B.
SORTED_KEYS = {
    "\u20ac": "Euro Sign",
    "\r": "Carriage Return",
    "\ufb33": "Hebrew Letter Dalet With Dagesh",
    "1": "One",
    "\U0001f600": "Emoji: Grinning Face",
    "\u0080": "Control",
    "\u00f6": "Latin Small Letter O With Diaeresis",
}
NUMBERS = [
    (0.0, "0"),
    (-0.0, "0"),
    (5e-324, "5e-324"),
    (1.7976931348623157e308, "1.7976931348623157e+308"),
    (9007199254740992.0, "9007199254740992"),
    (295147905179352830000.0, "295147905179352830000"),
    (9.999999999999997e22, "9.999999999999997e+22"),
    (1e23, "1e+23"),
    (999999999999999700000.0, "999999999999999700000"),
    (333333333.3333332, "333333333.3333332"),
    (1e-6, "0.000001"),
    (1e-7, "1e-7"),
    (-1e-7, "-1e-7"),
    (1.0, "1"),
]

values = some.recursive(
    some.none()
    | some.booleans()
    | some.integers(-(2**53), 2**53)
    | some.floats(allow_nan=False, allow_infinity=False)
    | some.text(some.characters(exclude_categories=["Cs"])),
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(some.text(max_size=4), inner, max_size=4),
    max_leaves=12,
).filter(lambda value: "\ud800" not in repr(value))


def test_keys_are_sorted_by_their_utf_16_units() -> None:
    keys = list(json.loads(canonical(SORTED_KEYS)))
    assert keys == ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]


@pytest.mark.parametrize(("number", "text"), NUMBERS)
@pytest.mark.parametrize("around", ["{}", "[{}]", '{{"a":{}}}', '["x",{}]'])
def test_numbers_look_as_ecmascript_writes_them(number: float, text: str, around: str) -> None:
    value = json.loads(around.format(repr(number)))
    assert canonical(value) == around.format(text).encode()


@pytest.mark.parametrize(
    "value", [2**53 + 1, -(2**53) - 1, float("nan"), float("inf"), "\ud800", {1: "x", "y": 1}]
)
def test_what_json_cannot_say_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        canonical(value)


@given(values)
def test_a_value_has_the_same_form_in_other_containers(value: object) -> None:
    assert canonical(value) == canonical(_other(value))


@given(values)
def test_the_form_says_the_value(value: object) -> None:
    # Every number is one of IEEE 754: a large one without a fraction looks like an integer.
    assert json.loads(canonical(value), parse_int=float) == value


def _other(value: object) -> object:
    """Return the same in containers that the standard encoder does not know."""
    match value:
        case dict():
            return MappingProxyType({key: _other(one) for key, one in reversed(value.items())})
        case list():
            return tuple(_other(one) for one in value)
        case _:
            return value


def test_times_are_stamped_in_utc_with_microseconds() -> None:
    east = timezone(timedelta(hours=2))
    assert stamp(datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=east)) == "2026-01-02T01:04:05.000006Z"
    assert stamp(datetime(1, 1, 1, tzinfo=UTC)) == "0001-01-01T00:00:00.000000Z"
    assert unstamp(stamp(datetime(1, 1, 1, tzinfo=UTC))) == datetime(1, 1, 1, tzinfo=UTC)
    assert stamp(None) is None
