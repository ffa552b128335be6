"""How many calls are in flight, how long another would wait, and the moment from which no more are taken."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

from release_passport_server.domain.errors import Unavailable
from release_passport_server.transport.grpc.methods import CallClass

# Of the places of a class, one caller takes no more than this share.
CALLER_SHARE = 0.75
# So many calls are let in however slow the last ones were: the store commits them together.
ALWAYS = 64
# Where a call would wait longer than this, its caller does better to come back later.
MOST_WAIT_SECONDS = 0.5
# Answers that one caller has not read may take this much memory, and each takes at least ANSWER_BYTES.
MOST_UNREAD_BYTES = 32 * 1024 * 1024
ANSWER_BYTES = 16 * 1024
# These last as long as their callers want, which says nothing about how long another would wait.
_LONG = frozenset({CallClass.STREAM, CallClass.WATCH})
_RETRY_SECONDS = 0.5
_MOST_RETRY_SECONDS = 2.0
# Of the averages that follow the load, the weight of the newest call.
_NEWEST = 1 / 32


@dataclass(slots=True)
class _Places:
    """The places of one class, who holds them, and how fast they become free."""

    most: int
    taken: int = 0
    callers: dict[str, int] = field(default_factory=dict)
    # By how much each call ahead lengthens the wait.
    seconds_ahead: float = 0.0
    # The share of the newest calls that was refused.
    refused: float = 0.0

    @property
    def most_of_one(self) -> int:
        """Return how many of the places one caller may hold."""
        return math.ceil(self.most * CALLER_SHARE)

    @property
    def wait(self) -> float:
        """Return how many seconds another call would take."""
        return (self.taken + 1) * self.seconds_ahead

    def obstacle(self, kind: CallClass, caller: str, patience: float) -> str | None:
        """Return why there is no place, in words; None where there is one."""
        if self.taken >= self.most:
            return f"{self.most} {kind} calls are in flight already"
        if self.callers.get(caller, 0) >= self.most_of_one:
            return f"{self.most_of_one} of the {self.most} {kind} calls in flight are of this credential"
        if kind not in _LONG and self.taken >= ALWAYS and self.wait > patience:
            return f"the {kind} calls in flight take too long for another one"
        return None


class Limits:
    """Counts calls in flight by class; what is too much is refused at once, so that the rest stays fast."""

    def __init__(
        self, most: Mapping[CallClass, int], closed: Callable[[], Unavailable | None] | None = None
    ) -> None:
        # Returns why nothing is taken at all, where that is so.
        self._closed = closed
        self._places = {kind: _Places(most[kind]) for kind in CallClass}
        self._unread: dict[str, int] = {}
        self._draining = asyncio.Event()
        # How many calls were refused because the server is shutting down.
        self._turned_away = 0
        self._until_drained: set[asyncio.Timeout] = set()
        self._idle = asyncio.Event()
        self._idle.set()

    def refusal(self, kind: CallClass, caller: str, remaining: float | None = None) -> Unavailable | None:
        """Return why a call is not taken; None where it is. `remaining` is the time that its caller gives."""
        if self._draining.is_set():
            self._turned_away += 1
            return draining()
        if self._closed is not None and (closed := self._closed()) is not None:
            return closed
        places = self._places[kind]
        patience = MOST_WAIT_SECONDS if remaining is None else min(MOST_WAIT_SECONDS, remaining)
        obstacle = self._obstacle_of(caller) or places.obstacle(kind, caller, patience)
        if obstacle is None:
            return None
        places.refused += (1 - places.refused) * _NEWEST
        # The more are refused, the later they are asked to come back.
        seconds = min(_MOST_RETRY_SECONDS, _RETRY_SECONDS / max(0.01, 1 - places.refused))
        return Unavailable(
            "OVERLOADED",
            f"{obstacle}; retry as RetryInfo says",
            metadata={"class": str(kind)},
            retry_after=_jittered(seconds),
        )

    @contextmanager
    def admit(self, kind: CallClass, caller: str = "", remaining: float | None = None) -> Iterator[None]:
        """Hold a place for one call; raise Unavailable where there is none, or no more calls are taken."""
        refusal = self.refusal(kind, caller, remaining)
        if refusal is not None:
            raise refusal
        places, clock = self._places[kind], asyncio.get_running_loop().time
        began, ahead = clock(), places.taken + 1
        places.taken = ahead
        places.callers[caller] = places.callers.get(caller, 0) + 1
        places.refused -= places.refused * _NEWEST
        self._idle.clear()
        try:
            yield
        finally:
            places.taken -= 1
            places.callers[caller] -= 1
            if not places.callers[caller]:
                del places.callers[caller]
            places.seconds_ahead += ((clock() - began) / ahead - places.seconds_ahead) * _NEWEST
            if not any(places.taken for places in self._places.values()):
                self._idle.set()

    def unread(self, caller: str, size: int) -> Callable[[], None]:
        """Count an answer as on its way to its caller; return what to call when it has been read."""
        cost = size + ANSWER_BYTES
        self._unread[caller] = self._unread.get(caller, 0) + cost

        def read() -> None:
            left = self._unread[caller] - cost
            if left:
                self._unread[caller] = left
            else:
                del self._unread[caller]

        return read

    def _obstacle_of(self, caller: str) -> str | None:
        """Return why this caller alone is refused; None where it is not."""
        if self._unread.get(caller, 0) <= MOST_UNREAD_BYTES:
            return None
        return "this credential's callers do not read the answers that they have been given"

    def in_flight(self, kind: CallClass) -> int:
        """Return how many calls of the class are being answered."""
        return self._places[kind].taken

    @property
    def is_draining(self) -> bool:
        """Say whether new calls are refused because the server is shutting down."""
        return self._draining.is_set()

    async def quiet(self, seconds: float, most: int) -> None:
        """Return when no call has come for so long while the server drains, at the latest after so many looks."""
        for _ in range(most):
            before = self._turned_away
            await asyncio.sleep(seconds)
            if self._turned_away == before:
                return

    def drain(self) -> None:
        """Refuse new calls from now on; those in flight go on."""
        self._draining.set()
        for timeout in self._until_drained:
            timeout.reschedule(asyncio.get_running_loop().time())

    @asynccontextmanager
    async def until_drained(self) -> AsyncIterator[None]:
        """Let what is inside go on until the server begins to shut down; raise Unavailable then."""
        if self.is_draining:
            raise draining()
        try:
            async with asyncio.timeout(None) as timeout:
                self._until_drained.add(timeout)
                yield
        except TimeoutError:
            if not timeout.expired():
                raise
            raise draining() from None
        finally:
            self._until_drained.discard(timeout)

    async def drained(self) -> None:
        """Return when the server has begun to shut down."""
        await self._draining.wait()

    async def idle(self) -> None:
        """Return when no call is in flight."""
        await self._idle.wait()


def draining() -> Unavailable:
    """Return what a caller is told while the server is shutting down."""
    return Unavailable(
        "DRAINING",
        "this server is shutting down; ask another one, or this one again",
        retry_after=_jittered(1.0),
    )


def _jittered(seconds: float) -> float:
    # Callers that were refused together must not come back together; steps, so that refusals are made once.
    return round(seconds * random.uniform(1.0, 2.0), 1)  # noqa: S311
