"""The brake on rollbacks: one cause that many rollouts share takes a few of them back, and then waits for people."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from release_passport_server.domain.ids import AttemptName
from release_passport_server.domain.release import Latch
from release_passport_server.domain.watch_window import recommends

# What latches within so long is counted together.
TOGETHER = timedelta(minutes=10)
# So many services of an environment are taken back before the brake is on, or this part of those under way.
AT_LEAST, PART = 3, 20


def is_on(attempt: str, latches: Iterable[Latch], under_way: Iterable[str]) -> bool:
    """Say whether so many other services of an attempt's environment latched shortly before it that it has to wait.

    An acknowledgement takes a latch away, so it is people who release the brake. Those that latched first go back.
    """
    of = AttemptName.parse(attempt).release
    found = [one for one in latches if recommends(one)]
    mine = min((one.create_time for one in found if one.attempt == attempt), default=None)
    if mine is None:
        return False
    before = {
        service
        for one in found
        if (service := _service(one.attempt, of.environment)) not in ("", of.service)
        and mine - TOGETHER < one.create_time
        and (one.create_time, service) < (mine, of.service)
    }
    here = {_service(one, of.environment) for one in under_way} - {""}
    return len(before) >= max(AT_LEAST, len({*here, *before, of.service}) // PART)


def _service(attempt: str, environment: str) -> str:
    """Return whose rollout an attempt is; empty where it is one of another environment."""
    of = AttemptName.parse(attempt).release
    return of.service if of.environment == environment else ""
