"""Workers whose work tests watch, hold up and let fail."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from release_passport_server.adapters.sql.aside import Aside
from release_passport_server.adapters.sql.jobs import SQLJobs
from release_passport_server.adapters.sql.store import SQLStore
from release_passport_server.domain.errors import Unavailable
from release_passport_server.domain.job import Backoff, Claim, Timer
from release_passport_server.ports.store import Transaction
from release_passport_server.worker.runner import Handler, Pace, Runner, Work
from support.store import SECOND, START, TENANT, SetClock

LEASE = timedelta(seconds=60)
PACE = Pace(lease=LEASE, backoff=Backoff(first=4 * SECOND, attempts=3))
KIND = "expire"


def aside_of(store: SQLStore, clock: SetClock) -> Aside:
    """Return small transactions at a time that the test moves, on either engine."""
    return Aside(store._engine, store._readers, lambda _: clock())


def runner_of(
    jobs: SQLJobs, handler: Handler, holder: str = "one", *, at_once: int = 4, pace: Pace = PACE
) -> Runner:
    return Runner(jobs, {KIND: Work(handler, at_once)}, holder, pace, random.Random(7))


async def scheduled(store: SQLStore, *keys: str, due: datetime = START, kind: str = KIND) -> None:
    def act(tx: Transaction) -> None:
        for key in keys:
            tx.schedule(Timer(kind, key, due))

    await store.write(TENANT, act)


async def all_run(runner: Runner) -> None:
    """Run what is due, and what becomes due by that."""
    while await runner.once():
        await runner.settled()


@dataclass(slots=True)
class Recorder:
    """A handler that notes what it was given, and can be made to wait or to fail."""

    seen: list[Claim] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    gate: asyncio.Event | None = None
    cancelled: bool = False

    async def __call__(self, claim: Claim) -> None:
        self.seen.append(claim)
        self.begun.set()
        if self.errors:
            raise self.errors.pop(0)
        try:
            if self.gate is not None:
                await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise

    @property
    def keys(self) -> list[str]:
        return [claim.key for claim in self.seen]


class Flaky:
    """Jobs of a store that fails as often as it is told to."""

    def __init__(self, jobs: SQLJobs) -> None:
        self._jobs = jobs
        self.looks = self.extensions = self.finishes = 0
        self.extended = asyncio.Event()

    def __getattr__(self, name: str) -> object:
        return getattr(self._jobs, name)

    async def next_time(self, kinds: Collection[str]) -> timedelta | None:
        if self.looks > 0:
            self.looks -= 1
            raise Unavailable("STORE_UNAVAILABLE", "away")
        return await self._jobs.next_time(kinds)

    async def extend(self, claim: Claim, lease: timedelta) -> bool:
        if self.extensions > 0:
            self.extensions -= 1
            raise Unavailable("STORE_UNAVAILABLE", "away")
        self.extended.set()
        return await self._jobs.extend(claim, LEASE)

    async def finish(self, claim: Claim, again: datetime | None = None) -> bool:
        if self.finishes > 0:
            self.finishes -= 1
            raise Unavailable("STORE_UNAVAILABLE", "away")
        return await self._jobs.finish(claim, again)
