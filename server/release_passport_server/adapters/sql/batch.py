"""One transaction for many requests: acts first, then questions, then the commit; see the record 0002."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from release_passport_server.adapters.sql import tables
from release_passport_server.adapters.sql.asked import METHOD, Replays, found_for, remembered, replays, reused
from release_passport_server.adapters.sql.batch_state import Found, Written
from release_passport_server.adapters.sql.bulk import Beside
from release_passport_server.adapters.sql.catalog import Catalogs
from release_passport_server.adapters.sql.engine import database_time
from release_passport_server.adapters.sql.heads import Heads
from release_passport_server.adapters.sql.loading import Known, Loader, at
from release_passport_server.adapters.sql.requests import Act, Answer, Ask, Request
from release_passport_server.adapters.sql.standing import EVERYBODY, Standing, StandingAnswers, scopes_of
from release_passport_server.adapters.sql.together import unanswered
from release_passport_server.adapters.sql.transaction import SQLTransaction
from release_passport_server.domain.evidence import Subject
from release_passport_server.domain.kind import SubjectType
from release_passport_server.domain.record import DecisionRecord
from release_passport_server.domain.release import Latch
from release_passport_server.ports.judging import Judged, LoadedCase
from release_passport_server.ports.store import Replay
from release_passport_server.ports.store import Written as Answered

Failpoint = Callable[[], None]
# Rows of these may wait while cases are loaded: a case does not read them, or takes the items from memory.
_OVERLAID = (
    tables.audit,
    tables.bodies,
    tables.evidence,
    tables.feed,
    tables.feed_scopes,
    tables.idempotency,
    tables.release_artifacts,
    tables.release_subjects,
    tables.releases,
    tables.jobs,
    tables.series,
)


class SpoiledError(Exception):
    """Questions failed after they had written: the batch runs again without them."""

    def __init__(self, asks: Sequence[Ask]) -> None:
        super().__init__(f"{len(asks)} questions failed after they had written")
        self.asks = asks


class Batch:
    """Runs requests in one transaction and knows what to answer once that is committed.

    Where anything writes from the start, the heads are locked first. Questions alone are decided before the
    heads are locked; those whose case somebody else has touched meanwhile are loaded and decided again.
    """

    def __init__(
        self,
        connection: Connection,
        requests: Sequence[Request],
        catalogs: Catalogs,
        clock: Callable[[], datetime],
        *,
        before_lock: Failpoint | None = None,
        marks: Sequence[Beside] = (),
        standing: StandingAnswers | None = None,
    ) -> None:
        self._connection = connection
        self._acts = [request for request in requests if isinstance(request, Act)]
        self._asks = [request for request in requests if isinstance(request, Ask)]
        self._heads = Heads(connection, list({request.tenant for request in requests}))
        self._catalogs = catalogs
        self._clock = clock
        self._before_lock = before_lock
        # What is written along with the batch so that it can be told later whether it was committed.
        self._marks = marks
        self._time = datetime(1970, 1, 1, tzinfo=UTC)
        self._written = Written()
        # What the questions that were answered so far have changed for those behind them.
        self._emitted: defaultdict[str, set[str]] = defaultdict(set)
        self._decided: dict[tuple[str, str], DecisionRecord] = {}
        # Releases by tenant that were asked about: they were decided after everything that the batch changes.
        self._asked: set[tuple[str, str]] = set()
        self._latched: defaultdict[tuple[str, str], list[Latch]] = defaultdict(list)
        self._standing = standing or StandingAnswers()
        # What may be answered again without being loaded, once the batch is committed.
        self.kept: list[tuple[str, str, Standing]] = []
        self.answers: list[Answer] = []
        # Kinds of jobs that are due at once, and tenants of whose decisions one was changed.
        self.woke: frozenset[str] = frozenset()
        self.decided: frozenset[str] = frozenset()
        self.rows = 0

    def run(self) -> bool:
        """Do everything but the commit; say whether there is anything to commit."""
        writes = bool(self._acts) or any(ask.question.writes for ask in self._asks)
        self._read_heads(lock=writes)
        self._recall()
        for act in self._acts:
            self._act(act)
        asks = self._prepared(*self._fresh())
        self._load(asks)
        if not writes and asks:
            asks = self._decided_first(asks)
        for ask in asks:
            self._finish(ask)
        spoiled = [ask for ask in asks if ask.error is not None and ask.question.writes]
        if spoiled:
            raise SpoiledError(spoiled)
        return self._put()

    def _recall(self) -> None:
        """Answer what was answered before and still stands, as of the heads that were read just now."""
        self._standing.follow(self._heads)
        asks, self._asks = self._asks, []
        for ask in asks:
            judged = self._standing.recall(ask, self._heads.now[ask.tenant], self._now(ask.tenant))
            if judged is None:
                self._asks.append(ask)
            else:
                self.answers.append((ask.waiting, judged))

    def _keep(self, ask: Ask) -> None:
        if not ask.question.request_id and (standing := Standing.of(ask)):
            self.kept.append((ask.tenant, ask.question.about, standing))

    def _put(self) -> bool:
        """Put everything that waits into the database, the heads last; say whether there is anything to commit."""
        pending, waking = self._written.pending, self._written.waking
        self.woke, self.decided = waking.due, frozenset(self._written.decided)
        if self._connection.dialect.name == "sqlite":
            pending.flush(self._connection)
            self._heads.write()
            if waking:
                waking.run(self._connection, self._time, self._asked)
                pending.flushed = True
        else:
            beside = [*self._heads.beside(), *waking.beside(self._time, self._asked)]
            changes = bool(beside or pending or pending.flushed)
            # Whether that went well is told with the commit.
            with unanswered(self._connection):
                pending.flush(self._connection, [*beside, *self._marks] if changes else ())
        self.rows = pending.put
        return pending.flushed

    def _act(self, act: Act) -> None:
        tx = self._transaction(act.tenant)
        try:
            value = act.run(tx)
        except SQLAlchemyError:
            raise
        except Exception as error:  # noqa: BLE001
            # Whatever a service raised undoes its own writes and is its caller's to know.
            tx.undo()
            self.answers.append((act.waiting, error))
        else:
            self.answers.append((act.waiting, Answered(value, tx.settle())))

    def _fresh(self) -> tuple[list[Ask], dict[str, Found]]:
        """Return the questions that were not answered before, each request id once, and what they name by tenant."""
        firsts: dict[tuple[str, str, str], Ask] = {}
        asks = []
        for ask in self._asks:
            ask.begin()
            first = firsts.setdefault(ask.request, ask) if ask.question.request_id else ask
            if first is ask:
                asks.append(ask)
            else:
                first.followers.append(ask)
        self._written.pending.flush(self._connection)
        read = {
            tenant: found_for(self._connection, tenant, theirs, self._now(tenant))
            for tenant, theirs in _by_tenant(asks).items()
        }
        before = {tenant: answers for tenant, (answers, _) in read.items()}
        return self._unanswered(asks, before), {tenant: found for tenant, (_, found) in read.items()}

    def _unanswered(self, asks: Sequence[Ask], read: Mapping[str, Replays]) -> list[Ask]:
        """Answer the questions whose request id was answered before; return the others."""
        answered = set()
        for tenant, theirs in _by_tenant(asks).items():
            now, loader = self._now(tenant), Loader(self._connection, tenant, self._catalogs)
            before = read[tenant] if read else remembered(self._connection, tenant, theirs, now)
            again = [(ask, before[ask.request]) for ask in theirs if ask.request in before]
            if again:
                for ask, result in replays(loader, again, now, self._heads.now[tenant].epoch):
                    self._answer(ask, result)
                    answered.add(id(ask))
        return [ask for ask in asks if id(ask) not in answered]

    def _prepared(self, asks: Sequence[Ask], found: Mapping[str, Found]) -> list[Ask]:
        prepared = []
        for ask in asks:
            tx = self._transaction(ask.tenant, found[ask.tenant])
            try:
                ask.key = ask.question.prepare(tx)
                if tx.touched and not ask.question.writes:
                    raise RuntimeError("a question that says that it writes nothing has written")
            except SQLAlchemyError:
                raise
            except Exception as error:  # noqa: BLE001
                tx.undo()
                self._answer(ask, error)
            else:
                tx.settle()
                ask.scopes = scopes_of(ask.key)
                prepared.append(ask)
        return prepared

    def _load(self, asks: Sequence[Ask]) -> None:
        """Load the cases of each tenant's questions together."""
        if not asks:
            return
        pending = self._written.pending
        if not pending.only(_OVERLAID):
            pending.flush(self._connection)
        for tenant, theirs in _by_tenant(asks).items():
            keys = [ask.key for ask in theirs if ask.key is not None]
            loader = Loader(self._connection, tenant, self._catalogs)
            known = Known(
                self._heads.now[tenant].revision,
                self._heads.catalog_revision(tenant),
                pending.items(tenant),
                self._written.releases,
            )
            cases = loader.load(keys, known, self._now(tenant))
            for ask, case in zip(theirs, cases, strict=True):
                ask.case, ask.conclusion, ask.error = case, None, None

    def _decided_first(self, asks: Sequence[Ask]) -> list[Ask]:
        """Decide before the heads are locked; return the questions for which something has to be recorded.

        Where nothing has to be, no head is locked: it is enough that nothing was touched meanwhile.
        """
        for ask in asks:
            self._conclude(ask)
        since = {ask.tenant: _loaded(ask).read_revision for ask in asks}
        if not any(map(_records, asks)):
            self._heads.read(lock=False)
            if not self._touched(asks, since):
                for ask in asks:
                    self._keep(ask)
                    self._answer(ask, ask.error or _standing(ask, self._heads.now[ask.tenant].epoch))
                return []
        if self._before_lock is not None:
            self._before_lock()
        self._read_heads(lock=True)
        # Another store may have answered the same request id until now.
        asks = self._unanswered(asks, {})
        self._load(self._touched(asks, since))
        return asks

    def _touched(self, asks: Sequence[Ask], since: dict[str, int]) -> list[Ask]:
        """Return the questions whose case others have changed between the reading of the heads and now."""
        changed = self._heads.changed_since(since)
        return [
            ask
            for ask in asks
            if (scopes := changed.get(ask.tenant)) and (EVERYBODY in scopes or ask.scopes & scopes)
        ]

    def _finish(self, ask: Ask) -> None:
        """Decide what is not decided yet, or not any more, and let the decision wait for the commit."""
        head, emitted = self._heads.now[ask.tenant], self._emitted[ask.tenant]
        touched = EVERYBODY in emitted or bool(ask.scopes & emitted)
        if touched or (ask.conclusion is None and ask.error is None):
            ask.case = self._current(ask)
            self._conclude(ask)
        elif _loaded(ask).now < head.last_decide_time:
            # Times never go back along revisions, so the same case is decided at a later time.
            ask.case = at(_loaded(ask), head.last_decide_time)
            self._conclude(ask)
        self._keep(ask)
        if ask.error is None:
            self._asked.add((ask.tenant, _loaded(ask).release.name))
            self._answer(ask, self._record(ask))
        elif not ask.question.writes:
            self._answer(ask, ask.error)

    def _current(self, ask: Ask) -> LoadedCase:
        """Return the case with what the batch itself has changed of it so far."""
        case, tenant = _loaded(ask), ask.tenant
        decided = self._decided.get((tenant, case.release.name))
        latched = self._latched[tenant, case.release.identity.content_digest]
        known = {latch.name for latch in case.latches}
        case = replace(
            case,
            standing=decided or case.standing,
            latches=(*case.latches, *(latch for latch in latched if latch.name not in known)),
            read_revision=self._heads.now[tenant].revision,
        )
        return at(case, max(case.now, self._now(tenant)))

    def _conclude(self, ask: Ask) -> None:
        ask.conclusion, ask.error = None, None
        try:
            ask.conclusion = ask.question.conclude(_loaded(ask))
        except Exception as error:  # noqa: BLE001
            ask.error = error

    def _record(self, ask: Ask) -> Judged:
        conclusion, case = ask.conclusion, _loaded(ask)
        assert conclusion is not None
        tx = self._transaction(ask.tenant)
        tx.now = case.now
        answer, content = conclusion.answer, case.release.identity.content_digest
        if conclusion.record is not None:
            answer = replace(conclusion.record, revision=self._heads.now[ask.tenant].revision + 1)
            tx.put_decision(answer)
            self._decided[ask.tenant, case.release.name] = answer
            self._emitted[ask.tenant].add(f"release:{case.release.name}")
        for latch in conclusion.latches:
            tx.put_latch(content, latch)
            self._latched[ask.tenant, content].append(latch)
            identity = case.release.identity
            tx.wake([Subject(SubjectType.WORKLOAD, f"{identity.service}/{identity.environment}")])
        for event in conclusion.events:
            tx.emit(event)
            self._emitted[ask.tenant].update(event.scopes)
        for entry in conclusion.audit:
            tx.audit(entry)
        for timer in conclusion.timers:
            tx.schedule(timer)
        if ask.question.request_id:
            replay = Replay(ask.question.body_digest, answer.name.encode())
            tx.remember(ask.question.principal, METHOD, ask.question.request_id, replay)
        tx.settle()
        epoch = self._heads.now[ask.tenant].epoch
        return Judged(
            answer, answer.revision, replayed=False, standing=conclusion.record is None, epoch=epoch
        )

    def _answer(self, ask: Ask, result: Judged | Exception) -> None:
        self.answers.append((ask.waiting, result))
        again = replace(result, replayed=True) if isinstance(result, Judged) else result
        same = ask.same()
        for follower in ask.followers:
            told = again if follower in same else reused(follower.question.request_id)
            self.answers.append((follower.waiting, told))

    def _transaction(self, tenant: str, found: Found | None = None) -> SQLTransaction:
        return SQLTransaction(
            self._connection,
            tenant,
            self._catalogs,
            self._heads.now[tenant],
            now=self._now(tenant),
            catalog_revision=self._heads.catalog_revision(tenant),
            written=self._written,
            found=found,
        )

    def _now(self, tenant: str) -> datetime:
        """Return the time as it was last read, never earlier than the tenant's last change."""
        return max(self._time, self._heads.now[tenant].last_decide_time)

    def _read_heads(self, *, lock: bool) -> None:
        """Read the heads, and with them the time for all that comes next."""
        self._heads.read(lock=lock)
        self._time = self._heads.time or database_time(self._connection, self._clock)


def _loaded(ask: Ask) -> LoadedCase:
    assert ask.case is not None
    return ask.case


def _standing(ask: Ask, epoch: int) -> Judged:
    assert ask.conclusion is not None
    answer = ask.conclusion.answer
    return Judged(answer, answer.revision, replayed=False, standing=True, epoch=epoch)


def _records(ask: Ask) -> bool:
    conclusion = ask.conclusion
    if conclusion is None:
        return False
    return bool(conclusion.record or conclusion.events or conclusion.latches or ask.question.request_id)


def _by_tenant(asks: Iterable[Ask]) -> dict[str, list[Ask]]:
    found: defaultdict[str, list[Ask]] = defaultdict(list)
    for ask in asks:
        found[ask.tenant].append(ask)
    return found
