"""How long to wait after failures."""

from __future__ import annotations

import random
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from release_passport_server.domain.job import Backoff

SECOND = timedelta(seconds=1)


@given(st.integers(1, 11), st.integers())
def test_waits_double_up_to_the_longest_and_differ(attempts: int, seed: int) -> None:
    backoff = Backoff(first=SECOND, longest=100 * SECOND, attempts=12)
    step = min(SECOND * 2 ** (attempts - 1), 100 * SECOND)
    wait = backoff.after(attempts, random.Random(seed))
    assert wait is not None
    assert step / 2 <= wait <= step


def test_many_that_fail_together_do_not_come_back_together() -> None:
    chance, backoff = random.Random(1), Backoff()
    waits = {backoff.after(8, chance) for _ in range(100)}
    assert len(waits) > 90


def test_the_last_attempt_is_the_last() -> None:
    backoff = Backoff(attempts=3)
    assert backoff.after(2, random.Random(1)) is not None
    assert backoff.after(3, random.Random(1)) is None
    assert Backoff(attempts=10**9).after(10**6, random.Random(1)) is not None
