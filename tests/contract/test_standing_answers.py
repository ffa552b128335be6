"""Asked again, a question that nobody has touched is answered without a look at its case. On both engines."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from release_passport_server.adapters.sql.store import SQLStore
from release_passport_server.domain.record import FeedEvent
from release_passport_server.domain.release import Release
from release_passport_server.domain.verdict import Verdict
from release_passport_server.ports.judging import Judged
from release_passport_server.ports.store import Transaction
from support.store import SAME_FOR, TENANT, Question, SetClock, a_release, an_item, put_item, put_release


async def kept(store: SQLStore, version: str = "1.0.0") -> Release:
    """Return a release whose answer stands and was kept."""
    release = a_release(version)
    await store.write(TENANT, lambda tx: put_release(tx, release))
    for _ in range(2):
        await store.judge(Question(release))
    return release


async def looked(store: SQLStore, release: Release, request_id: str = "") -> tuple[bool, Judged]:
    """Ask; return whether the case was looked at, and the answer."""
    question = Question(release, request_id)
    judged = await store.judge(question)
    return bool(question.seen), judged


async def test_asked_again_the_answer_is_the_same_decision(store: SQLStore) -> None:
    release = await kept(store)
    first = await store.read(TENANT, lambda reader: reader.newest_decision(release.name))
    at, judged = await looked(store, release)
    assert not at
    assert first is not None
    assert (judged.record.name, judged.revision, judged.standing) == (first.name, first.revision, True)


def touches(scope: str) -> Callable[[Transaction], object]:
    return lambda tx: tx.emit(FeedEvent("something.changed", "it", (scope,)))


RELEASE = "release:tenants/acme/services/checkout/environments/prod/releases/1.0.0"
TOUCHING = {
    "evidence": lambda tx: put_item(tx, an_item(1)),
    "release": touches(RELEASE),
    "place": touches("workload:checkout/prod"),
    "everything": touches("tenant"),
}


@pytest.mark.parametrize("what", TOUCHING)
async def test_whatever_the_case_depends_on_has_it_looked_at(store: SQLStore, what: str) -> None:
    release = await kept(store)
    await store.write(TENANT, TOUCHING[what])
    at, judged = await looked(store, release)
    assert at
    assert judged.record.verdict is (Verdict.BLOCK if what == "evidence" else Verdict.ALLOW)


async def test_what_concerns_others_leaves_it(store: SQLStore) -> None:
    release = await kept(store)
    await kept(store, "2.0.0")
    await store.write(TENANT, touches("workload:search/prod"))
    assert not (await looked(store, release))[0]


async def test_evidence_with_the_next_question_counts(store: SQLStore) -> None:
    release = await kept(store)
    question = Question(release, items=(an_item(1),))
    assert (await store.judge(question)).record.verdict is Verdict.BLOCK
    assert (await looked(store, release))[1].record.verdict is Verdict.BLOCK


async def test_a_request_id_is_kept_with_what_it_was_answered(store: SQLStore) -> None:
    release = await kept(store)
    assert (await looked(store, release, request_id="run-1"))[0]
    assert (await looked(store, release, request_id="run-1"))[1].replayed


@pytest.mark.parametrize("step", [SAME_FOR, timedelta(seconds=-1)], ids=["over", "clock set back"])
async def test_it_is_looked_at_again_in_time(
    sqlite_store: SQLStore, clock: SetClock, step: timedelta
) -> None:
    clock.time += timedelta(seconds=10)
    release = await kept(sqlite_store)
    clock.time += step
    at, _ = await looked(sqlite_store, release)
    # The time of decisions never goes back, whatever the host's clock does.
    assert at is (step > timedelta(0))


async def test_who_was_told_of_too_much_at_once_forgets(
    store: SQLStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = await kept(store)
    monkeypatch.setattr("release_passport_server.adapters.sql.standing.MAX_BEHIND", 0)
    await store.write(TENANT, touches("workload:search/prod"))
    assert (await looked(store, release))[0]
