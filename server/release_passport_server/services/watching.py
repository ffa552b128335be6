"""Send the decisions that stand, and then every change: the guarantees by name stand in the README of server."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TypeVar

from release_passport_server.domain.access import Scope, Verb
from release_passport_server.domain.errors import Exhausted, Invalid, Unavailable, Violation
from release_passport_server.domain.ids import ReleaseName
from release_passport_server.domain.record import DecisionRecord
from release_passport_server.domain.watch import (
    DecisionChange,
    Farewell,
    Happening,
    Mark,
    Told,
    WatchCommand,
    may_see,
)
from release_passport_server.ports.access import Authorizer
from release_passport_server.ports.clock import Clock
from release_passport_server.ports.store import Reader, Store
from release_passport_server.services.backlog import Backlog
from release_passport_server.services.grants import GrantLoader
from release_passport_server.services.tail import LOOK_SECONDS, Inbox, Tail, diverged

# A stream ends after a time between these, so that a new server gets its share of them.
LEAST_LIFE_SECONDS = 20 * 60.0
MOST_LIFE_SECONDS = 40 * 60.0
# Those who watch whole places are shown so many decisions at first.
MOST_STANDING = 10_000
# Streams that begin read the store; no more of them at once.
CATCH_UP_AT_ONCE = 8
# A revision that somebody has heard of is there, or will be within this.
MIN_REVISION_SECONDS = 5.0
# When the server ends, so many streams a second are told, and they come back over twice that time.
GOODBYES_PER_SECOND = 1000
GOODBYE_PARTS = 20
# Who has not read the goodbye by then is cut off.
LAST_WORDS_SECONDS = 2.0
# Told before the credential ends, not after.
EXPIRY_MARGIN_SECONDS = 5.0
logger = logging.getLogger(__name__)
T = TypeVar("T")
NOWHERE = Mark(0, 0, b"")


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """How many streams one principal and one tenant may have open in this process."""

    of_principal: int = 100
    of_tenant: int = 2000


@dataclass(slots=True)
class Watching:
    """Keeps the streams of one process."""

    store: Store
    access: Authorizer
    loader: GrantLoader
    clock: Clock
    tail: Tail
    backlog: Backlog
    limits: StreamLimits = field(default_factory=StreamLimits)
    _open: Counter[tuple[str, ...]] = field(default_factory=Counter)
    _streams: set[_Stream] = field(default_factory=set)
    _catching_up: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(CATCH_UP_AT_ONCE))
    # Set when the last stream has gone.
    _gone: asyncio.Event = field(default_factory=asyncio.Event)
    _ending: bool = False

    async def follow(self, command: WatchCommand) -> AsyncGenerator[Told, None]:
        """Yield what the stream says until it says goodbye; raise what ends it otherwise."""
        self._require(command)
        tenant = command.principal.tenant
        stream = _Stream(command, Inbox(command.watched, every=command.every))
        with self._counted(stream):
            logger.info("watching", extra=_whose(command))
            try:
                async for told in self._begin(stream):
                    yield told
                async for told in self._live(stream):
                    yield told
            finally:
                self.tail.leave(tenant, stream.inbox)

    async def end(self) -> None:
        """Take no more streams and end those that are open, a part at a time; return when they have been told."""
        self._ending = True
        self._gone.clear()
        streams = list(self._streams)
        parts = min(GOODBYE_PARTS, len(streams))
        for number in range(parts):
            for stream in streams[number::parts]:
                stream.reconnect_seconds = 2 * len(streams) / GOODBYES_PER_SECOND
                stream.leave(Farewell.DRAINING)
            await asyncio.sleep(len(streams) / GOODBYES_PER_SECOND / parts)
        if self._streams:
            with suppress(TimeoutError):
                async with asyncio.timeout(LAST_WORDS_SECONDS):
                    await self._gone.wait()
        await self.tail.close()

    @property
    def open_streams(self) -> int:
        """Return how many streams are open."""
        return len(self._streams)

    def _require(self, command: WatchCommand) -> None:
        """Raise Denied for a release that may not be seen, and where nothing may be seen at all."""
        principal = command.principal
        self.access.require_somewhere(principal, Verb.READ)
        for release in command.watched.releases:
            name = ReleaseName.parse(release)
            self.access.require(principal, Verb.READ, service=name.service, environment=name.environment)

    @contextmanager
    def _counted(self, stream: _Stream) -> Iterator[None]:
        principal = stream.command.principal
        whose = ((principal.tenant,), (principal.tenant, principal.id))
        most = (self.limits.of_tenant, self.limits.of_principal)
        for owner, limit in zip(whose, most, strict=True):
            if self._open[owner] >= limit:
                text = f"{limit} streams of {owner[-1]} are open on this server: one stream can hold 256 subscriptions"
                raise Exhausted("TOO_MANY_STREAMS", text, retry_after=30.0)
        if self._ending:
            text = "this server is shutting down; ask another one, or this one again"
            raise Unavailable("DRAINING", text, retry_after=_jittered(1.0))
        self._open.update(whose)
        self._streams.add(stream)
        try:
            yield
        finally:
            self._streams.discard(stream)
            self._open.subtract(whose)
            for owner in whose:
                if not self._open[owner]:
                    del self._open[owner]
            if not self._streams:
                self._gone.set()

    async def _begin(self, stream: _Stream) -> AsyncGenerator[Told, None]:
        """Yield what comes before changes do, and put the stream where they go on."""
        command, tenant = stream.command, stream.command.principal.tenant
        if command.resume is not None:
            async for told in self._catch_up(stream, command.resume):
                yield told
        else:
            await self.tail.join(tenant, stream.inbox)
            await self._reach(command)
            if command.snapshot:
                async for told in self._snapshot(stream):
                    yield told
            else:
                stream.reached(self.tail.position(tenant))
                yield Told(stream.mark.revision, stream.mark, heartbeat=self.clock.now())

    async def _reach(self, command: WatchCommand) -> None:
        tenant = command.principal.tenant
        if not await self.tail.reached(tenant, command.min_revision, MIN_REVISION_SECONDS):
            raise diverged(command.min_revision)

    async def _snapshot(self, stream: _Stream) -> AsyncGenerator[Told, None]:
        """Yield the decisions that stand at one revision; what comes later is in the inbox, or will be."""
        watched = stream.command.watched

        def act(reader: Reader) -> tuple[Mark, tuple[DecisionRecord, ...]]:
            open_too = bool(watched.places)
            found = reader.standing_decisions(watched.releases, open_too=open_too, most=MOST_STANDING + 1)
            return reader.feed_head(), found

        head, records = await self._from_store(stream, act)
        if len(records) > MOST_STANDING:
            text = f"more than {MOST_STANDING} decisions stand there: watch fewer services, or without a snapshot"
            raise Invalid("INVALID_FIELDS", text, violations=[Violation("initial_state", text)])
        changes = [_stood(record) for record in records]
        scopes = await self._scopes(stream)
        seen = [change for change in changes if watched.covers(change) and may_see(scopes, change)]
        for change in seen:
            yield Told(head.revision, None, change)
        stream.reached(head)
        yield Told(head.revision, head, snapshot=len(seen))

    async def _catch_up(self, stream: _Stream, resume: Mark) -> AsyncGenerator[Told, None]:
        """Yield what the store has behind the mark, then join the others who hear of changes at once."""
        tenant = stream.command.principal.tenant
        await self.backlog.require_same(tenant, resume)
        stream.reached(resume)
        with self.backlog.used():
            async for told in self._stored(stream):
                yield told
            await self.tail.join(tenant, stream.inbox)
            await self._reach(stream.command)
            # What was committed between the last look and joining.
            async for told in self._stored(stream):
                yield told

    async def _stored(self, stream: _Stream) -> AsyncGenerator[Told, None]:
        watched, tenant = stream.command.watched, stream.command.principal.tenant
        while True:
            part = await self.backlog.after(tenant, stream.mark)
            if part.end == stream.mark:
                return
            changes = [change for change in part.changes if watched.covers(change)]
            if not stream.command.every:
                changes = list({change.release: change for change in changes}.values())
                changes.sort(key=lambda change: (change.revision, change.index))
            for place, change in enumerate(changes):
                mark = part.marks[change.revision]
                last = all(other.revision > change.revision for other in changes[place + 1 : place + 2])
                if may_see(await self._scopes(stream), change):
                    yield Told(change.revision, mark if last else stream.mark, change)
                if last:
                    stream.reached(mark)
            stream.reached(part.end)

    async def _from_store(self, stream: _Stream, act: Callable[[Reader], T]) -> T:
        """Run `act` on a snapshot, with few others at once; nobody who reads slowly keeps others from it."""
        async with self._catching_up:
            return await self.store.read(stream.command.principal.tenant, act)

    async def _live(self, stream: _Stream) -> AsyncGenerator[Told, None]:
        """Yield changes as they come, and signs of life, until it is time to go."""
        command, inbox = stream.command, stream.inbox
        loop = asyncio.get_running_loop()
        end, last = self._end_time(stream), loop.time()
        while True:
            if stream.farewell is None and loop.time() >= end:
                stream.farewell = self._last_word(stream)
            if inbox.failure is not None:
                raise inbox.failure
            taken = inbox.take()
            if taken is not None:
                change, mark = taken
                # Where a change of the same revision is still to come, the stream goes on before both of them.
                mark = stream.mark if inbox.holds(change.revision) else mark
                if may_see(await self._scopes(stream), change):
                    last = loop.time()
                    yield Told(change.revision, mark, change)
                stream.reached(mark)
                continue
            if stream.farewell is not None:
                break
            due = last + _jittered_heartbeat(command.heartbeat_seconds)
            if loop.time() >= due:
                if not await self._knows(stream):
                    # Whoever cannot read the store keeps silent, so that what allowed becomes unknown.
                    await stream.wait(LOOK_SECONDS)
                    continue
                if inbox or inbox.failure is not None:
                    # What came meanwhile goes first: a heartbeat says that everything was sent.
                    continue
                stream.reached(self._position(stream))
                last = loop.time()
                yield Told(stream.mark.revision, stream.mark, heartbeat=self.clock.now())
            await stream.wait(min(due, end) - loop.time())
        wait = _jittered(stream.reconnect_seconds)
        yield Told(stream.mark.revision, stream.mark, farewell=stream.farewell, reconnect_seconds=wait)

    async def _knows(self, stream: _Stream) -> bool:
        """Say whether the store was read lately; raise Denied where the stream's reader may not hear more of it."""
        if not self.tail.is_current:
            return False
        try:
            await self._scopes(stream)
        except Unavailable:
            return False
        return True

    def _position(self, stream: _Stream) -> Mark:
        """Return how far everything was sent: as far as was read, because nothing waits."""
        position = self.tail.position(stream.command.principal.tenant)
        return position if position.revision > stream.mark.revision else stream.mark

    async def _scopes(self, stream: _Stream) -> tuple[Scope, ...]:
        """Return what the stream's reader may see now; raise Denied once that is not what was asked for any more."""
        principal = stream.command.principal
        generation = await self.loader.fresh(principal.tenant)
        if generation != stream.generation:
            self._require(stream.command)
            stream.generation = generation
            stream.scopes = self.access.allowed_scopes(principal, Verb.READ)
        return stream.scopes

    def _end_time(self, stream: _Stream) -> float:
        life = random.uniform(LEAST_LIFE_SECONDS, MOST_LIFE_SECONDS)  # noqa: S311
        left = (stream.command.principal.expire_time - self.clock.now()).total_seconds()
        stream.expires = left - EXPIRY_MARGIN_SECONDS < life
        return asyncio.get_running_loop().time() + max(0.0, min(life, left - EXPIRY_MARGIN_SECONDS))

    def _last_word(self, stream: _Stream) -> Farewell:
        return Farewell.AUTH_EXPIRED if stream.expires else Farewell.REBALANCE


@dataclass(slots=True, eq=False)
class _Stream:
    """One open stream: what it has said, and why it is about to end."""

    command: WatchCommand
    inbox: Inbox
    mark: Mark = NOWHERE
    generation: int = -1
    scopes: tuple[Scope, ...] = ()
    farewell: Farewell | None = None
    reconnect_seconds: float = 1.0
    expires: bool = False

    def reached(self, mark: Mark) -> None:
        """Go on behind a mark: everything up to it was sent."""
        self.mark = mark
        self.inbox.sent_up_to = mark.revision

    def leave(self, farewell: Farewell) -> None:
        """Send what waits, say goodbye and end."""
        self.farewell = farewell
        self.inbox.ready.set()

    async def wait(self, seconds: float) -> None:
        """Return when something is to be sent, at the latest after so many seconds."""
        self.inbox.ready.clear()
        if self.inbox or self.farewell is not None or self.inbox.failure is not None:
            return
        loop = asyncio.get_running_loop()
        timer = loop.call_later(max(0.0, seconds), self.inbox.ready.set)
        try:
            await self.inbox.ready.wait()
        finally:
            timer.cancel()


def _stood(record: DecisionRecord) -> DecisionChange:
    return DecisionChange(
        Happening.STOOD,
        record.revision,
        0,
        record.release,
        record.service,
        record.environment,
        record.body,
    )


def _whose(command: WatchCommand) -> dict[str, object]:
    return {
        "tenant": command.principal.tenant,
        "principal": command.principal.id,
        "client": command.client_id,
        "subscriptions": len(command.watched.subscriptions),
        "resumed": command.resume is not None,
    }


def _jittered(seconds: float) -> float:
    return seconds * random.uniform(1.0, 2.0)  # noqa: S311


def _jittered_heartbeat(seconds: float) -> float:
    # Never later than was promised.
    return seconds * random.uniform(0.9, 1.0)  # noqa: S311
