"""Questions: what they see, what is recorded, and what a repeated one is answered with. On both engines."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from release_passport_server.adapters.sql.store import SQLStore
from release_passport_server.domain.access import Scope
from release_passport_server.domain.errors import NotFound, Precondition
from release_passport_server.domain.evidence import Revocation
from release_passport_server.domain.record import DecisionRecord, FeedEvent, Page
from release_passport_server.domain.release import Attempt, Release
from release_passport_server.domain.verdict import Verdict
from release_passport_server.ports.judging import CaseKey, Judged
from release_passport_server.ports.store import DecisionFilter, Transaction
from support.store import (
    SECOND,
    START,
    TENANT,
    Question,
    SetClock,
    a_release,
    an_item,
    put_item,
    put_release,
    subjects_of,
    workload,
)

EVERYTHING = DecisionFilter((Scope(),))


async def registered(store: SQLStore, *releases: Release) -> Release:
    for release in releases:
        await store.write(TENANT, lambda tx, release=release: put_release(tx, release))  # type: ignore[misc]
    return releases[0]


async def decisions(store: SQLStore, wanted: DecisionFilter = EVERYTHING) -> list[DecisionRecord]:
    return list((await store.read(TENANT, lambda reader: reader.list_decisions(wanted, Page(100)))).items)


def shown(record: DecisionRecord) -> DecisionRecord:
    """Return a decision as it comes where nobody replays it."""
    return replace(record, case_body=b"")


async def ask(store: SQLStore, questions: Sequence[Question]) -> list[Judged]:
    return list(await asyncio.gather(*(store.judge(question) for question in questions)))


async def test_a_decision_is_recorded_with_what_it_saw(store: SQLStore) -> None:
    release = await registered(store, a_release())
    await store.write(TENANT, lambda tx: put_item(tx, an_item(1)))
    before = await store.read(TENANT, lambda reader: reader.revision())
    judged = await store.judge(Question(release))
    assert judged == Judged(judged.record, before + 1, replayed=False, standing=False)
    assert (judged.record.verdict, judged.record.considered_revision) == (Verdict.BLOCK, before)
    assert judged.record.revision == before + 1
    assert await store.read(TENANT, lambda reader: reader.find_decision(judged.record.name)) == judged.record
    assert await store.read(TENANT, lambda reader: reader.newest_decision(release.name)) == judged.record


async def test_a_case_is_loaded_alike_for_a_question_and_for_a_reader(store: SQLStore) -> None:
    release = await registered(store, a_release())
    await store.write(TENANT, lambda tx: [put_item(tx, an_item()), put_item(tx, an_item(source="sa:ci"))])
    question = Question(release)
    await store.judge(question)
    found = await store.read(TENANT, lambda reader: reader.find_release("checkout", "prod", "1.0.0"))
    assert found is not None
    key = CaseKey(found, subjects_of(release), release.name)
    read = await store.read(TENANT, lambda reader: reader.load_case(key, START))
    (seen,) = question.seen
    assert read.standing is not None
    assert replace(read, standing=None) == replace(seen, now=START, read_revision=read.read_revision)


async def test_the_same_answer_stands_and_records_nothing(store: SQLStore) -> None:
    release = await registered(store, a_release())
    first = await store.judge(Question(release))
    again = await store.judge(Question(release))
    assert again == Judged(shown(first.record), first.revision, replayed=False, standing=True)
    assert await decisions(store) == [shown(first.record)]
    assert await store.read(TENANT, lambda reader: reader.revision()) == first.revision


async def test_equal_questions_at_once_are_one_decision(store: SQLStore) -> None:
    release = await registered(store, a_release())
    judged = await ask(store, [Question(release) for _ in range(20)])
    assert len({one.record.name for one in judged}) == 1
    assert sorted(one.standing for one in judged) == [False] + [True] * 19
    assert len(await decisions(store)) == 1


async def test_inline_evidence_and_the_release_are_stored_with_the_decision(store: SQLStore) -> None:
    release, item = a_release(), an_item(1)
    judged = await store.judge(Question(release, items=(item,), creates=True))
    assert judged.record.verdict is Verdict.BLOCK
    assert judged.record.evidence == (item.name,)
    assert (
        await store.read(TENANT, lambda reader: reader.find_release("checkout", "prod", "1.0.0")) is not None
    )
    assert await store.read(TENANT, lambda reader: reader.find_evidence(item.name)) is not None


@pytest.mark.parametrize("kind", [Precondition, ZeroDivisionError])
async def test_a_question_that_fails_stores_nothing_and_fails_nobody_else(
    store: SQLStore, kind: type[Exception]
) -> None:
    release = await registered(store, a_release())
    error = Precondition("STAGE_MISMATCH", "no") if kind is Precondition else kind("bug")
    bad = Question(a_release("2"), items=(an_item(1),), creates=True, error=error)
    good = [Question(release), Question(a_release("3"), items=(an_item(),), creates=True)]
    results = await asyncio.gather(*map(store.judge, [good[0], bad, good[1]]), return_exceptions=True)
    assert results[1] is error
    assert [r.record.verdict for r in (results[0], results[2])] == [Verdict.ALLOW] * 2  # type: ignore[union-attr]
    assert await store.read(TENANT, lambda reader: reader.find_release("checkout", "prod", "2")) is None


async def test_a_question_about_what_is_not_there_fails_alone(store: SQLStore) -> None:
    release = await registered(store, a_release())

    class Lost(Question):
        def prepare(self, tx: Transaction) -> CaseKey:
            raise NotFound("NOT_FOUND", "there is no release")

    results = await asyncio.gather(
        store.judge(Lost(release)), store.judge(Question(release)), return_exceptions=True
    )
    assert isinstance(results[0], NotFound)
    assert isinstance(results[1], Judged)


async def test_a_repeated_request_gets_the_same_decision(store: SQLStore) -> None:
    release = await registered(store, a_release())
    first = await store.judge(Question(release, "run-1"))
    again = await store.judge(Question(release, "run-1"))
    assert again == Judged(shown(first.record), first.revision, replayed=True, standing=True)
    other_principal = await store.judge(Question(release, "run-1", principal="sa:other"))
    assert (other_principal.replayed, other_principal.standing) == (False, True)


async def test_fifty_equal_requests_at_once_are_one(store: SQLStore) -> None:
    release = a_release()
    items = (an_item(),)
    judged = await ask(store, [Question(release, "run-1", items=items, creates=True) for _ in range(50)])
    assert len({one.record.name for one in judged}) == 1
    assert sorted(one.replayed for one in judged) == [False] + [True] * 49
    assert len(await decisions(store)) == 1
    assert len(await store.read(TENANT, lambda reader: reader.evidence_about([workload()]))) == 1


@pytest.mark.parametrize("at_once", [False, True])
async def test_a_request_id_with_another_body_is_refused(store: SQLStore, at_once: bool) -> None:
    release = await registered(store, a_release())
    questions = [Question(release, "run-1"), Question(release, "run-1", "sha256:" + "1" * 64)]
    if at_once:
        results = await asyncio.gather(*map(store.judge, questions), return_exceptions=True)
    else:
        results = [
            await store.judge(questions[0]),
            *await asyncio.gather(store.judge(questions[1]), return_exceptions=True),
        ]
    assert isinstance(results[1], Precondition)
    assert results[1].reason == "REQUEST_ID_REUSED"


async def test_followers_of_a_request_that_fails_are_told_why(store: SQLStore) -> None:
    error = Precondition("STAGE_MISMATCH", "not now")
    release = await registered(store, a_release())
    results = await asyncio.gather(
        *(store.judge(Question(release, "run-1", error=error)) for _ in range(5)), return_exceptions=True
    )
    assert all(isinstance(r, Precondition) and r.reason == "STAGE_MISMATCH" for r in results)


async def refused_again(store: SQLStore, release: Release) -> None:
    with pytest.raises(Precondition) as refused:
        await store.judge(Question(release, "run-1"))
    newest = await store.read(TENANT, lambda reader: reader.newest_decision(release.name))
    assert newest is not None
    assert (refused.value.reason, refused.value.metadata) == ("DECISION_SUPERSEDED", {"newest": newest.name})


async def test_a_repeated_request_never_returns_what_was_superseded(store: SQLStore) -> None:
    release = await registered(store, a_release())
    await store.judge(Question(release, "run-1"))
    await store.write(TENANT, lambda tx: put_item(tx, an_item(1)))
    await store.judge(Question(release))
    await refused_again(store, release)


async def test_a_repeated_request_never_returns_what_has_expired(
    sqlite_store: SQLStore, clock: SetClock
) -> None:
    release = await registered(sqlite_store, a_release())
    await sqlite_store.judge(Question(release, "run-1"))
    clock.time += timedelta(minutes=15)
    await refused_again(sqlite_store, release)


async def test_a_refusal_is_repeated_while_it_is_the_newest(sqlite_store: SQLStore, clock: SetClock) -> None:
    release = await registered(sqlite_store, a_release())
    await sqlite_store.write(TENANT, lambda tx: put_item(tx, an_item(1)))
    first = await sqlite_store.judge(Question(release, "run-1"))
    clock.time += timedelta(minutes=16)
    again = await sqlite_store.judge(Question(release, "run-1"))
    assert (again.record, again.replayed) == (shown(first.record), True)


async def test_a_request_id_is_forgotten_after_a_day(sqlite_store: SQLStore, clock: SetClock) -> None:
    release = await registered(sqlite_store, a_release())
    first = await sqlite_store.judge(Question(release, "run-1"))
    clock.time += timedelta(days=1)
    again = await sqlite_store.judge(Question(release, "run-1", "sha256:" + "1" * 64))
    assert not again.replayed
    assert again.record.name != first.record.name


async def test_time_never_goes_back_along_revisions(store: SQLStore, clock: SetClock) -> None:
    one, two = a_release("1"), a_release("2")
    await registered(store, one, two)
    first = await store.judge(Question(one))
    clock.time -= timedelta(hours=1)
    second = await store.judge(Question(two))
    written = await store.write(TENANT, lambda tx: tx.now)
    assert first.record.decide_time <= second.record.decide_time <= written.value


async def test_the_open_attempt_comes_with_its_ground(store: SQLStore) -> None:
    release = await registered(store, a_release())
    items = [an_item(), an_item(key="other", at=START + SECOND)]
    await store.write(TENANT, lambda tx: [put_item(tx, item) for item in items])
    ground = (await store.judge(Question(release))).record
    attempt = Attempt(f"{release.name}/attempts/1", 1, ground.name, START, "sa:cd")

    def start(tx: Transaction) -> None:
        tx.put_attempt(release, attempt)
        tx.revoke_evidence(items[0].name, Revocation(START, "user:ann", "wrong"))
        tx.emit(FeedEvent("rollout", attempt.name, (f"release:{release.name}",)))

    await store.write(TENANT, start)
    question = Question(release)
    await store.judge(question)
    (seen,) = question.seen
    assert (seen.attempt, seen.standing, seen.ground) == (attempt, shown(ground), shown(ground))
    assert seen.ground_withdrawn == (items[0].name,)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (EVERYTHING, "cba"),
        (DecisionFilter(()), ""),
        (DecisionFilter((Scope(("check*",)),)), "ba"),
        (DecisionFilter((Scope(),), release=a_release("2", environment="stage").name), "b"),
        (DecisionFilter((Scope(),), service="search"), "c"),
        (DecisionFilter((Scope(),), environment="stage"), "b"),
        (DecisionFilter((Scope(),), effective_verdict=Verdict.BLOCK), "a"),
        (DecisionFilter((Scope(),), effective_verdict=Verdict.HOLD), ""),
    ],
)
async def test_a_list_of_decisions_shows_what_the_filter_says(
    store: SQLStore, wanted: DecisionFilter, expected: str
) -> None:
    releases = {
        "a": a_release("1"),
        "b": a_release("2", environment="stage"),
        "c": a_release("3", service="search"),
    }
    await registered(store, *releases.values())
    await store.write(TENANT, lambda tx: put_item(tx, an_item(1)))
    letters = {}
    for letter, release in releases.items():
        letters[(await store.judge(Question(release))).record.name] = letter
    assert "".join(letters[record.name] for record in await decisions(store, wanted)) == expected


async def test_decisions_are_listed_page_by_page(store: SQLStore) -> None:
    releases = [a_release(str(n)) for n in range(5)]
    await registered(store, *releases)
    await ask(store, [Question(release) for release in releases])
    everything = await decisions(store)
    last = await store.read(TENANT, lambda reader: reader.revision())
    assert [record.revision for record in everything] == [last - n for n in range(5)]
    first = await store.read(TENANT, lambda reader: reader.list_decisions(EVERYTHING, Page(3)))
    rest = await store.read(
        TENANT, lambda reader: reader.list_decisions(EVERYTHING, Page(3, first.next_after))
    )
    assert [*first.items, *rest.items] == everything
    assert rest.next_after == ""
