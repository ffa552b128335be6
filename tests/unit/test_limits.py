"""Limits by class of calls: who gets a place, who is refused, and when there is room again."""

from __future__ import annotations

import asyncio
import itertools
import random
from contextlib import ExitStack

import pytest

from release_passport_server.domain.errors import Unavailable
from release_passport_server.transport.grpc import limits as module
from release_passport_server.transport.grpc.limits import ALWAYS, Limits
from release_passport_server.transport.grpc.methods import CallClass
from release_passport_server.transport.grpc.turns import Turns

DECIDE, WRITE, READ, STREAM = CallClass.DECIDE, CallClass.WRITE, CallClass.READ, CallClass.STREAM


def limits(**most: int) -> Limits:
    return Limits({kind: most.get(kind, 4) for kind in CallClass})


def reason(refused: Unavailable | None) -> str:
    return "" if refused is None else refused.reason


async def fill(of: Limits, kind: CallClass, count: int, held: ExitStack) -> None:
    for number in range(count):
        held.enter_context(of.admit(kind, f"caller-{number}"))


async def slow_down(of: Limits, seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let enough calls take so long that the limits know it."""
    loop, now = asyncio.get_running_loop(), 1000.0
    monkeypatch.setattr(loop, "time", lambda: now)
    for _ in range(200):
        with of.admit(DECIDE, "slow"):
            now += seconds


async def test_a_class_takes_as_many_calls_as_it_has_places_and_again_when_one_has_ended() -> None:
    of = limits()
    with ExitStack() as held:
        await fill(of, DECIDE, 4, held)
        assert of.in_flight(DECIDE) == 4
        with pytest.raises(Unavailable) as caught, of.admit(DECIDE, "one more"):
            pass
        assert caught.value.reason == "OVERLOADED"
        assert caught.value.metadata == {"class": "decide"}
    assert of.in_flight(DECIDE) == 0
    with of.admit(DECIDE, "one more"):
        assert of.in_flight(DECIDE) == 1


@pytest.mark.parametrize("full", list(CallClass))
async def test_a_class_that_is_full_takes_no_place_of_another(full: CallClass) -> None:
    of = limits()
    with ExitStack() as held:
        await fill(of, full, 4, held)
        assert [kind for kind in CallClass if of.refusal(kind, "another")] == [full]


async def test_one_credential_never_takes_all_places() -> None:
    of = limits()
    with of.admit(DECIDE, "greedy"), of.admit(DECIDE, "greedy"), of.admit(DECIDE, "greedy"):
        refused = of.refusal(DECIDE, "greedy")
        assert refused is not None
        assert "3 of the 4 decide calls in flight are of this credential" in refused.message
        assert of.refusal(DECIDE, "modest") is None
    assert of.refusal(DECIDE, "greedy") is None


async def test_a_call_that_fails_or_is_cancelled_gives_its_place_back() -> None:
    of = limits()
    for error in (ValueError, asyncio.CancelledError):
        with pytest.raises(error), of.admit(WRITE, "a"):
            raise error
    assert of.in_flight(WRITE) == 0
    await of.idle()


async def test_calls_that_would_wait_too_long_are_refused_before_all_places_are_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    of = limits(decide=1000)
    await slow_down(of, 0.1, monkeypatch)
    with ExitStack() as held:
        await fill(of, DECIDE, ALWAYS, held)
        refused = of.refusal(DECIDE, "another")
        assert reason(refused) == "OVERLOADED"
        assert refused is not None
        assert "take too long" in refused.message


async def test_so_many_calls_are_let_in_however_slow_the_last_ones_were(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    of = limits(decide=1000)
    await slow_down(of, 60.0, monkeypatch)
    with ExitStack() as held:
        await fill(of, DECIDE, ALWAYS - 1, held)
        assert of.refusal(DECIDE, "another") is None


async def test_a_call_that_can_wait_for_less_is_refused_earlier(monkeypatch: pytest.MonkeyPatch) -> None:
    of = limits(decide=1000)
    await slow_down(of, 0.004, monkeypatch)
    with ExitStack() as held:
        await fill(of, DECIDE, ALWAYS, held)
        assert of.refusal(DECIDE, "patient", 10.0) is None
        assert reason(of.refusal(DECIDE, "in a hurry", 0.1)) == "OVERLOADED"


async def test_open_streams_say_nothing_about_how_long_another_would_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    of = limits(stream=1000)
    loop, now = asyncio.get_running_loop(), 1000.0
    monkeypatch.setattr(loop, "time", lambda: now)
    for _ in range(200):
        with of.admit(STREAM, "slow"):
            now += 3600
    with ExitStack() as held:
        await fill(of, STREAM, ALWAYS, held)
        assert of.refusal(STREAM, "another") is None


async def test_the_more_are_refused_the_later_they_are_asked_to_come_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(random, "uniform", lambda low, high: low)
    of, told = limits(decide=1), []
    with of.admit(DECIDE, "a"):
        for _ in range(200):
            refused = of.refusal(DECIDE, "b")
            assert refused is not None
            assert refused.retry_after is not None
            told.append(refused.retry_after)
    assert told == sorted(told)
    assert (told[0], told[-1]) == (0.5, 2.0)


async def test_callers_that_were_refused_together_come_back_apart() -> None:
    of = limits(decide=1)
    with of.admit(DECIDE, "a"):
        told = {refused.retry_after for _ in range(200) if (refused := of.refusal(DECIDE, "b"))}
    assert len(told) > 5
    assert min(one for one in told if one is not None) >= 0.5


async def test_whoever_does_not_read_answers_is_given_no_more_of_them() -> None:
    of = limits()
    half = module.MOST_UNREAD_BYTES // 2
    first, second = of.unread("deaf", half), of.unread("deaf", half)
    refused = of.refusal(READ, "deaf")
    assert reason(refused) == "OVERLOADED"
    assert of.refusal(READ, "another") is None
    first()
    assert of.refusal(READ, "deaf") is None
    second()
    assert of._unread == {}


async def test_small_answers_count_too_while_they_are_unread() -> None:
    of = limits()
    for _ in range(module.MOST_UNREAD_BYTES // module.ANSWER_BYTES):
        of.unread("deaf", 0)
    assert of.refusal(READ, "deaf") is None
    of.unread("deaf", 0)
    assert reason(of.refusal(READ, "deaf")) == "OVERLOADED"


async def test_a_server_that_drains_takes_nothing_and_is_idle_when_the_last_call_has_ended() -> None:
    of = limits()
    with of.admit(DECIDE, "a"):
        of.drain()
        await of.drained()
        assert {reason(of.refusal(kind, "b")) for kind in CallClass} == {"DRAINING"}
        idle = asyncio.ensure_future(of.idle())
        await asyncio.sleep(0)
        assert not idle.done()
    await idle


async def test_a_burst_begins_one_call_in_each_pass_of_the_loop() -> None:
    turns, began = Turns(), []

    async def call(number: int) -> None:
        await turns.take()
        began.append(number)

    tasks = [asyncio.ensure_future(call(number)) for number in range(3)]
    passes = []
    while len(began) < 3:
        await asyncio.sleep(0)
        passes.append(len(began))
    await asyncio.gather(*tasks)
    assert began == [0, 1, 2]
    assert all(later - earlier <= 1 for earlier, later in itertools.pairwise(passes))


async def test_a_call_that_gave_up_holds_up_nobody() -> None:
    turns = Turns()
    first, gone, last = (asyncio.ensure_future(turns.take()) for _ in range(3))
    await asyncio.sleep(0)
    gone.cancel()
    await last
    assert first.done()
    assert gone.cancelled()
    # And when nobody waits any more, the next one does not wait either.
    for _ in range(3):
        await asyncio.sleep(0)
    await turns.take()
