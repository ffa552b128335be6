"""When a question is looked at again, and when it ends."""

from __future__ import annotations

from datetime import timedelta

from release_passport_server.domain.reevaluation import (
    OPEN_FOR,
    SPREAD,
    asked_time,
    look_again_time,
    question_timer,
)
from release_passport_server.domain.verdict import Verdict
from support.store import SECOND, START, a_release, decision

MINUTE = timedelta(minutes=1)


def test_the_first_time_ahead_counts_and_none_comes_early() -> None:
    times = (START - MINUTE, None, START + 15 * MINUTE, START + 10 * MINUTE)
    found = look_again_time("a", times, START, START)
    assert found is not None
    assert START + 10 * MINUTE <= found <= START + 10 * MINUTE + SPREAD


def test_releases_that_are_due_together_are_spread() -> None:
    names = [f"release-{number}" for number in range(100)]
    found = {look_again_time(name, (START + MINUTE,), START, START) for name in names}
    assert len(found) == len(names)


def test_a_short_wait_is_hardly_made_longer() -> None:
    found = [look_again_time(str(name), (START + SECOND,), START, START) for name in range(100)]
    assert all(one is not None and one <= START + 1.05 * SECOND for one in found)


def test_a_question_that_nobody_asks_any_more_ends() -> None:
    end = START + OPEN_FOR
    assert look_again_time("a", (), START, START) == end
    assert look_again_time("a", (end + MINUTE,), START, end - SECOND) is not None
    assert look_again_time("a", (end + MINUTE,), START, end) is None


def test_a_timer_keeps_when_somebody_asked_last() -> None:
    made = decision(a_release(), Verdict.ALLOW, START)
    timer = question_timer(made, START - MINUTE)
    assert (timer.key, timer.place) == (made.release, "checkout/prod")
    assert asked_time(timer.payload) == timer.open_time == START - MINUTE
    assert made.valid_until is not None
    # It is renewed before its validity ends.
    assert made.decide_time + (made.valid_until - made.decide_time) / 2 < timer.due_time < made.valid_until
