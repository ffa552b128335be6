"""When recurring freezes are on: by the wall clock of their zone, across the changes of daylight saving."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release_passport_server.adapters.calendar.recurring import RecurringFreezes
from release_passport_server.domain.acts import Freeze
from release_passport_server.domain.errors import Invalid

CALENDAR = RecurringFreezes()
START = datetime(2026, 1, 2, 15, tzinfo=UTC)  # A Friday, 16:00 in Berlin.


def a_freeze(**more: object) -> Freeze:
    made: dict[str, object] = {
        "name": "tenants/acme/freezes/f",
        "title": "weekend",
        "services": (),
        "environments": (),
        "service_labels": (),
        "environment_labels": (),
        "start_time": START,
        "until_time": None,
        "rrule": "FREQ=WEEKLY;BYDAY=FR",
        "duration_seconds": 8 * 3600,
        "time_zone": "Europe/Berlin",
        "in_flight": "FINISH",
        "exempt_groups": (),
        "restores_too": False,
        "reason": "",
        "creator": "",
        "create_time": START,
    }
    return Freeze(**(made | more))  # type: ignore[arg-type]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "until", "following"),
    [
        ("2026-01-02 14:59:59", None, "2026-01-02 15:00"),
        ("2026-01-02 15:00:00", "2026-01-02 23:00", "2026-01-09 15:00"),
        ("2026-01-02 22:59:59", "2026-01-02 23:00", "2026-01-09 15:00"),
        ("2026-01-02 23:00:00", None, "2026-01-09 15:00"),
        # Daylight saving begins on 29 March and ends on 25 October: 16:00 in Berlin is 14:00 UTC between.
        ("2026-03-30 00:00:00", None, "2026-04-03 14:00"),
        ("2026-04-03 14:00:00", "2026-04-03 22:00", "2026-04-10 14:00"),
        ("2026-10-26 00:00:00", None, "2026-10-30 15:00"),
    ],
)
def test_it_begins_at_the_same_time_of_day_all_year(now: str, until: str | None, following: str) -> None:
    times = CALENDAR.times(a_freeze(), at(now))
    assert times.until_time == (at(until) if until else None)
    assert times.next_start == at(following)


def test_an_occurrence_lasts_its_real_hours_across_a_change_of_clocks() -> None:
    nightly = a_freeze(start_time=at("2026-03-28 21:00"), rrule="FREQ=DAILY")
    assert CALENDAR.times(nightly, at("2026-03-29 04:59")).until_time == at("2026-03-29 05:00")


def test_a_time_of_day_that_is_skipped_or_comes_twice_counts_once() -> None:
    half_past_two = a_freeze(start_time=at("2026-03-01 01:30"), rrule="FREQ=DAILY", duration_seconds=1800)
    for day in ("2026-03-29", "2026-10-25"):
        begun = {
            CALENDAR.times(half_past_two, at(f"{day} 00:00") + timedelta(minutes=minute)).until_time
            for minute in range(24 * 60)
        } - {None}
        assert len(begun) == 1, day


def test_until_time_is_after_the_last_start() -> None:
    bounded = a_freeze(until_time=at("2026-01-09 15:00"))
    assert CALENDAR.times(bounded, at("2026-01-09 16:00")).until_time == at("2026-01-09 23:00")
    assert CALENDAR.times(bounded, at("2026-01-10 00:00")).next_start is None


def test_once_is_from_start_to_until() -> None:
    once = a_freeze(rrule="", duration_seconds=0, until_time=at("2026-01-03 15:00"))
    assert CALENDAR.times(once, at("2026-01-02 14:00")).next_start == START
    assert CALENDAR.times(once, START).until_time == at("2026-01-03 15:00")
    assert CALENDAR.times(once, at("2026-01-03 15:00")).until_time is None


@given(
    st.integers(0, 366 * 24 * 60), st.sampled_from(["FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO,FR", "FREQ=MONTHLY"])
)
def test_whenever_it_begins_next_it_is_on_then_and_not_before(minutes: int, rule: str) -> None:
    freeze = a_freeze(rrule=rule, duration_seconds=3600)
    now = START + timedelta(minutes=minutes)
    times = CALENDAR.times(freeze, now)
    assert times.next_start is not None
    assert times.next_start > now
    assert CALENDAR.times(freeze, times.next_start).until_time == times.next_start + timedelta(hours=1)
    just_before = CALENDAR.times(freeze, times.next_start - timedelta(seconds=1))
    assert just_before.next_start == times.next_start
    if times.until_time is not None:
        assert now < times.until_time <= now + timedelta(hours=1)


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=WEEKLY;BYDAY=XX",
        "FREQ=DAILY;COUNT=2",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY\nX=1",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=31",
    ],
)
def test_a_rule_that_is_none_is_refused(rule: str) -> None:
    with pytest.raises(Invalid):
        CALENDAR.check(a_freeze(rrule=rule))
