"""One transaction for many requests: acts first, then questions, then revisions in order, then the commit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from release_passport_server.adapters.sql import tables
from release_passport_server.adapters.sql.codec import subject_text
from release_passport_server.adapters.sql.loading import Loader, PolicyCache
from release_passport_server.adapters.sql.requests import Act, Ask, Request, Waiting
from release_passport_server.adapters.sql.transaction import Head, SQLTransaction
from release_passport_server.domain.errors import PassportError, Precondition
from release_passport_server.domain.record import DecisionRecord
from release_passport_server.ports.store import CaseKey, Conclusion, Judged, LoadedCase, Replay, Written

METHOD = "Evaluate"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Failpoint = Callable[[], None]


class Spoiled(Exception):
    """A question failed after it had written: the batch runs again without it."""

    def __init__(self, ask: Ask, error: Exception) -> None:
        super().__init__(str(error))
        self.ask = ask
        self.error = error


class Batch:
    """Runs requests in one transaction and knows what to answer once that is committed."""

    def __init__(
        self,
        connection: Connection,
        requests: Sequence[Request],
        policies: PolicyCache,
        clock: Callable[[], datetime],
        before_lock: Failpoint | None = None,
        *,
        check_conflicts: bool = True,
    ) -> None:
        self._connection = connection
        self._acts = [request for request in requests if isinstance(request, Act)]
        self._asks = [request for request in requests if isinstance(request, Ask)]
        self._tenants = sorted({request.tenant for request in requests})
        self._policies = policies
        self._clock = clock
        self._before_lock = before_lock
        self._check_conflicts = check_conflicts
        self._time = EPOCH
        self._heads: dict[str, Head] = {}
        self._read_revisions: dict[str, int] = {}
        self._recorded: dict[str, DecisionRecord] = {}
        self._answers: list[Callable[[], None]] = []

    def run(self) -> None:
        """Do everything but the commit."""
        self._tick()
        locks_first = bool(self._acts) or any(ask.question.writes for ask in self._asks)
        self._read_heads(lock=locks_first)
        for act in self._acts:
            self._act(act)
        for ask in self._asks:
            ask.begin()
        self._replays()
        self._prepare()
        self._conclude([ask for ask in self._asks if ask.key is not None])
        if self._asks and not locks_first:
            if not any(_writes(ask) for ask in self._asks):
                # Nothing is recorded: what stood at the revision that was read is the answer.
                self._answer_standing()
                return
            if self._before_lock is not None:
                self._before_lock()
            self._read_heads(lock=True)
            self._conclude(self._touched())
        for ask in self._asks:
            self._record(ask)
        self._write_heads()

    def answer(self) -> None:
        """Tell every caller what came of it; only after the commit."""
        for answer in self._answers:
            answer()

    def _act(self, act: Act) -> None:
        head = self._heads[act.tenant]
        try:
            with self._connection.begin_nested():
                tx = SQLTransaction(self._connection, act.tenant, self._policies, head, self._now(head))
                value = act.run(tx)
        except SQLAlchemyError:
            raise
        except Exception as error:  # noqa: BLE001
            # Whatever a service raised undid its own savepoint and is its caller's to know.
            self._fail(act.waiting, error)
            return
        written = Written(value, tx.settle())
        self._answers.append(lambda: act.waiting.answer(written))

    def _replays(self) -> None:
        """Answer the questions whose request id was answered before, and keep one of those that ask twice."""
        seen: dict[tuple[str, str, str], Ask] = {}
        for ask in list(self._asks):
            question = ask.question
            if not question.request_id:
                continue
            identity = (question.tenant, question.principal, question.request_id)
            first = seen.setdefault(identity, ask)
            if first is not ask:
                self._asks.remove(ask)
                self._follow(ask, first)
                continue
            tx = self._transaction(question.tenant)
            before = tx.replay(question.principal, METHOD, question.request_id)
            if before is not None:
                self._asks.remove(ask)
                self._answer_or_fail(ask, lambda ask=ask, before=before: self._replayed(ask, before))  # type: ignore[misc]

    def _follow(self, ask: Ask, first: Ask) -> None:
        same = ask.question.body_digest == first.question.body_digest

        def answer() -> None:
            if not same:
                ask.waiting.fail(_reused(ask.question.request_id))
            elif first.judged is not None:
                ask.waiting.answer(replace(first.judged, replayed=True))
            else:
                ask.waiting.fail(first.error or _reused(ask.question.request_id))

        self._answers.append(answer)

    def _replayed(self, ask: Ask, before: Replay) -> Judged:
        if before.body_digest != ask.question.body_digest:
            raise _reused(ask.question.request_id)
        tx = self._transaction(ask.tenant)
        record = tx.find_decision(before.answer.decode())
        assert record is not None
        newest = tx.newest_decision(record.release)
        assert newest is not None
        allows, ends = record.effective_verdict.allows, record.valid_until
        expired = allows and ends is not None and ends <= tx.now
        if newest.name != record.name or expired:
            text = (
                f"{record.name} answered this request_id, but it "
                f"{'has expired' if newest.name == record.name else 'is no longer the newest'}: "
                "ask again with a new request_id"
            )
            raise Precondition("DECISION_SUPERSEDED", text, metadata={"newest": newest.name})
        return Judged(record, record.revision, replayed=True, standing=True)

    def _prepare(self) -> None:
        for ask in list(self._asks):
            tx = self._transaction(ask.tenant)
            try:
                if ask.question.writes:
                    with self._connection.begin_nested():
                        ask.key = ask.question.prepare(tx)
                    tx.settle()
                else:
                    ask.key = ask.question.prepare(tx)
            except PassportError as error:
                self._asks.remove(ask)
                self._fail_ask(ask, error)
                continue
            ask.scopes = scopes_of(ask.key)

    def _conclude(self, asks: Iterable[Ask]) -> None:
        """Load the cases of each tenant's questions together, read the clock, and decide."""
        by_tenant: defaultdict[str, list[Ask]] = defaultdict(list)
        for ask in asks:
            by_tenant[ask.tenant].append(ask)
        for tenant, theirs in by_tenant.items():
            head = self._heads[tenant]
            keys = [ask.key for ask in theirs if ask.key is not None]
            loader = Loader(self._connection, tenant, self._policies)
            loaded = loader.load(keys, head.revision, self._now(head))
            self._tick()
            now = self._now(head)
            # Questions about one release that arrive together see each other's answers, in order.
            newest: dict[str, DecisionRecord] = {}
            for ask, case in zip(theirs, loaded, strict=True):
                name = case.release.name
                self._conclude_one(ask, replace(case, now=now, standing=newest.get(name, case.standing)))
                if ask.conclusion is not None and ask.conclusion.record is not None:
                    newest[name] = ask.conclusion.record

    def _conclude_one(self, ask: Ask, case: LoadedCase) -> None:
        try:
            ask.conclusion = ask.question.conclude(case)
        except PassportError as error:
            if ask.question.writes:
                raise Spoiled(ask, error) from error
            self._asks.remove(ask)
            self._fail_ask(ask, error)

    def _touched(self) -> list[Ask]:
        """Return the questions whose case was changed between the reading of the head and its lock."""
        moved = {
            tenant: since
            for tenant, since in self._read_revisions.items()
            if self._heads[tenant].revision > since
        }
        touched = []
        for tenant, since in moved.items():
            c = tables.feed_scopes.c
            rows = select(c.scope).distinct().where(c.tenant == tenant, c.revision > since)
            changed = {row.scope for row in self._connection.execute(rows)}
            everybody = "tenant" in changed
            touched += [a for a in self._asks if a.tenant == tenant and (everybody or a.scopes & changed)]
        return touched if self._check_conflicts else []

    def _record(self, ask: Ask) -> None:
        conclusion, key = ask.conclusion, ask.key
        assert conclusion is not None
        assert key is not None
        head = self._heads[ask.tenant]
        answer = self._recorded.get(conclusion.answer.name, conclusion.answer)
        tx = SQLTransaction(self._connection, ask.tenant, self._policies, head, answer.decide_time)
        if conclusion.record is not None:
            tx = SQLTransaction(
                self._connection, ask.tenant, self._policies, head, conclusion.record.decide_time
            )
            self._put(tx, conclusion, key)
            answer = self._recorded[answer.name] = replace(conclusion.record, revision=head.revision + 1)
            head.last_decide_time = max(head.last_decide_time, answer.decide_time)
        question = ask.question
        if question.request_id:
            now = max(answer.decide_time, head.last_decide_time)
            tx.now = now
            replay = Replay(question.body_digest, answer.name.encode())
            tx.remember(question.principal, METHOD, question.request_id, replay)
        if conclusion.record is not None:
            tx.settle()
        judged = Judged(answer, head.revision, replayed=False, standing=conclusion.record is None)
        ask.judged = judged
        self._answers.append(lambda: ask.waiting.answer(judged))

    def _put(self, tx: SQLTransaction, conclusion: Conclusion, key: CaseKey) -> None:
        assert conclusion.record is not None
        tx.put_decision(conclusion.record)
        for latch in conclusion.latches:
            tx.put_latch(key.release.identity.content_digest, latch)
        for event in conclusion.events:
            tx.emit(event)
        for entry in conclusion.audit:
            tx.audit(entry)

    def _answer_or_fail(self, ask: Ask, act: Callable[[], Any]) -> None:
        try:
            result = act()
        except PassportError as error:
            self._fail(ask.waiting, error)
        else:
            self._answers.append(lambda: ask.waiting.answer(result))

    def _fail_ask(self, ask: Ask, error: Exception) -> None:
        ask.error = error
        self._fail(ask.waiting, error)

    def _fail(self, waiting: Waiting, error: Exception) -> None:
        self._answers.append(lambda: waiting.fail(error))

    def _transaction(self, tenant: str) -> SQLTransaction:
        head = self._heads[tenant]
        return SQLTransaction(self._connection, tenant, self._policies, head, self._now(head))

    def _answer_standing(self) -> None:
        for ask in self._asks:
            assert ask.conclusion is not None
            revision = self._heads[ask.tenant].revision
            judged = Judged(ask.conclusion.answer, revision, replayed=False, standing=True)
            self._answers.append(lambda ask=ask, judged=judged: ask.waiting.answer(judged))  # type: ignore[misc]

    def _tick(self) -> None:
        """Read the database's clock."""
        self._time = database_time(self._connection, self._clock)

    def _now(self, head: Head) -> datetime:
        """Return the time that was read last, never earlier than the tenant's last decision."""
        return max(self._time, head.last_decide_time)

    def _read_heads(self, *, lock: bool) -> None:
        c = tables.heads.c
        if lock:
            self._make_heads()
        rows = select(tables.heads).where(c.tenant.in_(self._tenants)).order_by(c.tenant)
        for row in self._connection.execute(rows.with_for_update() if lock else rows):
            self._heads[row.tenant] = Head(
                row.revision, row.last_decide_time, row.leaf_count, row.access_generation
            )
            self._read_revisions.setdefault(row.tenant, row.revision)
        for tenant in self._tenants:
            self._heads.setdefault(tenant, Head(0, EPOCH, 0, 0))
            self._read_revisions.setdefault(tenant, 0)

    def _make_heads(self) -> None:
        dialect: Any = sqlite if self._connection.dialect.name == "sqlite" else postgresql
        rows = [
            {
                "tenant": tenant,
                "revision": 0,
                "last_decide_time": EPOCH,
                "epoch": 1,
                "leaf_count": 0,
                "access_generation": 0,
            }
            for tenant in self._tenants
        ]
        self._connection.execute(dialect.insert(tables.heads).on_conflict_do_nothing(), rows)

    def _write_heads(self) -> None:
        """Move the heads on, as the last statements before the commit."""
        c = tables.heads.c
        for tenant in self._tenants:
            head = self._heads[tenant]
            self._connection.execute(
                update(tables.heads)
                .where(c.tenant == tenant)
                .values(
                    revision=head.revision,
                    last_decide_time=head.last_decide_time,
                    leaf_count=head.leaf_count,
                    access_generation=head.access_generation,
                )
            )


def database_time(connection: Connection, clock: Callable[[], datetime]) -> datetime:
    """Return the database's time: PostgreSQL's own, and this host's for SQLite."""
    if connection.dialect.name == "postgresql":
        time: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
        return time.astimezone(UTC)
    return clock()


def scopes_of(key: CaseKey) -> frozenset[str]:
    """Return the feed scopes whose changes a case depends on."""
    scopes = {subject_text(subject) for subject in key.subjects}
    scopes.add(f"digests:{key.release.identity.content_digest}")
    return frozenset(scopes)


def _writes(ask: Ask) -> bool:
    assert ask.conclusion is not None
    return ask.conclusion.record is not None or bool(ask.question.request_id)


def _reused(request_id: str) -> Precondition:
    text = f"request_id {request_id!r} was used for another request within 24 hours: use a new one"
    return Precondition("REQUEST_ID_REUSED", text)
