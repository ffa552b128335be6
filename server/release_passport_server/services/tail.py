"""One reader of the feed for all streams of a process: what was committed is read once and handed to who watches it."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from release_passport_server.domain.errors import Conflict, PassportError, Precondition
from release_passport_server.domain.watch import DecisionChange, FeedPart, Mark, Watched
from release_passport_server.ports.store import Reader, Store

logger = logging.getLogger(__name__)

# Other processes commit too: so often it is looked whether they did.
LOOK_SECONDS = 0.1
# Who could not look for so long does not know what is there.
CURRENT_SECONDS = 2.0
# Rows of the feed that are read at once.
PART = 1000
# So many changes may wait for a reader who wants every one of them.
MOST_PENDING = 1000


class Inbox:
    """What one stream has to send yet: of LATEST one change for each release, the newest; of EVERY all of them."""

    def __init__(self, watched: Watched, *, every: bool) -> None:
        self.watched = watched
        self.every = every
        # What is not newer was sent from the store already.
        self.sent_up_to = 0
        self.failure: Exception | None = None
        self.ready = asyncio.Event()
        self._every: deque[tuple[DecisionChange, Mark]] = deque()
        self._latest: dict[str, tuple[DecisionChange, Mark]] = {}

    def __len__(self) -> int:
        return len(self._every) + len(self._latest)

    def put(self, change: DecisionChange, mark: Mark) -> None:
        """Let a change wait; one that makes too many ends the stream."""
        if change.revision <= self.sent_up_to:
            return
        if not self.every:
            # The newest comes last, so that revisions never go back.
            self._latest.pop(change.release, None)
            self._latest[change.release] = (change, mark)
        elif len(self._every) < MOST_PENDING:
            self._every.append((change, mark))
        else:
            text = (
                f"{MOST_PENDING} changes waited to be read: go on with the last resume token, and read faster"
            )
            self.fail(Conflict("SLOW_CONSUMER", text))
            return
        self.ready.set()

    def take(self) -> tuple[DecisionChange, Mark] | None:
        """Return the oldest change that waits and is not sent yet."""
        while self:
            taken = self._every.popleft() if self._every else self._latest.pop(next(iter(self._latest)))
            if taken[0].revision > self.sent_up_to:
                return taken
        return None

    def holds(self, revision: int) -> bool:
        """Say whether another change of this revision waits, after the one that was taken."""
        waiting = self._every[0] if self._every else next(iter(self._latest.values()), None)
        return waiting is not None and waiting[0].revision == revision

    def fail(self, error: Exception) -> None:
        """End the stream with an error."""
        self.failure = self.failure or error
        self.ready.set()


@dataclass(slots=True)
class _Followed:
    """One tenant's streams, and how far its feed was read."""

    position: Mark
    by_release: defaultdict[str, set[Inbox]] = field(default_factory=lambda: defaultdict(set))
    by_place: set[Inbox] = field(default_factory=set)
    moved: asyncio.Event = field(default_factory=asyncio.Event)

    def concerned(self, change: DecisionChange) -> Iterable[Inbox]:
        """Return who watches what changed."""
        named = self.by_release.get(change.release, ())
        yield from named
        for inbox in self.by_place:
            if inbox not in named and inbox.watched.covers(change):
                yield inbox

    def all(self) -> set[Inbox]:
        """Return every stream."""
        return self.by_place.union(*self.by_release.values())


class Tail:
    """Reads the feeds of the tenants that somebody watches, as soon as there is something to read."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._followed: dict[str, _Followed] = {}
        self._wake = asyncio.Event()
        # Tenants whose decisions this process has just changed.
        self._changed: set[str] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._looked_time = float("-inf")

    async def join(self, tenant: str, inbox: Inbox) -> None:
        """Hand the inbox every change behind the position from now on; raise what reading the store raises."""
        if tenant not in self._followed:
            head = await self._store.read(tenant, lambda reader: reader.feed_head())
            # Somebody else may have come first meanwhile.
            self._followed.setdefault(tenant, _Followed(head))
        followed = self._followed[tenant]
        for release in inbox.watched.releases:
            followed.by_release[release].add(inbox)
        if inbox.watched.places:
            followed.by_place.add(inbox)
        if self._task is None:
            self._loop = asyncio.get_running_loop()
            self._store.on_decided(self._decided)
            self._task = asyncio.create_task(self._run(), name="tail of the feed")
        self._wake.set()

    def leave(self, tenant: str, inbox: Inbox) -> None:
        """Hand it nothing more."""
        followed = self._followed.get(tenant)
        if followed is None:
            return
        followed.by_place.discard(inbox)
        for release in inbox.watched.releases:
            streams = followed.by_release.get(release, set())
            streams.discard(inbox)
            if not streams:
                followed.by_release.pop(release, None)
        if not followed.by_place and not followed.by_release:
            del self._followed[tenant]

    def position(self, tenant: str) -> Mark:
        """Return how far the feed of a tenant that is followed was read: every change up to it was handed on."""
        return self._followed[tenant].position

    @property
    def is_current(self) -> bool:
        """Say whether all that was committed until a moment ago was read."""
        return asyncio.get_running_loop().time() - self._looked_time <= CURRENT_SECONDS

    async def reached(self, tenant: str, revision: int, seconds: float) -> bool:
        """Say whether the feed was read up to a revision, waiting so long for it."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while (followed := self._followed.get(tenant)) is not None:
                    if followed.position.revision >= revision:
                        return True
                    followed.moved.clear()
                    self._wake.set()
                    await followed.moved.wait()
        return False

    async def close(self) -> None:
        """Read nothing more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    def _decided(self, tenants: Collection[str]) -> None:
        # The store outlives the loop by the last of its writes.
        with suppress(RuntimeError):
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._read_soon, tenants)

    def _read_soon(self, tenants: Collection[str]) -> None:
        if not self._followed.keys().isdisjoint(tenants):
            self._changed.update(tenants)
            self._wake.set()

    async def _run(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._wake.wait()
            self._wake.clear()
            changed, self._changed = self._changed & self._followed.keys(), set()
            if not self._followed:
                continue
            began = asyncio.get_running_loop().time()
            # What this process has decided is read without a look at what all of them have done.
            looks = not changed or began - self._looked_time >= LOOK_SECONDS
            try:
                heads = await self._store.revisions(self._followed) if looks else dict.fromkeys(changed)
                for tenant, revision in heads.items():
                    await self._read_or_end(tenant, revision)
                if looks:
                    self._looked_time = began
            except PassportError:
                # It goes on where it stopped, and streams are silent meanwhile.
                await asyncio.sleep(LOOK_SECONDS)

    async def _read_or_end(self, tenant: str, head: int | None) -> None:
        try:
            await self._read(tenant, head)
        except PassportError:
            raise
        except Exception as error:
            # Nothing is skipped: who watches this tenant is told, and the others go on.
            logger.exception("the feed cannot be read", extra={"tenant": tenant})
            followed = self._followed.get(tenant)
            if followed is not None:
                self._end(tenant, followed, error)

    async def _read(self, tenant: str, head: int | None) -> None:
        """Read up to the head; one part, where it is not known how far there is anything."""
        while (followed := self._followed.get(tenant)) is not None and followed.position.revision != head:
            before = followed.position
            part = await self._store.read(tenant, partial(_part, before=before))
            if part is None:
                # A database that another took the place of lacks what was read, or has something else there.
                extra = {"tenant": tenant, "revision": before.revision}
                logger.error("the feed has another history", extra=extra)
                self._end(tenant, followed, diverged(before.revision))
            if part is None or part.end.revision == before.revision:
                return
            _hand_on(followed, part)
            if head is None:
                return

    def _end(self, tenant: str, followed: _Followed, error: Exception) -> None:
        """End the streams of a tenant."""
        for inbox in followed.all():
            inbox.fail(error)
        self._followed.pop(tenant, None)


def _part(reader: Reader, *, before: Mark) -> FeedPart | None:
    return reader.feed_from(before, PART)


def diverged(revision: int) -> Precondition:
    """Return the error of a stream that goes on with another history."""
    text = (
        f"revision {revision} is of another history than the store's: it was put back to an earlier state; begin "
        "without a resume token, and look at what was done since"
    )
    return Precondition("HISTORY_DIVERGED", text)


def _hand_on(followed: _Followed, part: FeedPart) -> None:
    """Hand changes on and move the position, with nothing in between: who sees the one sees the other."""
    for change in part.changes:
        mark = part.marks[change.revision]
        for inbox in followed.concerned(change):
            inbox.put(change, mark)
    followed.position = part.end
    followed.moved.set()
