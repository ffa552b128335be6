"""RFC 8785: one form for one value, whichever way it is written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release_passport_server.domain.canonical import canonical, stamp, unstamp

TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.text(st.sampled_from(['"', "\\", ".", "e", "+", "-", "1", "[", ",", ":", "\n", "é", "\ue000", "𐀀"])),
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53), 2**53),
    TEXTS,
    st.floats(allow_nan=False, allow_infinity=False),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_a_value_looks_the_same_beside_a_fraction(value: object) -> None:
    """So small a fraction keeps Python's own JSON from being used."""
    assert canonical([value, 5e-9]) == b"[" + canonical(value) + b",5e-9]"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"b": 1, "a": [True, None, "x"]}, '{"a":[true,null,"x"],"b":1}'),
        ({"\U00010000": 1, "\ue000": 2}, '{"\U00010000":1,"\ue000":2}'),
        (['\u20ac$\u000f\nA\'B"\\\\"/', "\x7f"], '["\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/","\x7f"]'),
        (
            [1.0, 1e21, 1e-7, 333333333.33333329, 4.50, 2e-3, -0.0],
            "[1,1e+21,1e-7,333333333.3333333,4.5,0.002,0]",
        ),
        ({"a.0": [1.0, "2.0", 0.0, 2.05, 10.25], "b": -3.0}, '{"a.0":[1,"2.0",0,2.05,10.25],"b":-3}'),
        ([1e-4, 1e-5, 1e15, 0.1 + 0.2], "[0.0001,0.00001,1000000000000000,0.30000000000000004]"),
        ([10.0, 1e16, 123456789012345680000.0], "[10,10000000000000000,123456789012345680000]"),
        ([2**53, -(2**53)], "[9007199254740992,-9007199254740992]"),
        ((1, (2, "e-1.5")), '[1,[2,"e-1.5"]]'),
        ({}, "{}"),
        ("1.5", '"1.5"'),
    ],
)
def test_the_form_is_that_of_the_standard(value: object, expected: str) -> None:
    assert canonical(value) == expected.encode()


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        [float("inf")],
        {"a": -float("inf")},
        "\ud800",
        ["a", "\udfff"],
        2**53 + 1,
        [-(2**60)],
        [object()],
    ],
)
def test_what_has_no_form_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"canonical form|surrogates"):
        canonical(value)


@pytest.mark.parametrize("microseconds", [0, 1, 120_000])
@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(0)), timezone(timedelta(hours=5, minutes=30))])
def test_a_time_is_stamped_in_utc(microseconds: int, zone: timezone) -> None:
    time = datetime(2026, 3, 2, 8, 0, 5, microseconds, UTC)
    text = stamp(time.astimezone(zone))
    assert text == f"2026-03-02T08:00:05.{microseconds:06}Z"
    assert unstamp(text) == time
