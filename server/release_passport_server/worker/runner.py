"""Runs jobs when they are due, in the server's own loop; any number of processes may do so at once.

A job is run at least once: handlers do again what was done before without harm, or finish the job in the
transaction that does it (`tx.finish_job`). A worker that is killed holds its jobs until their lease ends.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import Counter, deque
from collections.abc import Callable, Collection, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from release_passport_server.domain.errors import PassportError
from release_passport_server.domain.job import Backoff, Claim, LeaseLost
from release_passport_server.ports.leases import Jobs
from release_passport_server.worker.leases import kept

logger = logging.getLogger(__name__)
# What work that was stopped has left to put away.
_LAST_SECONDS = 2.0


class Done(Enum):
    """What a handler answers that has finished its job itself, in a transaction of its own."""

    RECORDED = "recorded"


class GiveUp(Exception):
    """A job cannot succeed, however often it is tried: it is dead at once, with this text."""


# What is to be done; None: it is done; a time: it is due again then.
Handler = Callable[[Claim], Coroutine[Any, Any, "datetime | Done | None"]]


@dataclass(frozen=True, slots=True)
class Work:
    """How jobs of one kind are done, and how many of them at once in this process."""

    handler: Handler
    at_once: int = 4
    # Waits for others most of its time: where the server stops it is given back at once, and begun anew elsewhere.
    waits: bool = False


@dataclass(frozen=True, slots=True)
class Pace:
    """How much the runner does at once, how often it looks, how long it holds a job and waits after failures."""

    at_once: int = 8
    look: timedelta = timedelta(seconds=1)
    # Whoever is woken looks at once, but no more than so many times in a breath: a busy store has better things to do.
    looks: int = 4
    breath: timedelta = timedelta(milliseconds=200)
    lease: timedelta = timedelta(seconds=60)
    backoff: Backoff = field(default_factory=Backoff)


class Runner:
    """Claims and runs; `start` and `stop` each once."""

    def __init__(
        self,
        jobs: Jobs,
        work: Mapping[str, Work],
        holder: str,
        pace: Pace | None = None,
        chance: random.Random | None = None,
    ) -> None:
        self._jobs = jobs
        self._work = work
        self._holder = holder
        self._pace = pace or Pace()
        self._chance = chance or random.SystemRandom()
        self._running: dict[asyncio.Task[None], Claim] = {}
        self._stir = asyncio.Event()
        # Something is due, as far as is known here.
        self._due = False
        self._stopping = False
        self._next: timedelta | None = None
        self._loop: asyncio.Task[None] | None = None
        # How jobs ended: "done", "again", "failed", "dead", "lost" by kind.
        self.counts: Counter[tuple[str, str]] = Counter()

    def start(self) -> None:
        """Begin to look for jobs."""
        self._loop = asyncio.create_task(self._look_for_ever(), name="worker")

    def wake(self, kinds: Collection[str]) -> None:
        """Look now, if any of these kinds is run here: jobs of them were scheduled in this process."""
        if not self._work.keys().isdisjoint(kinds):
            self._due = True
            self._stir.set()

    async def stop(self, grace: timedelta) -> bool:
        """Claim no more, let what runs end within the grace, give the rest back; return whether all of it ended."""
        self._stopping = True
        self._stir.set()
        if self._loop is not None:
            await self._loop
        finished = True
        waiting = [task for task, claim in self._running.items() if self._work[claim.kind].waits]
        for task in waiting:
            task.cancel()
        if waiting:
            await asyncio.wait(waiting, timeout=_LAST_SECONDS)
        if self._running:
            _, cut = await asyncio.wait(self._running, timeout=grace.total_seconds())
            finished = not cut
            for task in cut:
                task.cancel()
            if cut:
                await asyncio.wait(cut, timeout=_LAST_SECONDS)
        return finished

    async def once(self) -> int:
        """Claim what is due and can be begun now, and begin it; return how much that was."""
        self._next = None
        kinds, most = self._room()
        if not kinds:
            return 0
        for claim in (claims := await self._claim(kinds, most)):
            task = asyncio.create_task(self._run(claim), name=f"job {claim.kind}")
            self._running[task] = claim
            task.add_done_callback(self._ended)
        return len(claims)

    async def _claim(self, kinds: frozenset[str], most: int) -> tuple[Claim, ...]:
        """Return what is due, or remember when something will be; where that is known already nobody is asked first."""
        is_known, self._due = self._due, False
        if not is_known:
            self._next = await self._jobs.next_time(kinds)
            if self._next is None or self._next > timedelta(0):
                return ()
            self._next = None
        claims = await self._jobs.claim(kinds, self._holder, most=most, lease=self._pace.lease)
        return claims if claims or not is_known else await self._claim(kinds, most)

    async def settled(self) -> None:
        """Return when nothing runs."""
        while self._running:
            await asyncio.wait(self._running)

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._running[task]
        # There is room again.
        self._stir.set()

    def _room(self) -> tuple[frozenset[str], int]:
        """Return the kinds of which another job can be begun, and how many may be claimed for any of them."""
        busy = Counter(claim.kind for claim in self._running.values())
        room = {kind: work.at_once - busy[kind] for kind, work in self._work.items()}
        kinds = frozenset(kind for kind, free in room.items() if free > 0)
        free = self._pace.at_once - len(self._running)
        if not kinds or free <= 0:
            return frozenset(), 0
        return kinds, min(free, *(room[kind] for kind in kinds))

    async def _look_for_ever(self) -> None:
        failures = 0
        clock = asyncio.get_running_loop().time
        breath = self._pace.breath.total_seconds()
        looked = deque([clock() - breath], maxlen=self._pace.looks)
        while await self._breathed(looked[0] + breath - clock()):
            looked.append(clock())
            self._stir.clear()
            begun, wait = 0, self._pace.look
            try:
                begun, failures = await self.once(), 0
            except PassportError as error:
                failures += 1
                wait = self._wait_after(failures)
                logger.warning("jobs cannot be looked for", extra={"reason": error.reason})
            except Exception:
                failures += 1
                wait = self._wait_after(failures)
                logger.exception("looking for jobs failed")
            if not begun:
                await self._idle(wait)

    async def _breathed(self, seconds: float) -> bool:
        """Wait until the next look; say whether there is to be one."""
        if seconds > 0 and not self._stopping:
            await asyncio.sleep(seconds)
        return not self._stopping

    def _wait_after(self, failures: int) -> timedelta:
        return max(self._pace.look, min(self._pace.backoff.first * failures, timedelta(seconds=30)))

    async def _idle(self, longest: timedelta) -> None:
        """Wait for what is due next, for something to happen here, or for a while that differs between workers."""
        seconds = longest.total_seconds() * self._chance.uniform(0.8, 1.2)
        if self._next is not None:
            seconds = min(seconds, self._next.total_seconds())
        await asyncio.wait({stir := asyncio.create_task(self._stir.wait())}, timeout=seconds)
        stir.cancel()

    async def _run(self, claim: Claim) -> None:
        """Run one job and say what came of it; never raises but when it is cancelled."""
        try:
            how = await self._done(claim)
        except PassportError as error:
            # The store does not answer: the job is run again when its lease has ended.
            logger.warning("a job's end was not recorded", extra=_ids(claim) | {"reason": error.reason})
            how = "lost"
        self.counts[claim.kind, how] += 1

    async def _done(self, claim: Claim) -> str:
        work, lease = self._work[claim.kind].handler, self._pace.lease
        try:
            result = await kept(work(claim), claim, lease, lambda: self._jobs.extend(claim, lease))
        except asyncio.CancelledError:
            await self._jobs.give_back(claim)
            raise
        except LeaseLost:
            logger.info("a job was somebody else's before it ended", extra=_ids(claim))
            return "lost"
        except GiveUp as error:
            return await self._failed(claim, str(error), None)
        except Exception as error:
            logger.exception("a job failed", extra=_ids(claim))
            retry = self._pace.backoff.after(claim.attempts, self._chance)
            return await self._failed(claim, _told(error), retry)
        if result is Done.RECORDED:
            return "done"
        again = result if isinstance(result, datetime) else None
        if not await self._jobs.finish(claim, again):
            return "lost"
        return "done" if again is None else "again"

    async def _failed(self, claim: Claim, error: str, retry: timedelta | None) -> str:
        if not await self._jobs.fail(claim, error, retry):
            return "lost"
        if retry is None:
            logger.error("a job is dead: it is not tried again by itself", extra=_ids(claim))
            return "dead"
        return "failed"


def _ids(claim: Claim) -> dict[str, object]:
    return {"tenant": claim.tenant, "kind": claim.kind, "key": claim.key, "attempts": claim.attempts}


def _told(error: Exception) -> str:
    """Return what is kept of an error: of those that are not ours the kind alone, for texts can hold secrets."""
    return f"{error.reason}: {error.message}" if isinstance(error, PassportError) else type(error).__name__
