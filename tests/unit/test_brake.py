"""The brake on rollbacks: what many rollouts have in common takes few of them back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from release_passport_server.domain.brake import is_on
from release_passport_server.domain.release import Latch

START = datetime(2026, 11, 1, 12, tzinfo=UTC)


def attempt(number: int, environment: str = "prod") -> str:
    return f"tenants/default/services/s{number:03}/environments/{environment}/releases/1.0.0/attempts/1"


def latch(number: int, seconds: float, environment: str = "prod", **more: object) -> Latch:
    """Return the latch of a service's rollout, so many seconds later."""
    name = attempt(number, environment)
    given = {"enforced": True, "reason": "EXPECTATION_FAILED", **more}
    time = START + timedelta(seconds=seconds)
    return Latch(f"{name}/latch", "watch", "errors", "d", name, create_time=time, **given)  # type: ignore[arg-type]


def taken_back(count: int, apart: float = 1.0) -> list[int]:
    """Return which of so many rollouts are taken back when all of them latch, one after the other."""
    under_way = [attempt(number) for number in range(count)]
    latches: list[Latch] = []
    gone = []
    for number in range(count):
        latches.append(latch(number, number * apart))
        if not is_on(attempt(number), latches, under_way):
            gone.append(number)
            under_way.remove(attempt(number))
    return gone


@pytest.mark.parametrize(("count", "most"), [(1, 1), (3, 3), (4, 3), (20, 3), (200, 10)])
def test_few_of_many_that_latch_together_are_taken_back(count: int, most: int) -> None:
    gone = taken_back(count)
    assert gone == list(range(len(gone)))
    assert min(count, 3) <= len(gone) <= most


def test_those_that_latch_apart_are_all_taken_back() -> None:
    assert len(taken_back(20, apart=300)) == 20


def test_it_stays_on_however_much_time_passes() -> None:
    latches = [latch(number, number) for number in range(4)]
    assert [is_on(attempt(number), latches, ()) for number in range(4)] == [False, False, False, True]
    # Nobody's time of asking is looked at, and what latches much later is another matter.
    latches.append(latch(9, 3600))
    assert is_on(attempt(3), latches, ())
    assert not is_on(attempt(9), latches, ())


def test_an_acknowledgement_releases_it() -> None:
    latches = [latch(number, number) for number in range(4)]
    assert is_on(attempt(3), latches, ())
    assert not is_on(attempt(3), latches[1:], ())


def test_other_environments_shadows_and_inconclusive_analyses_do_not_count() -> None:
    others = [
        latch(0, 0, "stage"),
        latch(1, 1, enforced=False),
        latch(2, 2, reason="ANALYSIS_INCONCLUSIVE"),
        latch(3, 3),
        latch(4, 4),
    ]
    assert not is_on(attempt(5), [*others, latch(5, 5)], ())
    assert is_on(attempt(6), [*others, latch(5, 5), latch(6, 6)], ())


def test_several_rules_of_one_rollout_are_one() -> None:
    latches = [latch(0, 0), latch(0, 1), latch(0, 2), latch(0, 3), latch(1, 4)]
    assert not is_on(attempt(1), latches, ())


def test_one_service_that_fails_again_and_again_is_no_shared_cause() -> None:
    again = [attempt(0).replace("1.0.0", f"1.0.{number}") for number in range(6)]
    latches = [replace(latch(0, number), attempt=name) for number, name in enumerate(again)]
    assert not any(is_on(name, latches, ()) for name in again)


def test_what_has_no_latch_is_not_braked() -> None:
    assert not is_on(attempt(7), [latch(number, number) for number in range(4)], ())
