"""The worker: each job at least once, by one worker at a time, and an end in good order. On both engines."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, cast

import pytest

from release_passport_server.adapters.sql.jobs import SQLJobs
from release_passport_server.adapters.sql.store import SQLStore
from release_passport_server.domain.errors import Precondition
from release_passport_server.domain.job import Claim, LeaseLost
from release_passport_server.domain.record import Page
from release_passport_server.ports.store import Transaction
from release_passport_server.worker.runner import Done, GiveUp, Pace, Runner, Work
from support.store import SECOND, START, TENANT, SetClock, a_release, put_release
from support.working import KIND, LEASE, PACE, Recorder, all_run, runner_of, scheduled


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


async def test_what_only_waits_is_given_back_whatever_the_grace(store: SQLStore, jobs: SQLJobs) -> None:
    work, heir = Recorder(gate=asyncio.Event()), Recorder()
    await scheduled(store, "a")
    runner = Runner(jobs, {KIND: Work(work, waits=True)}, "one", PACE)
    runner.start()
    await work.begun.wait()
    async with asyncio.timeout(30):
        assert await runner.stop(grace=timedelta(hours=1))
    assert work.cancelled
    await all_run(runner_of(jobs, heir, "two"))
    assert heir.keys == ["a"]


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
    runner.wake({KIND})
    await work.begun.wait()
    assert await runner.stop(grace=timedelta(minutes=1))
    assert work.keys == ["first", "second"]


class CountedJobs:
    """Jobs that count how often it is asked when something is due, and how often something is claimed."""

    def __init__(self, jobs: SQLJobs) -> None:
        self._jobs = jobs
        self.asked = self.claimed = 0

    async def next_time(self, kinds: Collection[str]) -> timedelta | None:
        self.asked += 1
        return await self._jobs.next_time(kinds)

    async def claim(self, *given: Any, **named: Any) -> tuple[Claim, ...]:
        self.claimed += 1
        return await self._jobs.claim(*given, **named)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._jobs, name)


async def test_what_is_known_to_be_due_is_claimed_without_a_question(store: SQLStore, jobs: SQLJobs) -> None:
    counted, work = CountedJobs(jobs), Recorder()
    runner = runner_of(cast(Any, counted), work)
    await scheduled(store, "a")
    runner.wake({"another kind"})
    assert await runner.once() == 1
    assert (counted.asked, counted.claimed) == (1, 1)
    await runner.settled()
    await scheduled(store, "b")
    runner.wake({"another kind", KIND})
    assert await runner.once() == 1
    assert (counted.asked, counted.claimed) == (1, 2)
    await runner.settled()
    # Somebody else was faster: when to look again has to be asked.
    runner.wake({KIND})
    assert await runner.once() == 0
    assert (counted.asked, counted.claimed) == (2, 3)
    assert work.keys == ["a", "b"]
