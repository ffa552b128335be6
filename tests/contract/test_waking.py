"""What a change concerns is due at once, once for all changes of a moment, and nothing else is. On both engines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, select, update

from release_passport_server.adapters.sql import tables, waking
from release_passport_server.adapters.sql.jobs import SQLJobs
from release_passport_server.adapters.sql.store import SQLStore
from release_passport_server.domain.evidence import Subject
from release_passport_server.domain.job import REEVALUATE, REST, Timer
from release_passport_server.domain.kind import SubjectType
from release_passport_server.domain.release import Release
from release_passport_server.ports.judging import CaseKey
from release_passport_server.ports.store import Transaction
from support.store import TENANT, Question, a_release, a_tenant, an_item, put_release, workload
from support.working import LEASE

LATER = timedelta(hours=1)
ONE = a_release("1.0.0")
# The same image elsewhere, and the next version in the same place.
SAME_IMAGE = a_release("1.0.0", environment="staging", content="1.0.0")
NEXT = a_release("2.0.0")


async def opened(store: SQLStore, *releases: Release, tenant: str = TENANT) -> datetime:
    """Register releases whose questions are open for an hour; return the time of that."""

    def act(tx: Transaction) -> datetime:
        for number, release in enumerate(releases):
            identity = release.identity
            place = f"{identity.service}/{identity.environment}"
            asked = tx.now + timedelta(microseconds=number)
            put_release(tx, release)
            tx.schedule(Timer(REEVALUATE, release.name, tx.now + LATER, b"kept", place, asked))
        return tx.now

    return (await store.write(tenant, act)).value


async def woken(store: SQLStore, tenant: str = TENANT) -> list[str]:
    """Return the versions and environments of what is due."""
    c = tables.jobs.c

    def act(connection: Connection, now: datetime) -> list[str]:
        rows = select(c.key).where(c.tenant == tenant, c.due_time < now + LATER / 2)
        return list(connection.execute(rows).scalars())

    due = [key.split("/") for key in await store.aside.read(act)]
    return sorted(f"{parts[-1]} {parts[5]}" for parts in due)


async def wake(store: SQLStore, *subjects: Subject) -> datetime:
    """Say that something about these has changed; return when."""

    def act(tx: Transaction) -> datetime:
        tx.wake(subjects)
        return tx.now

    return (await store.write(TENANT, act)).value


def about(kind: SubjectType, release: Release) -> Subject:
    identity = release.identity
    values = {
        SubjectType.ARTIFACT: identity.artifacts[0].digest,
        SubjectType.SOURCE: identity.source_revision,
        SubjectType.MANIFEST: identity.manifest_digest,
        SubjectType.RELEASE: release.name,
        SubjectType.ATTEMPT: f"{release.name}/attempts/1",
        SubjectType.WORKLOAD: f"{identity.service}/{identity.environment}",
    }
    return Subject(kind, values[kind])


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (SubjectType.ARTIFACT, ["1.0.0 prod", "1.0.0 staging"]),
        (SubjectType.SOURCE, ["1.0.0 prod", "1.0.0 staging"]),
        (SubjectType.MANIFEST, ["1.0.0 prod", "1.0.0 staging"]),
        (SubjectType.RELEASE, ["1.0.0 prod"]),
        (SubjectType.ATTEMPT, ["1.0.0 prod"]),
        (SubjectType.WORKLOAD, ["1.0.0 prod", "2.0.0 prod"]),
    ],
)
async def test_a_change_wakes_what_it_is_about(
    store: SQLStore, kind: SubjectType, expected: Sequence[str]
) -> None:
    await opened(store, ONE, SAME_IMAGE, NEXT)
    await wake(store, about(kind, ONE))
    assert await woken(store) == expected


async def test_another_tenant_sleeps_on(store: SQLStore) -> None:
    await store.write("other", lambda tx: tx.put_tenant(a_tenant("other")))
    await opened(store, ONE)
    await opened(store, a_release("1.0.0", tenant="other"), NEXT, tenant="other")
    await wake(store, about(SubjectType.ARTIFACT, ONE), workload())
    assert await woken(store, "other") == []


async def test_a_question_that_is_not_open_stays_closed(store: SQLStore) -> None:
    await store.write(TENANT, lambda tx: put_release(tx, ONE))
    await wake(store, about(SubjectType.RELEASE, ONE), workload())
    assert (await store.write(TENANT, lambda tx: tx.open_questions())).value == ()


async def test_what_is_undone_wakes_nothing(store: SQLStore) -> None:
    await opened(store, ONE, NEXT)

    def act(tx: Transaction) -> None:
        tx.wake([about(SubjectType.RELEASE, ONE)])
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await store.write(TENANT, act)
    assert await woken(store) == []


async def test_of_a_place_those_that_were_asked_last_are_woken(
    store: SQLStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waking, "MOST_OF_PLACE", 2)
    await opened(store, *(a_release(f"1.{number}.0") for number in (2, 1, 9, 3)), SAME_IMAGE)
    await wake(store, workload())
    assert await woken(store) == ["1.3.0 prod", "1.9.0 prod"]


async def times(store: SQLStore) -> tuple[datetime, datetime | None, int]:
    """Return when the one job is due, until when it rests, and how often it was asked for."""
    c = tables.jobs.c
    asked = select(c.due_time, c.rest_until, c.generation)
    row = await store.aside.read(lambda connection, _: connection.execute(asked).one())
    return row.due_time, row.rest_until, row.generation


async def test_the_first_change_is_due_at_once_and_the_next_ones_are_one_more_run(
    store: SQLStore,
) -> None:
    own = SQLJobs(store.aside, store.write)
    await opened(store, ONE)
    first = await wake(store, workload())
    assert await times(store) == (first, first + REST, 1)
    (claim,) = await own.claim({REEVALUATE}, "one", most=5, lease=LEASE)
    assert (claim.payload, claim.due_time) == (b"kept", first)
    # However long these calls take here, they come within the rest, and while it runs.
    rested = await resting(store, timedelta(minutes=1))
    await wake(store, workload())
    await wake(store, workload())
    assert await times(store) == (rested, rested, 3)
    assert await own.finish(claim, first + LATER)
    assert await times(store) == (rested, rested, 3)


async def resting(store: SQLStore, rest: timedelta) -> datetime:
    """Let the one job rest for so long from now on; return until when."""

    def act(connection: Connection, now: datetime) -> datetime:
        connection.execute(update(tables.jobs).values(rest_until=now + rest))
        return now + rest

    return await store.aside.write(act)


async def test_a_change_leaves_an_earlier_time_as_it_is(store: SQLStore) -> None:
    await opened(store, ONE)
    first = await wake(store, workload())
    await wake(store, workload())
    assert (await times(store))[0] == first


async def test_what_is_decided_with_the_change_is_not_woken_by_it(store: SQLStore) -> None:
    await opened(store, ONE, NEXT)
    image = about(SubjectType.ARTIFACT, ONE)

    class Bringing(Question):
        def prepare(self, tx: Transaction) -> CaseKey:
            tx.wake([image, workload()])
            return super().prepare(tx)

    await store.judge(Bringing(ONE, items=(an_item(1, subject=image),)))
    assert await woken(store) == ["2.0.0 prod"]


async def test_a_dead_job_is_tried_again_when_something_changes(store: SQLStore) -> None:
    await opened(store, ONE)
    await wake(store, workload())
    own = SQLJobs(store.aside, store.write)
    (claim,) = await own.claim({REEVALUATE}, "one", most=1, lease=LEASE)
    assert await own.fail(claim, "it cannot be done", None)
    assert await own.next_time({REEVALUATE}) is None
    await wake(store, workload())
    assert await own.next_time({REEVALUATE}) is not None
