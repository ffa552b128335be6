"""Where a watch window stands follows from what is known of its rollout, in whatever order that came."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release_passport_server.domain.errors import Invalid
from release_passport_server.domain.outcome import Reason
from release_passport_server.domain.release import Attempt, Latch
from release_passport_server.domain.verdict import Verdict
from release_passport_server.domain.watch_window import (
    ENDS_AFTER,
    EXPIRE_WINDOW,
    Look,
    Signal,
    WatchWindow,
    WindowState,
    expiry,
    first_exposure,
    is_gone,
    passes,
    recommends,
    runs,
    seen_since,
    unseen,
    window_name,
)
from release_passport_server.services.window_view import pass_time

START = datetime(2026, 1, 1, tzinfo=UTC)
NAME = "tenants/t/services/s/environments/prod/releases/1.0.0/attempts/1"
ATTEMPT = Attempt(NAME, 1, "ground", START)
LATCH = Latch("one", "p", "r", "d", NAME, True, Reason.EXPECTATION_FAILED, START)

MOMENTS = st.integers(-3600, 3600).map(lambda seconds: START + timedelta(seconds=seconds))
OBSERVED = st.lists(
    st.builds(lambda time, seen: Look(time, seen, seen), MOMENTS, st.one_of(st.none(), st.booleans()))
)
ENDED = ("PASSED", "ROLLED_BACK", "FAILED", "CANCELLED", "SUPERSEDED", "EXPIRED_WITHOUT_DATA")


def window(attempt: Attempt = ATTEMPT, *latches: Latch, opened: datetime | None = None) -> WatchWindow:
    """Return a window of an hour."""
    looks = () if opened is None else (Look(opened, exposed=True, serving=True),)
    return WatchWindow(attempt, timedelta(hours=1), 100, (), looks, latches)


@given(OBSERVED, st.randoms(use_true_random=False))
def test_when_it_opened_does_not_depend_on_the_order_of_what_came(seen: list[Look], order: Random) -> None:
    mixed = list(seen)
    order.shuffle(mixed)
    assert first_exposure(ATTEMPT, mixed) == first_exposure(ATTEMPT, seen)


@given(OBSERVED, st.one_of(st.none(), MOMENTS))
def test_it_opens_at_an_exposure_while_its_rollout_ran(seen: list[Look], end: datetime | None) -> None:
    attempt = replace(ATTEMPT, finish_time=end)
    within = [
        one.time for one in seen if one.exposed and one.time >= START and (end is None or one.time <= end)
    ]
    opened = first_exposure(attempt, seen)
    assert (opened is None) == (not within)
    assert opened is None or opened in within
    assert all(opened is not None and opened <= time for time in within)


@given(OBSERVED, OBSERVED)
def test_what_is_seen_later_never_opens_it_later(seen: list[Look], more: list[Look]) -> None:
    before, after = first_exposure(ATTEMPT, seen), first_exposure(ATTEMPT, seen + more)
    assert before is None or (after is not None and after <= before)


@given(st.sampled_from(ENDED), st.booleans(), st.one_of(st.none(), MOMENTS))
def test_a_rollout_that_ended_shows_how_whatever_latched(
    outcome: str, latched: bool, opened: datetime | None
) -> None:
    attempt = replace(ATTEMPT, finish_time=START, outcome=outcome)
    assert window(attempt, *([LATCH] if latched else []), opened=opened).state == WindowState(outcome)


@pytest.mark.parametrize(
    ("latch", "state"),
    [
        (LATCH, WindowState.LATCHED),
        (replace(LATCH, enforced=False), WindowState.OPEN),
        (replace(LATCH, reason=Reason.ANALYSIS_INCONCLUSIVE), WindowState.OPEN),
        (replace(LATCH, attempt=NAME.replace("attempts/1", "attempts/2")), WindowState.OPEN),
    ],
)
def test_only_an_enforced_rollback_of_this_attempt_latches(latch: Latch, state: WindowState) -> None:
    assert window(ATTEMPT, latch, opened=START).state == state


def test_an_inconclusive_analysis_recommends_nothing() -> None:
    assert recommends(LATCH)
    assert not recommends(replace(LATCH, reason=Reason.ANALYSIS_INCONCLUSIVE))


@given(st.timedeltas(timedelta(seconds=1), timedelta(days=30)), MOMENTS)
def test_it_ends_by_itself_long_after_it_could_pass(duration: timedelta, start: datetime) -> None:
    timer = expiry(replace(ATTEMPT, start_time=start), "s/prod", duration)
    assert timer is not None
    assert (timer.kind, timer.key, timer.place) == (EXPIRE_WINDOW, NAME, "s/prod")
    assert timer.due_time - start == ENDS_AFTER * duration


def test_without_a_duration_nothing_ends_it() -> None:
    assert expiry(ATTEMPT, "s/prod", timedelta(0)) is None
    assert replace(window(), duration=timedelta(0)).expire_time is None


def test_its_name_is_that_of_the_attempt_and_nothing_else_is_one() -> None:
    assert str(window_name(window().name)) == NAME
    for text in (NAME, f"{NAME}/watchWindow/x", NAME.replace("attempts/1", "attempts/") + "/watchWindow", ""):
        with pytest.raises(Invalid):
            window_name(text)


MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def look(minute: int, *, serving: bool, seen: tuple[str, str] = ("one", "a")) -> Look:
    """Return what was seen so many minutes after the start."""
    return Look(START + minute * MINUTE, serving, serving, seen)


def test_its_clock_runs_from_the_exposure_and_not_from_the_start() -> None:
    looks = [look(0, serving=False), look(120, serving=True)]
    assert passes(ATTEMPT, looks, HOUR) == START + timedelta(hours=3)


def test_its_clock_stands_while_nothing_is_exposed() -> None:
    looks = [look(0, serving=True), look(30, serving=False)]
    paused = replace(window(), looks=tuple(looks))
    assert (paused.is_paused, paused.pass_time, paused.state) == (True, None, WindowState.OPEN)
    looks.append(look(50, serving=True))
    going = replace(window(), looks=tuple(looks))
    assert (going.is_paused, going.pass_time) == (False, START + 80 * MINUTE)


def test_what_was_watched_for_the_whole_duration_has_passed_although_nothing_is_exposed_now() -> None:
    looks = [look(0, serving=True), look(90, serving=False)]
    assert passes(ATTEMPT, looks, HOUR) == START + HOUR


def test_its_clock_runs_while_one_of_its_objects_is_exposed() -> None:
    east, west = ("one", "east"), ("one", "west")
    looks = [
        look(0, serving=True, seen=east),
        look(10, serving=True, seen=west),
        look(20, serving=False, seen=east),
    ]
    assert passes(ATTEMPT, looks, HOUR) == START + HOUR
    assert not is_gone(looks)
    looks.append(look(40, serving=False, seen=west))
    assert passes(ATTEMPT, looks, HOUR) is None
    assert is_gone(looks)


def test_where_nobody_tells_exposure_while_it_runs_the_clock_runs_from_its_start() -> None:
    """What a connector saw of the releases before it says nothing of this one."""
    before = look(-5, serving=False)
    unknown = replace(look(1, serving=False), exposed=None, serving=None)
    assert pass_time(ATTEMPT, [before, unknown], 30 * MINUTE) == START + 30 * MINUTE
    assert pass_time(ATTEMPT, [before, look(1, serving=False)], 30 * MINUTE) is None
    assert pass_time(ATTEMPT, [before, look(1, serving=False)], 0 * MINUTE) == START
    # A blue-green release is exposed by its promotion, once its window has passed; else it counts from there.
    assert pass_time(ATTEMPT, [unknown, look(31, serving=True)], 30 * MINUTE) == START + 30 * MINUTE
    assert pass_time(ATTEMPT, [look(31, serving=True)], 30 * MINUTE) == START + 61 * MINUTE
    assert pass_time(ATTEMPT, [unknown, look(20, serving=True)], 30 * MINUTE) == START + 50 * MINUTE


@given(OBSERVED, st.randoms(use_true_random=False))
def test_its_clock_does_not_depend_on_the_order_of_what_came(seen: list[Look], order: Random) -> None:
    mixed = list(seen)
    order.shuffle(mixed)
    assert runs(ATTEMPT, mixed) == runs(ATTEMPT, seen)
    assert passes(ATTEMPT, mixed, HOUR) == passes(ATTEMPT, seen, HOUR)


@given(OBSERVED, st.timedeltas(timedelta(seconds=1), timedelta(hours=2)))
def test_it_never_passes_before_its_duration_was_exposed(seen: list[Look], duration: timedelta) -> None:
    passed = passes(ATTEMPT, seen, duration)
    if passed is not None:
        watched = sum(
            (
                (passed if end is None else min(end, passed)) - begin
                for begin, end in runs(ATTEMPT, seen)
                if begin < passed
            ),
            timedelta(0),
        )
        assert watched == duration


def test_what_could_not_be_told_leaves_the_clock_as_it_was_and_nothing_gone() -> None:
    unknown = Look(START + 20 * MINUTE, None, None, ("one", "a"))
    assert passes(ATTEMPT, [look(0, serving=True), unknown], HOUR) == START + HOUR
    assert passes(ATTEMPT, [look(0, serving=True), look(10, serving=False), unknown], HOUR) is None
    assert first_exposure(ATTEMPT, [unknown]) is None
    assert not is_gone([look(0, serving=False), unknown])


def test_a_required_rule_is_seen_where_it_passes_now() -> None:
    found = [
        ("passes", Verdict.ALLOW, "PASSED"),
        ("waived", Verdict.ALLOW, "WAIVED"),
        ("fails-a-little", Verdict.ALLOW, "FAILING_BELOW_THRESHOLD"),
        ("warms-up", Verdict.ALLOW_WITH_CANARY, "WARMING_UP"),
        ("holds", Verdict.HOLD, "EVIDENCE_MISSING"),
    ]
    required = [rule for rule, _, _ in found]
    signals = [Signal(*one) for one in found]
    assert unseen([*required, "not-there"], signals, None) == (
        "fails-a-little",
        "warms-up",
        "holds",
        "not-there",
    )
    assert unseen((), signals, None) == ()


def test_a_signal_counts_where_all_of_it_was_seen_since_the_window_opened() -> None:
    def lacks(*since: datetime | None, opened: datetime | None = START) -> bool:
        signals = [Signal("fast", Verdict.ALLOW, "PASSED", one) for one in since]
        return unseen(["fast"], signals, opened) == ("fast",)

    before, after = START - timedelta(seconds=1), START + timedelta(seconds=1)
    assert lacks(before)
    assert lacks(after, before)
    assert not lacks(START)
    assert not lacks(after)
    # What is about something else than the rollout, and a window of which nobody says that it opened.
    assert not lacks(None)
    assert not lacks(before, opened=None)


def test_the_oldest_counts_of_what_is_about_the_rollout_itself() -> None:
    later = START + timedelta(hours=1)
    told = [("metric_sample", later), ("analysis_result", START), ("test_result", START - timedelta(days=1))]
    assert seen_since(told) == START
    assert seen_since(told[2:]) is None
