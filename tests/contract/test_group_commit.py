"""Many callers share one commit, and none of them is another's trouble. On both engines."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, RowMapping, create_engine, event, make_url, select
from sqlalchemy.engine import Engine

from release_passport_server.adapters.sql import tables, writer
from release_passport_server.adapters.sql.store import SQLStore
from release_passport_server.domain.errors import AlreadyExists, NotFound, Precondition, Unavailable
from release_passport_server.domain.record import AuditEntry, FeedEvent
from release_passport_server.domain.verdict import Verdict
from release_passport_server.ports.store import Replay, Transaction, Written
from support.store import (
    START,
    TENANT,
    Question,
    SetClock,
    a_release,
    a_tenant,
    an_item,
    opened,
    put_item,
    put_release,
    workload,
)


@dataclass(slots=True)
class Gate:
    """An act that keeps the writer busy, so that what comes meanwhile is one batch."""

    entered: asyncio.Event = field(default_factory=asyncio.Event)
    _free: threading.Event = field(default_factory=threading.Event)

    async def close(self, store: SQLStore) -> asyncio.Task[Written[None]]:
        """Keep the writer busy from now on."""
        loop = asyncio.get_running_loop()

        def act(tx: Transaction) -> None:
            loop.call_soon_threadsafe(self.entered.set)
            self._free.wait(30)

        busy = asyncio.create_task(store.write("gate", act))
        await self.entered.wait()
        return busy

    async def open(self, busy: asyncio.Task[Written[None]]) -> None:
        """Let the writer go on."""
        self._free.set()
        await busy


async def together(store: SQLStore, *calls: Callable[[], object]) -> list[object]:
    """Return what calls come to that run in one batch."""
    gate = Gate()
    busy = await gate.close(store)
    tasks = [asyncio.ensure_future(call()) for call in calls]  # type: ignore[call-overload]
    await asyncio.sleep(0)
    await gate.open(busy)
    return list(await asyncio.gather(*tasks, return_exceptions=True))


def writing(
    act: Callable[[Transaction], object], store: SQLStore, tenant: str = TENANT
) -> Callable[[], object]:
    return lambda: store.write(tenant, act)


def rows(url: str, table: str) -> list[RowMapping]:
    """Return all rows of a table in the order of its key."""
    engine = create_engine(make_url(url).set(drivername=make_url(url).drivername.split("+")[0]))
    try:
        with engine.connect() as connection:
            wanted = tables.metadata.tables[table]
            return list(connection.execute(select(wanted).order_by(*wanted.primary_key)).mappings())
    finally:
        engine.dispose()


async def test_concurrent_writes_share_commits(store: SQLStore) -> None:
    before = store.commits
    written = await together(store, *(writing(lambda tx: put_item(tx, an_item()), store) for _ in range(40)))
    assert all(isinstance(one, Written) for one in written)
    # One for the call that kept the writer busy, one for everybody else.
    assert store.commits - before <= 2


async def test_revisions_are_dense_and_in_the_order_of_the_queue(store: SQLStore, url: str) -> None:
    start = await store.read(TENANT, lambda reader: reader.revision())
    written = await together(store, *(writing(lambda tx: put_item(tx, an_item()), store) for _ in range(20)))
    assert [one.revision for one in written] == [start + 1 + n for n in range(20)]  # type: ignore[attr-defined]
    seen = [row["revision"] for row in rows(url, "feed") if row["tenant"] == TENANT]
    assert seen == list(range(1, start + 21))


async def test_each_tenant_has_revisions_of_its_own(store: SQLStore) -> None:
    written = await together(
        store,
        *(
            writing(lambda tx: put_item(tx, an_item()), store, tenant)
            for tenant in ("one", "two", "one", "three", "one")
        ),
    )
    assert [one.revision for one in written] == [1, 1, 2, 1, 3]  # type: ignore[attr-defined]


@pytest.mark.parametrize("looks", [False, True])
async def test_an_act_that_fails_undoes_itself_alone(store: SQLStore, looks: bool) -> None:
    error = NotFound("NOT_FOUND", "no")

    def fails(tx: Transaction) -> None:
        put_item(tx, an_item(7))
        tx.remember("sa:ci", "Test", "bad", Replay("digest", b"bad"))
        if looks:
            assert any(item.facts.open_count == 7 for item in tx.evidence_about([workload()]))  # type: ignore[attr-defined]
        raise error

    def works(tx: Transaction) -> bool:
        put_item(tx, an_item(1))
        return tx.replay("sa:ci", "Test", "bad") is None

    results = await together(store, writing(works, store), writing(fails, store), writing(works, store))
    assert results[1] is error
    assert [results[0].value, results[2].value] == [True, True]  # type: ignore[attr-defined]
    assert results[2].revision == results[0].revision + 1  # type: ignore[attr-defined]
    found = await store.read(TENANT, lambda reader: reader.evidence_about([workload()]))
    assert [item.facts.open_count for item in found] == [1, 1]  # type: ignore[attr-defined]


async def test_what_the_database_refuses_is_its_writer_s_trouble_alone(store: SQLStore) -> None:
    release = a_release()
    await store.write(TENANT, lambda tx: put_release(tx, release))
    others = [writing(lambda tx: put_item(tx, an_item()), store) for _ in range(5)]
    results = await together(
        store, *others[:2], writing(lambda tx: put_release(tx, release), store), *others[2:]
    )
    assert isinstance(results[2], AlreadyExists)
    assert [type(one) for one in results].count(Written) == 5
    assert len(await store.read(TENANT, lambda reader: reader.evidence_about([workload()]))) == 5


async def test_acts_of_a_batch_see_what_those_before_them_wrote(store: SQLStore) -> None:
    release = a_release()

    def once(tx: Transaction) -> bool:
        known = tx.replay("sa:ci", "Test", "1")
        found = tx.find_release("checkout", "prod", "1.0.0")
        assert (known is None) == (found is None)
        if found is None:
            put_release(tx, release)
            tx.remember("sa:ci", "Test", "1", Replay("digest", b"answer"))
        return found is None

    results = await together(store, *(writing(once, store) for _ in range(10)))
    assert [one.value for one in results] == [True] + [False] * 9  # type: ignore[attr-defined]


async def test_an_observation_sent_twice_at_once_is_stored_once(store: SQLStore) -> None:
    def act(tx: Transaction) -> str:
        return put_item(tx, an_item(external_id="7")).name

    results = await together(store, *(writing(act, store) for _ in range(5)))
    assert len({one.value for one in results}) == 1  # type: ignore[attr-defined]


async def test_questions_see_what_acts_of_their_batch_wrote(store: SQLStore) -> None:
    release = a_release()
    await store.write(TENANT, lambda tx: put_release(tx, release))
    results = await together(
        store,
        lambda: store.judge(Question(release)),
        writing(lambda tx: put_item(tx, an_item(1)), store),
    )
    assert results[0].record.verdict is Verdict.BLOCK  # type: ignore[attr-defined]
    assert results[0].revision > results[1].revision  # type: ignore[attr-defined]


async def test_questions_about_the_same_digests_know_each_other_s_answers(store: SQLStore) -> None:
    one, same = a_release("1", content="same"), a_release("2", content="same")
    await store.write(TENANT, lambda tx: put_release(tx, one))
    await store.write(TENANT, lambda tx: put_release(tx, same))
    questions = [Question(one), Question(same), Question(one)]
    judged = await together(store, *(lambda q=q: store.judge(q) for q in questions))
    first, second, third = (result.record for result in judged)  # type: ignore[attr-defined]
    assert (third.name, first.revision + 1) == (first.name, second.revision)
    assert second.considered_revision >= first.revision
    assert questions[2].seen[-1].standing == first


async def test_who_no_longer_waits_is_not_served(store: SQLStore) -> None:
    gate = Gate()
    busy = await gate.close(store)
    task = asyncio.create_task(store.write(TENANT, lambda tx: put_release(tx, a_release())))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await gate.open(busy)
    assert await store.read(TENANT, lambda reader: reader.find_release("checkout", "prod", "1.0.0")) is None


async def test_what_changes_is_in_the_feed_even_if_nobody_said_so(store: SQLStore, url: str) -> None:
    before = await store.read(TENANT, lambda reader: reader.revision())
    written = await store.write(TENANT, lambda tx: tx.put_tenant(a_tenant()))
    assert written.revision == before + 1
    last = [row for row in rows(url, "feed_scopes") if row["tenant"] == TENANT][-1]
    assert (last["revision"], last["scope"]) == (before + 1, "tenant")


async def test_what_changes_nothing_takes_no_revision(store: SQLStore) -> None:
    before = await store.read(TENANT, lambda reader: reader.revision())

    def act(tx: Transaction) -> None:
        tx.remember("sa:ci", "Test", "1", Replay("digest", b"answer"))

    assert (await store.write(TENANT, lambda tx: tx.find_tenant())).revision == before
    assert (await store.write(TENANT, act)).revision == before
    kept = await store.write(TENANT, lambda tx: tx.replay("sa:ci", "Test", "1"))
    assert kept.value == Replay("digest", b"answer")


async def test_audit_leaves_are_numbered_and_salted(store: SQLStore, url: str) -> None:
    def act(tx: Transaction) -> None:
        for n in range(2):
            tx.audit(AuditEntry("user:ann", "Test", f"subject-{n}", {"n": n}))
        tx.emit(FeedEvent("test", "", ()))

    await together(store, *(writing(act, store) for _ in range(3)))
    leaves = [row for row in rows(url, "audit") if row["tenant"] == TENANT]
    assert [row["leaf_index"] for row in leaves] == list(range(6))
    assert [row["index"] for row in leaves] == [0, 1] * 3
    assert len({row["salt"] for row in leaves}) == 6
    for row in leaves:
        commitment = hmac.new(row["salt"], row["body"], hashlib.sha256).digest()
        assert row["leaf"] == hashlib.sha256(b"\x00" + commitment).digest()
    (head,) = (row for row in rows(url, "heads") if row["tenant"] == TENANT)
    assert (head["leaf_count"], head["epoch"]) == (6, 1)


async def test_the_statements_of_a_batch_do_not_grow_with_its_questions(store: SQLStore) -> None:
    releases = [a_release(str(n)) for n in range(21)]
    for release in releases:
        await store.write(TENANT, lambda tx, release=release: put_release(tx, release))  # type: ignore[misc]
    # The first question learns the catalogue.
    warm = a_release("warm")
    await store.write(TENANT, lambda tx: put_release(tx, warm))
    await store.judge(Question(warm))
    counts = []
    for some in (releases[:1], releases[1:]):
        seen: list[str] = []
        gate = Gate()
        busy = await gate.close(store)
        with listening(store, seen):
            tasks = [asyncio.ensure_future(store.judge(Question(one, f"run-{one.name}"))) for one in some]
            await asyncio.sleep(0)
            await gate.open(busy)
            await asyncio.gather(*tasks)
        counts.append(len(seen))
    assert counts[0] == counts[1]


async def test_a_standing_answer_commits_nothing(store: SQLStore) -> None:
    release = a_release()
    await store.write(TENANT, lambda tx: put_release(tx, release))
    await store.judge(Question(release))
    before = store.commits
    assert (await store.judge(Question(release))).standing
    assert store.commits == before


async def test_a_store_without_a_schema_is_unavailable(tmp_path: object) -> None:
    store = SQLStore.open(f"sqlite:///{tmp_path}/empty.db", lambda: START)
    try:
        for call in (
            store.write(TENANT, lambda tx: put_item(tx, an_item())),
            store.read(TENANT, lambda reader: reader.revision()),
            store.ready(),
        ):
            with pytest.raises(Unavailable) as refused:
                await call
            assert refused.value.reason == "STORE_UNAVAILABLE"
            assert "heads" not in refused.value.message
    finally:
        await store.close()


async def test_a_second_owner_of_a_sqlite_file_is_refused(tmp_path: object) -> None:
    url = f"sqlite:///{tmp_path}/passport.db"
    async with opened(url):
        with pytest.raises(Unavailable, match="in use by process"):
            SQLStore.open(url, lambda: START)
    async with opened(url) as again:
        await again.ready()


async def test_what_is_queued_is_written_before_the_store_closes(url: str) -> None:
    async with opened(url) as store:
        tasks = [
            asyncio.ensure_future(store.write(TENANT, lambda tx: put_item(tx, an_item()))) for _ in range(10)
        ]
        await asyncio.sleep(0)
    assert len({one.revision for one in await asyncio.gather(*tasks)}) == 10


class listening:
    """Writes down every statement of a store for a while."""

    def __init__(self, store: SQLStore, seen: list[str]) -> None:
        self._engine: Engine = store._engine
        self._seen = seen

    def __enter__(self) -> None:
        event.listen(self._engine, "before_cursor_execute", self._note)

    def __exit__(self, *_: object) -> None:
        event.remove(self._engine, "before_cursor_execute", self._note)

    def _note(self, connection: Connection, cursor: object, statement: str, *_: object) -> None:
        self._seen.append(statement)


async def test_one_failing_question_of_many_is_told_and_the_others_are_answered(store: SQLStore) -> None:
    releases = [a_release(str(n)) for n in range(8)]
    error = Precondition("STAGE_MISMATCH", "no")
    questions = [
        Question(one, items=(an_item(),), creates=True, error=error if n % 3 == 0 else None)
        for n, one in enumerate(releases)
    ]
    results = await together(store, *(lambda q=q: store.judge(q) for q in questions))
    assert [result is error for result in results] == [n % 3 == 0 for n in range(8)]
    found = await store.read(TENANT, lambda reader: reader.evidence_about([workload()]))
    assert len(found) == 5


async def test_request_ids_whose_time_is_over_are_removed(
    store: SQLStore, url: str, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def act(tx: Transaction) -> None:
        tx.remember("sa:ci", "Test", "old", Replay("digest", b"answer"))

    await store.write(TENANT, act)
    clock.time = datetime.now(UTC) + timedelta(days=2)
    monkeypatch.setattr(writer, "FORGET_EVERY", 1)
    await store.write(TENANT, lambda tx: put_item(tx, an_item()))
    await store.write(TENANT, lambda tx: tx.find_tenant())
    assert rows(url, "idempotency") == []
