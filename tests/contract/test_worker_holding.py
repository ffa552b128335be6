"""Work goes on as long as it is held, and no longer. On both engines."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from release_passport_server.adapters.sql.jobs import SQLJobs
from release_passport_server.adapters.sql.leases import SQLLeases
from release_passport_server.adapters.sql.store import SQLStore
from release_passport_server.domain.job import Backoff, Claim, Lease, LeaseLost
from release_passport_server.worker.leases import while_held
from release_passport_server.worker.runner import Pace
from support.store import SECOND, TENANT, SetClock
from support.working import KIND, LEASE, Flaky, Recorder, all_run, aside_of, runner_of, scheduled

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
