"""What streams that come back read: however many they are, a part of the feed is read once for all of them."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from release_passport_server.domain.errors import OutOfRange, PassportError, Precondition
from release_passport_server.domain.watch import FeedPart, Mark
from release_passport_server.ports.store import Reader, Store
from release_passport_server.services.tail import PART, diverged

# Runs that are read at once, and that are held while streams come back.
READ_AT_ONCE = 8
# So often at once it is looked whether marks are of the store's history: who comes meanwhile is asked for with others.
CHECKED_AT_ONCE = 2
MOST_HELD = 16
# A run begins where the first stream that asks for one of so many revisions is.
RUN = 200


# What is wrong with each of some marks, None where nothing is.
_Faults = dict[Mark, Exception | None]


@dataclass(slots=True)
class _Check:
    """Marks that are looked at together, and the task that does so."""

    marks: set[Mark] = field(default_factory=set)
    task: asyncio.Task[_Faults] | None = None


@dataclass(slots=True)
class _Run:
    """Some of a feed: all that is behind `begin` up to the part's end."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    begin: int = 0
    part: FeedPart | None = None
    failure: PassportError | None = None
    # Readings are numbered: the last that was begun, and the last that ended.
    begun: int = 0
    ended: int = 0

    def holds(self, mark: Mark, asked: int) -> bool:
        """Say whether it has what was behind a mark when `asked` was the last reading that had begun."""
        if self.part is None or self.begin > mark.revision:
            return False
        return self.ended > asked or self.part.end.revision // RUN > mark.revision // RUN

    def behind(self, mark: Mark) -> FeedPart:
        """Return what is behind a mark."""
        assert self.part is not None
        changes, marks, end = self.part.changes, self.part.marks, self.part.end
        first = bisect_right(changes, mark.revision, key=lambda change: change.revision)
        return FeedPart(changes[first:], marks, end if end.revision > mark.revision else mark)


class Backlog:
    """Reads the feeds for streams that are behind, few parts at once, each begun after it was asked for."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._room = asyncio.Semaphore(READ_AT_ONCE)
        self._checking = asyncio.Semaphore(CHECKED_AT_ONCE)
        # Of each tenant the check that has not begun yet.
        self._checks: dict[str, _Check] = {}
        self._runs: OrderedDict[tuple[str, int], _Run] = OrderedDict()
        self._users = 0

    @contextmanager
    def used(self) -> Iterator[None]:
        """Hold what was read as long as anybody is behind."""
        self._users += 1
        try:
            yield
        finally:
            self._users -= 1
            if not self._users:
                self._runs.clear()

    async def require_same(self, tenant: str, mark: Mark) -> None:
        """Raise OutOfRange for a mark that is not kept any more, Precondition for one of another history."""
        check = self._checks.setdefault(tenant, _Check())
        check.marks.add(mark)
        if check.task is None:
            check.task = asyncio.create_task(self._checked(tenant, check), name="check of resume tokens")
        # Whoever goes away does not take it from the others.
        fault = (await asyncio.shield(check.task))[mark]
        if fault is not None:
            raise fault

    async def after(self, tenant: str, mark: Mark) -> FeedPart:
        """Return a part of what follows a mark, empty where nothing does; raise where its history is another."""
        run = self._run(tenant, mark)
        asked = run.begun
        async with run.turn:
            while True:
                if run.ended > asked and run.failure is not None:
                    raise run.failure
                if run.holds(mark, asked):
                    return run.behind(mark)
                await self._read(tenant, run, mark)

    async def _checked(self, tenant: str, check: _Check) -> _Faults:
        async with self._checking:
            # Who comes from now on is told of what is there later.
            del self._checks[tenant]
            try:
                return await self._store.read(tenant, partial(_faults, marks=check.marks))
            except Exception as error:  # noqa: BLE001  It is raised to each of those who wait, if any still do.
                return dict.fromkeys(check.marks, error)

    def _run(self, tenant: str, mark: Mark) -> _Run:
        key = (tenant, mark.revision // RUN)
        run = self._runs.setdefault(key, _Run())
        self._runs.move_to_end(key)
        if len(self._runs) > MOST_HELD:
            self._runs.popitem(last=False)
        return run

    async def _read(self, tenant: str, run: _Run, mark: Mark) -> None:
        """Let a run go on, or begin it at a mark."""
        kept = run.part if run.begin <= mark.revision else None
        begin = mark if kept is None else kept.end
        run.begun += 1
        number = run.begun
        try:
            async with self._room:
                found = await self._store.read(tenant, partial(_part, mark=begin))
        except (Precondition, OutOfRange):
            # What it holds is of another history, or not kept any more: each stream is told of its own mark.
            run.part = None
            if kept is None:
                raise
        except PassportError as error:
            run.failure, run.ended = error, number
        else:
            run.begin = mark.revision if kept is None else run.begin
            run.part = found if kept is None else _joined(kept, found)
            run.failure, run.ended = None, number


def _joined(first: FeedPart, second: FeedPart) -> FeedPart:
    return FeedPart(first.changes + second.changes, first.marks | second.marks, second.end)


def _part(reader: Reader, *, mark: Mark) -> FeedPart:
    fault = _faults(reader, marks={mark})[mark]
    if fault is not None:
        raise fault
    return reader.feed_after(mark.revision, PART)


def _faults(reader: Reader, *, marks: Collection[Mark]) -> _Faults:
    oldest, head = reader.feed_oldest(), reader.feed_head()
    return {mark: _fault(reader, mark, oldest, head) for mark in marks}


def _fault(reader: Reader, mark: Mark, oldest: int, head: Mark) -> Exception | None:
    if mark.epoch != head.epoch or mark.revision > head.revision:
        return diverged(mark.revision)
    if mark.revision < oldest:
        text = f"revision {mark.revision} is older than what is kept: begin without a resume token"
        return OutOfRange("REVISION_COMPACTED", text, metadata={"oldest_revision": str(oldest)})
    return None if reader.feed_mark(mark.revision) == mark else diverged(mark.revision)
