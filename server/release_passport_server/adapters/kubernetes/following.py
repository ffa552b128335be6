"""Follows one object through streams that end, break and lose their history."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Protocol

from release_passport_server.adapters.kubernetes.watching import Watching
from release_passport_server.ports.cluster import ClusterError, HistoryGone, Manifest, ObjectRef, Sighting


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a stream may last, and how long to wait after one that came to nothing."""

    # Streams end by themselves after a while, and not all at once.
    least_stream: int = 240
    longest_stream: int = 300
    first_wait: float = 0.2
    longest_wait: float = 30.0
    # After so many failures in a row the object is read anew.
    resumes: int = 3
    chance: random.Random = field(default_factory=random.SystemRandom)
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    def stream_seconds(self) -> int:
        """Return how long the next stream may last."""
        return self.chance.randint(self.least_stream, self.longest_stream)

    async def wait(self, failures: int, after: float | None) -> None:
        """Wait, longer after each failure in a row, and at least as long as was asked for."""
        longest = min(self.first_wait * 2 ** min(failures - 1, 20), self.longest_wait)
        # Never all of those who failed together at the same time again.
        await self.sleep(max(after or 0.0, longest * self.chance.uniform(0.5, 1.0)))


class Reader(Protocol):
    """What reads and watches; see KubernetesObjects."""

    async def first(self, tenant: str, wanted: ObjectRef) -> tuple[Manifest | None, str]:
        """Return the object and the version from which to watch it."""
        ...

    async def watching(self, tenant: str, wanted: ObjectRef) -> Watching:
        """Return what watches one object."""
        ...


@dataclass(slots=True)
class Following:
    """One object, followed by one caller."""

    reader: Reader
    tenant: str
    wanted: ObjectRef
    patience: Patience
    # From where to go on; empty: the object is to be read anew.
    _version: str = ""
    _failures: int = 0
    # Version and identity of what was given last; None where nothing was, or a failure.
    _given: tuple[object, object] | None = None

    async def sightings(self) -> AsyncGenerator[Sighting, None]:
        """Give the object as it is, and then as often as it changes; never ends by itself."""
        while True:
            try:
                if not self._version:
                    found, self._version = await self.reader.first(self.tenant, self.wanted)
                    if self._is_news(found):
                        yield Sighting(found)
                    if not self._version:
                        # A list without a version cannot be watched from: look again, and not at once.
                        self._failures += 1
                        await self.patience.wait(self._failures, None)
                        continue
                told = False
                async with aclosing(self._changes()) as changes:
                    async for sighting in changes:
                        told = True
                        yield sighting
                # A stream that ends without a word as soon as it has begun must not be begun at once for ever.
                if not told:
                    await self.patience.wait(1, None)
            except HistoryGone:
                self._version = ""
                self._failures += 1
                if self._failures > 1:
                    await self.patience.wait(self._failures, None)
            except ClusterError as error:
                self._failures += 1
                if self._failures >= self.patience.resumes:
                    self._version = ""
                self._given = None
                yield Sighting(error=error)
                await self.patience.wait(self._failures, error.retry_after)

    async def _changes(self) -> AsyncGenerator[Sighting, None]:
        watching = await self.reader.watching(self.tenant, self.wanted)
        async with aclosing(watching.changes(self._version, self.patience.stream_seconds())) as changes:
            async for change in changes:
                self._version, self._failures = change.version, 0
                if change.object is None:
                    continue
                found = None if change.deleted else change.object
                if self._is_news(found):
                    yield Sighting(found)

    def _is_news(self, found: Manifest | None) -> bool:
        metadata = {} if found is None else found["metadata"]
        given = (metadata.get("uid"), metadata.get("resourceVersion"))
        news = given != self._given
        self._given = given
        return news
