"""No decision may stand above a change that it has not seen: two stores on one PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from release_passport_server.adapters.sql.batch import Batch
from release_passport_server.adapters.sql.store import SQLStore
from release_passport_server.domain.catalog import Service
from release_passport_server.domain.evidence import Subject
from release_passport_server.domain.kind import SubjectType
from release_passport_server.domain.record import FeedEvent
from release_passport_server.domain.release import Release
from release_passport_server.domain.verdict import Verdict
from release_passport_server.ports.store import Transaction
from support.history import unseen_changes
from support.store import TENANT, Question, a_release, an_item, opened, put_item, put_release, workload

ROUNDS = 40


@dataclass(slots=True)
class Between:
    """Lets something happen after a question was decided and before its tenant's head is locked."""

    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    happens: Callable[[], object] | None = None
    times: int = 0

    def __call__(self) -> None:
        happens, self.happens = self.happens, None
        if happens is not None:
            self.times += 1
            asyncio.run_coroutine_threadsafe(happens(), self.loop).result(30)  # type: ignore[arg-type]


@dataclass(slots=True)
class Pair:
    """The store that decides and the store that interferes."""

    deciding: SQLStore
    other: SQLStore
    between: Between
    url: str

    async def decided(self, release: Release, change: Callable[[Transaction], object]) -> Question:
        """Return a question during which something was changed elsewhere."""
        question = Question(release)

        async def happens() -> None:
            await self.other.write(TENANT, change)

        self.between.happens = happens
        await self.deciding.judge(question)
        return question


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
async def pair(postgres_url: str) -> AsyncIterator[Pair]:
    """Give two stores on one database."""
    between = Between()
    async with AsyncExitStack() as stack:
        deciding = await stack.enter_async_context(
            opened(postgres_url, now, pool_size=2, before_lock=between)
        )
        other = await stack.enter_async_context(opened(postgres_url, now, pool_size=2))
        yield Pair(deciding, other, between, postgres_url)


def failing_evidence(service: str) -> Callable[[Transaction], object]:
    return lambda tx: put_item(tx, an_item(1, subject=workload(service), at=tx.now))


async def interleaved(pair: Pair, label: str) -> list[Release]:
    releases = [a_release(f"{label}-{n}", service=f"{label}-{n}") for n in range(ROUNDS)]
    for release in releases:
        await pair.other.write(TENANT, lambda tx, release=release: put_release(tx, release))  # type: ignore[misc]
    for release in releases:
        await pair.decided(release, failing_evidence(release.identity.service))
    assert pair.between.times == ROUNDS
    return releases


async def allowed(pair: Pair, releases: list[Release]) -> int:
    """Return how many of the releases are allowed, though there is evidence against each of them."""
    found = [
        await pair.other.read(TENANT, lambda reader, r=release: reader.newest_decision(r.name))  # type: ignore[misc]
        for release in releases
    ]
    return sum(one is not None and one.verdict is Verdict.ALLOW for one in found)


async def test_no_allow_is_recorded_above_failing_evidence_that_it_has_not_seen(pair: Pair) -> None:
    releases = await interleaved(pair, "seen")
    assert await allowed(pair, releases) == 0
    assert unseen_changes(pair.url) == []


async def test_without_the_check_such_allows_are_recorded(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Batch, "_touched", lambda *_: [])
    releases = await interleaved(pair, "unseen")
    assert await allowed(pair, releases) == ROUNDS
    assert len([name for name in unseen_changes(pair.url) if "/unseen-" in name]) == ROUNDS


async def release_of(pair: Pair, version: str) -> Release:
    release = a_release(version, service=version)
    await pair.other.write(TENANT, lambda tx: put_release(tx, release))
    return release


@pytest.mark.parametrize(
    ("label", "scope"),
    [
        ("of-all", "tenant"),
        ("of-place", "workload:of-place/prod"),
        ("of-release", "release:"),
        ("of-digests", "digests:"),
        ("of-artifact", "artifact:"),
    ],
)
async def test_what_touches_the_case_is_loaded_again(pair: Pair, label: str, scope: str) -> None:
    release = await release_of(pair, label)
    identity = release.identity
    whole = {
        "release:": f"release:{release.name}",
        "digests:": f"digests:{identity.content_digest}",
        "artifact:": f"artifact:{identity.artifacts[0].digest}",
    }.get(scope, scope)
    question = await pair.decided(release, lambda tx: tx.emit(FeedEvent("test", "", (whole,))))
    assert len(question.seen) == 2
    assert question.seen[1].read_revision > question.seen[0].read_revision


async def test_what_does_not_touch_the_case_lets_the_decision_stand(pair: Pair) -> None:
    release = await release_of(pair, "alone")
    elsewhere = an_item(1, subject=Subject(SubjectType.WORKLOAD, "search/prod"))
    question = await pair.decided(release, lambda tx: put_item(tx, elsewhere))
    decision = await pair.other.read(TENANT, lambda reader: reader.newest_decision(release.name))
    assert decision is not None
    assert decision.considered_revision == question.seen[0].read_revision < decision.revision - 1
    assert all(one.release.name == release.name and one.evidence == () for one in question.seen)


async def test_the_catalogue_as_it_is_under_the_lock_counts(pair: Pair) -> None:
    release = await release_of(pair, "renamed")

    def change(tx: Transaction) -> None:
        tx.put_service(Service("renamed", tx.now, tx.now, "Renamed"))
        tx.emit(FeedEvent("CreateService", "renamed", ("tenant",)))

    question = await pair.decided(release, change)
    assert question.seen[0].service is None
    assert question.seen[-1].service is not None


async def test_a_standing_answer_is_checked_as_well(pair: Pair) -> None:
    release = await release_of(pair, "stands")
    first = await pair.deciding.judge(Question(release))
    # Nothing is to be recorded, so no lock is taken: the change comes between loading and the last look.
    question = Question(release)
    conclude, loop = question.conclude, asyncio.get_running_loop()
    pending = [failing_evidence("stands")]

    class Slow(Question):
        def conclude(self, loaded):  # type: ignore[no-untyped-def]
            if pending:
                write = pair.other.write(TENANT, pending.pop())
                answer = conclude(loaded)
                asyncio.run_coroutine_threadsafe(write, loop).result(30)
                return answer
            return conclude(loaded)

    judged = await pair.deciding.judge(Slow(release))
    assert judged.record.name != first.record.name
    assert judged.record.verdict is Verdict.BLOCK


async def test_an_answer_that_was_kept_falls_by_what_another_process_writes(pair: Pair) -> None:
    release = await release_of(pair, "kept")
    for _ in range(3):
        last = Question(release)
        await pair.deciding.judge(last)
    assert last.seen == [], "it was answered without being loaded"
    await pair.other.write(TENANT, failing_evidence("kept"))
    judged = await pair.deciding.judge(Question(release))
    assert judged.record.verdict is Verdict.BLOCK


async def test_two_stores_answer_one_request_id_with_one_decision(pair: Pair) -> None:
    release = await release_of(pair, "idempotent")
    judged = await asyncio.gather(
        *(store.judge(Question(release, "run-1")) for _ in range(10) for store in (pair.deciding, pair.other))
    )
    assert len({one.record.name for one in judged}) == 1
    assert sum(not one.replayed for one in judged) == 1


async def test_times_do_not_go_back_between_two_stores(pair: Pair) -> None:
    releases = [await release_of(pair, f"time-{n}") for n in range(20)]
    await asyncio.gather(
        *((pair.deciding, pair.other)[n % 2].judge(Question(one)) for n, one in enumerate(releases))
    )
    decisions = [
        await pair.other.read(TENANT, lambda reader, one=one: reader.newest_decision(one.name))  # type: ignore[misc]
        for one in releases
    ]
    known = sorted((one.revision, one.decide_time) for one in decisions if one is not None)
    assert len(known) == 20
    assert [time for _, time in known] == sorted(time for _, time in known)
