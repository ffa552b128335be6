"""Jobs: scheduled with what they belong to, run by one worker at a time, never lost. On both engines."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from release_passport_server.adapters.sql.jobs import SQLJobs
from release_passport_server.adapters.sql.store import SQLStore
from release_passport_server.domain.errors import Precondition
from release_passport_server.domain.job import Backlog, Claim, LeaseLost, Timer
from release_passport_server.domain.record import Page
from release_passport_server.ports.judging import Conclusion, LoadedCase
from release_passport_server.ports.store import Transaction
from support.store import SECOND, START, TENANT, Question, SetClock, a_release, a_tenant, put_release

LEASE = timedelta(seconds=60)
KINDS = ("expire", "collect")


async def scheduled(store: SQLStore, *timers: Timer, tenant: str = TENANT) -> None:
    def act(tx: Transaction) -> None:
        for timer in timers:
            tx.schedule(timer)

    await store.write(tenant, act)


def a_timer(key: str = "release-1", due: datetime = START, *, kind: str = "expire") -> Timer:
    return Timer(kind, key, due, b"why")


async def claimed(jobs: SQLJobs, holder: str = "one", most: int = 10) -> list[str]:
    return [claim.key for claim in await jobs.claim(KINDS, holder, most=most, lease=LEASE)]


async def only(jobs: SQLJobs, holder: str = "one") -> Claim:
    (claim,) = await jobs.claim(KINDS, holder, most=10, lease=LEASE)
    return claim


async def test_timers_fire_in_the_order_of_their_times_and_none_before(
    store: SQLStore, jobs: SQLJobs, clock: SetClock
) -> None:
    times = {"c": 30, "a": 10, "d": 40, "b": 20}
    await scheduled(store, *(a_timer(key, START + after * SECOND) for key, after in times.items()))
    assert (await claimed(jobs), await jobs.next_time(KINDS)) == ([], 10 * SECOND)
    clock.time += 30 * SECOND
    assert await claimed(jobs, most=2) == ["a", "b"]
    assert await claimed(jobs) == ["c"]
    assert await jobs.next_time(KINDS) == 10 * SECOND
    clock.time += 10 * SECOND
    assert await claimed(jobs) == ["d"]


async def test_a_job_is_claimed_with_all_that_was_scheduled(store: SQLStore, jobs: SQLJobs) -> None:
    await scheduled(store, a_timer())
    claim = await only(jobs)
    assert replace(claim, token=0) == Claim(
        TENANT, "expire", "release-1", START, b"why", attempts=1, generation=0, holder="one", token=0
    )


async def test_a_job_is_scheduled_with_the_rest_of_its_transaction_or_not_at_all(
    store: SQLStore, jobs: SQLJobs
) -> None:
    def fails(tx: Transaction) -> None:
        tx.schedule(a_timer("of-the-failed"))
        put_release(tx, a_release())
        raise Precondition("STAGE_MISMATCH", "no")

    with pytest.raises(Precondition):
        await store.write(TENANT, fails)

    def works(tx: Transaction) -> None:
        put_release(tx, a_release())
        tx.schedule(a_timer("of-the-good"))

    await store.write(TENANT, works)
    assert await claimed(jobs) == ["of-the-good"]


async def test_scheduling_alone_is_committed_and_takes_no_revision(store: SQLStore, jobs: SQLJobs) -> None:
    before = (await store.write(TENANT, lambda tx: tx.revision())).revision
    await scheduled(store, a_timer())
    assert (await store.write(TENANT, lambda tx: tx.revision())).revision == before
    assert await claimed(jobs) == ["release-1"]


async def test_a_decision_comes_with_its_timers(store: SQLStore, jobs: SQLJobs) -> None:
    class Timed(Question):
        def conclude(self, loaded: LoadedCase) -> Conclusion:
            concluded = super().conclude(loaded)
            return replace(concluded, timers=(a_timer(self.release.name),))

    questions = [Timed(a_release(version), creates=True) for version in ("1.0.0", "2.0.0", "1.0.0")]
    await asyncio.gather(*(store.judge(question) for question in questions))
    assert sorted(await claimed(jobs)) == sorted({question.release.name for question in questions})


async def test_scheduling_again_replaces(store: SQLStore, jobs: SQLJobs, clock: SetClock) -> None:
    await scheduled(store, a_timer())
    later = replace(a_timer(due=START + 5 * SECOND), payload=b"anew")
    await scheduled(store, a_timer(due=START + 9 * SECOND), later)
    assert await claimed(jobs) == []
    clock.time += 5 * SECOND
    claim = await only(jobs)
    assert (claim.due_time, claim.payload) == (START + 5 * SECOND, b"anew")


async def test_tenants_and_kinds_have_keys_of_their_own(store: SQLStore, jobs: SQLJobs) -> None:
    await store.write("globex", lambda tx: tx.put_tenant(a_tenant("globex")))
    await scheduled(store, a_timer(), a_timer(kind="collect"), a_timer(kind="unknown"))
    await scheduled(store, a_timer(), tenant="globex")
    found = await jobs.claim(KINDS, "one", most=10, lease=LEASE)
    assert {(claim.tenant, claim.kind) for claim in found} == {
        (TENANT, "expire"),
        (TENANT, "collect"),
        ("globex", "expire"),
    }


async def test_what_is_unscheduled_is_not_run(store: SQLStore, jobs: SQLJobs) -> None:
    def both(tx: Transaction) -> None:
        tx.schedule(a_timer("a"))
        tx.schedule(a_timer("b"))
        tx.unschedule("expire", "a")

    await store.write(TENANT, both)
    assert await claimed(jobs) == ["b"]
    await store.write(TENANT, lambda tx: tx.unschedule("expire", "b"))
    assert await jobs.next_time(KINDS) is None


async def test_two_workers_never_hold_the_same_job(store: SQLStore, jobs: SQLJobs, other: SQLJobs) -> None:
    await scheduled(store, *(a_timer(f"job-{n:02}") for n in range(40)))
    rounds = [
        claimed(each, holder, most=3) for _ in range(10) for each, holder in ((jobs, "one"), (other, "two"))
    ]
    taken = [key for keys in await asyncio.gather(*rounds) for key in keys]
    taken += await claimed(jobs, most=40)
    assert sorted(taken) == [f"job-{n:02}" for n in range(40)]


async def test_a_killed_workers_job_is_run_again_with_a_higher_token(
    store: SQLStore, jobs: SQLJobs, other: SQLJobs, clock: SetClock
) -> None:
    await scheduled(store, a_timer())
    killed = await only(jobs)
    clock.time += LEASE - SECOND
    assert await claimed(other, "two") == []
    clock.time += SECOND
    heir = await only(other, "two")
    assert heir.token > killed.token
    assert heir.attempts == 2


async def test_a_lease_that_is_extended_does_not_end(store: SQLStore, jobs: SQLJobs, clock: SetClock) -> None:
    await scheduled(store, a_timer())
    claim = await only(jobs)
    clock.time += LEASE - SECOND
    assert await jobs.extend(claim, LEASE)
    clock.time += LEASE - SECOND
    assert await claimed(jobs, "two") == []


async def test_a_stale_holder_changes_nothing(
    store: SQLStore, jobs: SQLJobs, other: SQLJobs, clock: SetClock
) -> None:
    await scheduled(store, a_timer())
    stale = await only(jobs)
    clock.time += LEASE
    heir = await only(other, "two")
    release = a_release()

    def write(tx: Transaction, claim: Claim) -> None:
        tx.hold(claim)
        put_release(tx, release)

    def write_and_finish(tx: Transaction, claim: Claim) -> None:
        put_release(tx, release)
        tx.finish_job(claim)

    for act in (write, write_and_finish):
        with pytest.raises(LeaseLost):
            await store.write(TENANT, lambda tx, act=act: act(tx, stale))  # type: ignore[misc]
    assert not await jobs.extend(stale, LEASE)
    assert not await jobs.finish(stale)
    assert not await jobs.fail(stale, "too late", SECOND)
    assert not await jobs.give_back(stale)
    find = await store.read(
        TENANT, lambda reader: reader.find_release("checkout", "prod", release.identity.version)
    )
    assert find is None
    await store.write(TENANT, lambda tx: write_and_finish(tx, heir))
    assert await jobs.next_time(KINDS) is None


async def test_one_holder_is_not_mistaken_for_itself(store: SQLStore, jobs: SQLJobs, clock: SetClock) -> None:
    await scheduled(store, a_timer())
    stale = await only(jobs)
    clock.time += LEASE
    again = await only(jobs)
    assert await jobs.finish(again)
    await scheduled(store, a_timer(due=clock.time))
    assert (await only(jobs)).token > again.token
    assert not await jobs.finish(stale)


async def test_another_tenants_job_is_not_held(store: SQLStore, jobs: SQLJobs) -> None:
    await store.write("globex", lambda tx: tx.put_tenant(a_tenant("globex")))
    await scheduled(store, a_timer())
    claim = await only(jobs)
    for act in (lambda tx: tx.hold(claim), lambda tx: tx.finish_job(claim)):
        with pytest.raises(LeaseLost):
            await store.write("globex", act)


async def test_a_finished_job_is_gone_or_due_again(store: SQLStore, jobs: SQLJobs, clock: SetClock) -> None:
    await scheduled(store, a_timer())
    assert await jobs.finish(await only(jobs), START + 7 * SECOND)
    assert (await claimed(jobs), await jobs.next_time(KINDS)) == ([], 7 * SECOND)
    clock.time += 7 * SECOND
    claim = await only(jobs)
    assert claim.attempts == 1
    assert await jobs.finish(claim)
    assert await jobs.next_time(KINDS) is None


async def test_what_is_scheduled_while_it_runs_runs_again_and_not_at_the_same_time(
    store: SQLStore, jobs: SQLJobs
) -> None:
    await scheduled(store, a_timer())
    running = await only(jobs)
    await scheduled(store, replace(a_timer(), payload=b"more"))
    assert await claimed(jobs, "two") == []
    assert await jobs.finish(running)
    assert (await only(jobs, "two")).payload == b"more"


async def test_what_is_put_off_while_its_worker_is_killed_waits_and_holds_nothing_up(
    store: SQLStore, jobs: SQLJobs, clock: SetClock
) -> None:
    await scheduled(store, a_timer())
    await only(jobs)
    await scheduled(store, a_timer(due=START + 2 * LEASE))
    clock.time += LEASE
    assert (await claimed(jobs), await jobs.next_time(KINDS)) == ([], LEASE)
    await scheduled(store, a_timer("another", due=clock.time))
    assert await jobs.next_time(KINDS) == timedelta(0)
    assert await claimed(jobs) == ["another"]
    clock.time += LEASE
    assert await claimed(jobs, most=1) == ["release-1"]


async def test_a_failed_job_waits_and_a_dead_one_is_shown_and_revived(
    store: SQLStore, jobs: SQLJobs, clock: SetClock
) -> None:
    await scheduled(store, a_timer("a"), a_timer("b"))
    for claim in await jobs.claim(KINDS, "one", most=2, lease=LEASE):
        assert await jobs.fail(claim, "no route\x00", 5 * SECOND if claim.key == "a" else None)
    assert await jobs.due(10) == 0
    clock.time += 5 * SECOND
    assert (await jobs.due(10), await jobs.due(0)) == (1, 0)
    assert await jobs.backlogs(KINDS) == {"expire": Backlog(1, START, 1), "collect": Backlog(0, None, 0)}
    again = await only(jobs)
    assert (again.key, again.attempts) == ("a", 2)
    (dead,) = (await jobs.dead(TENANT, Page(10))).items
    assert (dead.key, dead.attempts, dead.error, dead.dead_time) == ("b", 1, "no route", START)
    assert await jobs.revive(TENANT, "expire", "b")
    assert not await jobs.revive(TENANT, "expire", "a")
    assert (await only(jobs)).attempts == 1
    assert (await jobs.dead(TENANT, Page(10))).items == ()


async def test_scheduling_a_dead_job_revives_it(store: SQLStore, jobs: SQLJobs) -> None:
    await scheduled(store, a_timer())
    await jobs.fail(await only(jobs), "broken", None)
    await scheduled(store, a_timer())
    assert (await only(jobs)).attempts == 1


async def test_dead_jobs_are_listed_in_pages(store: SQLStore, jobs: SQLJobs) -> None:
    await scheduled(store, *(a_timer(f"services/x/{n}") for n in range(5)))
    for claim in await jobs.claim(KINDS, "one", most=5, lease=LEASE):
        await jobs.fail(claim, "broken", None)
    seen, page = [], Page(2)
    while True:
        listed = await jobs.dead(TENANT, page)
        seen += [dead.key for dead in listed.items]
        if not listed.next_after:
            break
        page = Page(2, listed.next_after)
    assert seen == [f"services/x/{n}" for n in range(5)]


async def test_what_is_given_back_is_claimed_at_once_as_if_it_had_not_been(
    store: SQLStore, jobs: SQLJobs
) -> None:
    await scheduled(store, a_timer())
    assert await jobs.give_back(await only(jobs))
    assert (await only(jobs, "two")).attempts == 1
