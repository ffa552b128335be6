"""The worker: each job at least once, by one worker at a time, and an end in good order. On both engines."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from release_passport_server.adapters.sql.aside import Aside
from release_passport_server.adapters.sql.jobs import SQLJobs
from release_passport_server.adapters.sql.leases import SQLLeases
from release_passport_server.adapters.sql.store import SQLStore
from release_passport_server.domain.errors import Precondition, Unavailable
from release_passport_server.domain.job import Backoff, Claim, Lease, LeaseLost, Timer
from release_passport_server.domain.record import Page
from release_passport_server.ports.store import Transaction
from release_passport_server.worker.leases import while_held
from release_passport_server.worker.runner import Done, GiveUp, Handler, Pace, Runner, Work
from support.store import SECOND, START, TENANT, SetClock, a_release, opened, put_release

LEASE = timedelta(seconds=60)
PACE = Pace(lease=LEASE, backoff=Backoff(first=4 * SECOND, attempts=3))
KIND = "expire"


def aside_of(store: SQLStore, clock: SetClock) -> Aside:
    """Return small transactions at a time that the test moves, on either engine."""
    return Aside(store._engine, store._readers, lambda _: clock())


@pytest.fixture
def jobs(store: SQLStore, clock: SetClock) -> SQLJobs:
    return SQLJobs(aside_of(store, clock))


@pytest.fixture
async def other(store: SQLStore, url: str, clock: SetClock) -> AsyncIterator[SQLJobs]:
    """Give the jobs as another process sees them; SQLite has only one."""
    if url.startswith("sqlite"):
        yield SQLJobs(aside_of(store, clock))
        return
    async with opened(url, clock) as second:
        yield SQLJobs(aside_of(second, clock))


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


async def test_due_jobs_are_run_in_order_and_then_gone(
    store: SQLStore, jobs: SQLJobs, clock: SetClock
) -> None:
    for key, after in (("c", 3), ("a", 1), ("b", 2)):
        await scheduled(store, key, due=START + after * SECOND)
    done = Recorder()
    runner = runner_of(jobs, done)
    await all_run(runner)
    assert done.keys == []
    clock.time += 3 * SECOND
    await all_run(runner)
    assert done.keys == ["a", "b", "c"]
    assert runner.counts == {(KIND, "done"): 3}
    assert await jobs.next_time({KIND}) is None


async def test_a_kind_without_a_handler_is_left_alone(store: SQLStore, jobs: SQLJobs) -> None:
    await scheduled(store, "a", kind="of-a-later-version")
    await all_run(runner_of(jobs, Recorder()))
    assert await jobs.next_time({"of-a-later-version"}) == timedelta(0)


async def test_two_workers_share_the_work_and_do_nothing_twice(
    store: SQLStore, jobs: SQLJobs, other: SQLJobs
) -> None:
    await scheduled(store, *(f"job-{n:02}" for n in range(30)))
    runs: Counter[str] = Counter()
    by: Counter[str] = Counter()

    async def work(claim: Claim) -> None:
        runs[claim.key] += 1
        by[claim.holder] += 1
        await asyncio.sleep(0)

    runners = runner_of(jobs, work, "one"), runner_of(other, work, "two")
    while sum([await each for each in [r.once() for r in runners]]):
        pass
    await asyncio.gather(*(runner.settled() for runner in runners))
    await asyncio.gather(*map(all_run, runners))
    assert set(runs.values()) == {1}
    assert len(runs) == 30
    assert set(by) == {"one", "two"}


async def test_a_killed_workers_job_is_run_by_another_and_its_late_write_is_refused(
    store: SQLStore, jobs: SQLJobs, other: SQLJobs, clock: SetClock
) -> None:
    await scheduled(store, "a")
    (killed,) = await jobs.claim({KIND}, "killed", most=1, lease=LEASE)
    written: list[int] = []

    async def work(claim: Claim) -> Done:
        def act(tx: Transaction) -> None:
            put_release(tx, a_release(f"{claim.token}"))
            tx.finish_job(claim)

        await store.write(TENANT, act)
        written.append(claim.token)
        return Done.RECORDED

    heir = runner_of(other, work, "heir")
    await all_run(heir)
    assert written == []
    clock.time += LEASE
    await all_run(heir)
    assert written == [killed.token + 1]
    with pytest.raises(LeaseLost):
        await work(killed)
    assert written == [killed.token + 1]


async def test_a_failing_job_is_tried_again_ever_later_and_then_is_dead(
    store: SQLStore, jobs: SQLJobs, clock: SetClock, caplog: pytest.LogCaptureFixture
) -> None:
    await scheduled(store, "a")
    work = Recorder(
        errors=[ValueError("s3cret"), Precondition("STAGE_MISMATCH", "wrong stage"), KeyError("x")]
    )
    runner = runner_of(jobs, work)
    waits = []
    for _ in range(2):
        await all_run(runner)
        wait = await jobs.next_time({KIND})
        assert wait is not None
        waits.append(wait)
        clock.time += wait
    assert 2 * SECOND <= waits[0] <= 4 * SECOND <= waits[1] <= 8 * SECOND
    await all_run(runner)
    (dead,) = (await jobs.dead(TENANT, Page(1))).items
    assert (dead.key, dead.attempts, dead.error) == ("a", 3, "KeyError")
    assert [claim.attempts for claim in work.seen] == [1, 2, 3]
    assert runner.counts == {(KIND, "failed"): 2, (KIND, "dead"): 1}
    assert "a job is dead" in caplog.text
    await jobs.revive(TENANT, KIND, "a")
    await all_run(runner)
    assert runner.counts[KIND, "done"] == 1


async def test_what_cannot_succeed_is_dead_at_once(store: SQLStore, jobs: SQLJobs) -> None:
    await scheduled(store, "a")
    await all_run(runner_of(jobs, Recorder(errors=[GiveUp("there is no such release")])))
    (dead,) = (await jobs.dead(TENANT, Page(1))).items
    assert (dead.attempts, dead.error) == (1, "there is no such release")


async def test_a_job_that_says_when_is_due_again_then(
    store: SQLStore, jobs: SQLJobs, clock: SetClock
) -> None:
    await scheduled(store, "a")
    times = []

    async def work(claim: Claim) -> datetime:
        times.append(clock.time)
        return clock.time + 30 * SECOND

    runner = runner_of(jobs, work)
    for _ in range(3):
        await all_run(runner)
        clock.time += 30 * SECOND
    assert times == [START, START + 30 * SECOND, START + 60 * SECOND]
    assert runner.counts == {(KIND, "again"): 3}


async def test_no_more_is_begun_than_there_is_room_for(store: SQLStore, jobs: SQLJobs) -> None:
    await scheduled(store, *"abcde")
    await scheduled(store, *"vwxyz", kind="collect")
    gate = asyncio.Event()
    slow, quick = Recorder(gate=gate), Recorder(gate=gate)
    pace = Pace(at_once=4)
    runner = Runner(jobs, {KIND: Work(slow, 2), "collect": Work(quick, 3)}, "one", pace, random.Random(7))
    begun = 0
    while more := await runner.once():
        begun += more
    while len(slow.seen) + len(quick.seen) < begun:
        await asyncio.wait({*runner._running}, timeout=0)
    assert (len(slow.seen), len(quick.seen)) in {(2, 2), (1, 3)}
    gate.set()
    await runner.settled()
    await all_run(runner)
    assert (sorted(slow.keys), sorted(quick.keys)) == (list("abcde"), list("vwxyz"))


async def test_stopping_lets_work_end_and_begins_nothing(store: SQLStore, jobs: SQLJobs) -> None:
    await scheduled(store, "a", "b")
    work = Recorder(gate=asyncio.Event())
    runner = runner_of(jobs, work, at_once=1)
    runner.start()
    await work.begun.wait()
    stopped = asyncio.create_task(runner.stop(grace=timedelta(minutes=1)))
    await asyncio.sleep(0)
    assert not stopped.done()
    assert work.gate is not None
    work.gate.set()
    assert await stopped
    assert (work.keys, work.cancelled, runner.counts) == (["a"], False, {(KIND, "done"): 1})


async def test_what_does_not_end_in_time_is_given_back_at_once(
    store: SQLStore, jobs: SQLJobs, other: SQLJobs
) -> None:
    await scheduled(store, "a")
    work, heir = Recorder(gate=asyncio.Event()), Recorder()
    runner = runner_of(jobs, work)
    runner.start()
    await work.begun.wait()
    assert not await runner.stop(grace=timedelta(0))
    assert work.cancelled
    await all_run(runner_of(other, heir, "two"))
    assert [(claim.key, claim.attempts) for claim in heir.seen] == [("a", 1)]
    assert heir.seen[0].token > work.seen[0].token


async def test_a_started_worker_looks_by_itself_and_when_it_is_woken(store: SQLStore, jobs: SQLJobs) -> None:
    work = Recorder()
    runner = runner_of(jobs, work, pace=Pace(look=timedelta(hours=1)))
    await scheduled(store, "first")
    runner.start()
    await work.begun.wait()
    work.begun.clear()
    await runner.settled()
    await scheduled(store, "second")
    runner.wake()
    await work.begun.wait()
    assert await runner.stop(grace=timedelta(minutes=1))
    assert work.keys == ["first", "second"]


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


SHORT = Pace(
    look=timedelta(milliseconds=5), lease=timedelta(milliseconds=60), backoff=Backoff(first=timedelta(0))
)


async def test_a_store_that_does_not_answer_is_asked_again(store: SQLStore, jobs: SQLJobs) -> None:
    flaky, work = Flaky(jobs), Recorder()
    flaky.looks = 3
    await scheduled(store, "a")
    runner = runner_of(flaky, work, pace=SHORT)  # type: ignore[arg-type]
    runner.start()
    await work.begun.wait()
    assert await runner.stop(grace=timedelta(minutes=1))
    assert flaky.looks == 0


async def test_a_job_whose_end_was_not_recorded_runs_again(
    store: SQLStore, jobs: SQLJobs, clock: SetClock
) -> None:
    flaky, work = Flaky(jobs), Recorder()
    flaky.finishes = 1
    await scheduled(store, "a")
    runner = runner_of(flaky, work)  # type: ignore[arg-type]
    await all_run(runner)
    assert runner.counts == {(KIND, "lost"): 1}
    clock.time += LEASE
    await all_run(runner)
    assert work.keys == ["a", "a"]
    assert runner.counts[KIND, "done"] == 1


async def test_a_long_job_keeps_its_lease(
    store: SQLStore, jobs: SQLJobs, other: SQLJobs, clock: SetClock
) -> None:
    flaky, work = Flaky(jobs), Recorder(gate=asyncio.Event())
    # One failure to extend is not yet a loss.
    flaky.extensions = 1
    await scheduled(store, "a")
    runner = runner_of(flaky, work, pace=SHORT)  # type: ignore[arg-type]
    await runner.once()
    await flaky.extended.wait()
    flaky.extended.clear()
    clock.time += LEASE - SECOND
    # The next extension counts from now.
    await flaky.extended.wait()
    flaky.extended.clear()
    await flaky.extended.wait()
    clock.time += LEASE - SECOND
    assert await other.claim({KIND}, "two", most=1, lease=LEASE) == ()
    assert work.gate is not None
    work.gate.set()
    await runner.settled()
    assert runner.counts == {(KIND, "done"): 1}


@pytest.mark.parametrize("how", ["taken", "store away"])
async def test_work_is_stopped_when_its_job_is_lost(
    store: SQLStore, jobs: SQLJobs, other: SQLJobs, clock: SetClock, how: str
) -> None:
    flaky, work = Flaky(jobs), Recorder(gate=asyncio.Event())
    await scheduled(store, "a")
    runner = runner_of(flaky, work, pace=SHORT)  # type: ignore[arg-type]
    await runner.once()
    if how == "taken":
        heirs: tuple[Claim, ...] = ()
        while not heirs:
            # The lease may have been extended in between.
            clock.time += LEASE
            heirs = await other.claim({KIND}, "two", most=1, lease=LEASE)
    else:
        flaky.extensions = 1000
    await runner.settled()
    assert work.cancelled
    assert runner.counts == {(KIND, "lost"): 1}
    if how == "taken":
        assert await other.finish(heirs[0])


async def test_a_leases_work_goes_on_while_it_is_held_and_by_one_alone(
    store: SQLStore, clock: SetClock
) -> None:
    leases = SQLLeases(aside_of(store, clock))
    gate, begun = asyncio.Event(), asyncio.Event()

    async def work(lease: Lease) -> int:
        begun.set()
        await gate.wait()
        return lease.token

    first = asyncio.create_task(while_held(leases, TENANT, "log", "one", length=LEASE, work=work))
    await begun.wait()
    assert await while_held(leases, TENANT, "log", "two", length=LEASE, work=work) is None
    gate.set()
    assert await first == 1
    assert await while_held(leases, TENANT, "log", "two", length=LEASE, work=work) == 2


async def test_a_leases_work_is_stopped_when_another_has_it(store: SQLStore, clock: SetClock) -> None:
    leases = SQLLeases(aside_of(store, clock))
    begun, stopped = asyncio.Event(), asyncio.Event()

    async def work(_: Lease) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    length = timedelta(milliseconds=60)
    task = asyncio.create_task(while_held(leases, TENANT, "log", "one", length=length, work=work))
    await begun.wait()
    clock.time += length
    heir = None
    while heir is None:
        # A renewal may have come in between.
        heir = await leases.acquire(TENANT, "log", "two", LEASE)
        clock.time += length
    with pytest.raises(LeaseLost):
        await task
    assert stopped.is_set()
    assert await leases.renew(heir, LEASE) is not None
