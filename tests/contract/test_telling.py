"""Who waits in this process is told what a commit concerns, and nothing else wakes them. On both engines."""

from __future__ import annotations

from collections.abc import Collection

from release_passport_server.adapters.sql.store import SQLStore
from release_passport_server.domain.job import REEVALUATE, Timer
from release_passport_server.domain.record import FeedEvent
from release_passport_server.domain.watch import FeedPart, Happening, Mark
from release_passport_server.ports.store import Transaction
from support.store import SECOND, TENANT, Question, a_release, put_release, workload


async def told_of(store: SQLStore) -> tuple[list[Collection[str]], list[Collection[str]]]:
    """Return what is told from now on: kinds of jobs that are due, and tenants that have decided."""
    kinds: list[Collection[str]] = []
    tenants: list[Collection[str]] = []
    store.on_due(kinds.append)
    store.on_decided(tenants.append)
    return kinds, tenants


async def test_what_is_due_at_once_is_told_by_its_kind(store: SQLStore) -> None:
    kinds, _ = await told_of(store)

    def act(tx: Transaction) -> None:
        tx.schedule(Timer("mail", "a", tx.now))
        tx.schedule(Timer("trim", "b", tx.now + SECOND))

    await store.write(TENANT, act)
    await store.write(TENANT, lambda tx: tx.wake([workload()]))
    await store.write(TENANT, lambda tx: tx.emit(FeedEvent("anything", "x", ("tenant",))))
    assert kinds == [{"mail"}, {REEVALUATE}]


async def test_a_decision_is_told_and_what_leads_to_one_is_not(store: SQLStore) -> None:
    _, tenants = await told_of(store)
    await store.write(TENANT, lambda tx: put_release(tx, a_release()))
    await store.write(TENANT, lambda tx: tx.emit(FeedEvent("evidence.submitted", "x", ("tenant",))))
    assert tenants == []
    await store.judge(Question(a_release()))
    await store.write(TENANT, lambda tx: tx.emit(FeedEvent(Happening.EXPIRED, "x", ("tenant",))))
    assert tenants == [{TENANT}, {TENANT}]


async def test_what_follows_a_mark_is_read_with_the_proof_that_it_follows_that(store: SQLStore) -> None:
    head = await store.read(TENANT, lambda reader: reader.feed_head())
    await store.write(TENANT, lambda tx: put_release(tx, a_release()))
    await store.judge(Question(a_release()))

    async def follows(mark: Mark, most: int = 1000) -> FeedPart | None:
        return await store.read(TENANT, lambda reader: reader.feed_from(mark, most))

    async def after(revision: int, most: int = 1000) -> FeedPart:
        return await store.read(TENANT, lambda reader: reader.feed_after(revision, most))

    found = await follows(head)
    assert found is not None
    assert found == await after(head.revision)
    assert [change.happening for change in found.changes] == [Happening.CHANGED]
    # A part that is full with the mark's own revision goes on behind it all the same.
    assert await follows(head, 1) == await after(head.revision, 1)
    # Nothing follows the newest.
    assert await follows(found.end) == FeedPart((), {}, found.end)
    # Another history, and a revision that is not there.
    assert await follows(Mark(head.epoch, head.revision, b"otherone")) is None
    assert await follows(Mark(head.epoch + 1, head.revision, head.check)) is None
    assert await follows(Mark(head.epoch, found.end.revision + 1, b"")) is None
