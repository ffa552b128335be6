"""How many calls are in flight, and the moment from which no more are taken."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from release_passport_server.domain.errors import Unavailable
from release_passport_server.transport.grpc.methods import CallClass


class Limits:
    """Counts calls in flight by class; what is too much is refused at once, so that the rest stays fast."""

    def __init__(self, most: Mapping[CallClass, int]) -> None:
        self._most = dict(most)
        self._in_flight = dict.fromkeys(CallClass, 0)
        self._draining = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    @contextmanager
    def admit(self, call_class: CallClass) -> Iterator[None]:
        """Hold a place for one call; raise Unavailable where there is none, or no more calls are taken."""
        if self._draining.is_set():
            raise draining()
        if self._in_flight[call_class] >= self._most[call_class]:
            raise Unavailable(
                "OVERLOADED",
                f"{self._most[call_class]} {call_class} calls are in flight already; retry as RetryInfo says",
                metadata={"class": str(call_class)},
                retry_after=_jittered(0.5),
            )
        self._in_flight[call_class] += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._in_flight[call_class] -= 1
            if not any(self._in_flight.values()):
                self._idle.set()

    def in_flight(self, call_class: CallClass) -> int:
        """Return how many calls of the class are being answered."""
        return self._in_flight[call_class]

    @property
    def is_draining(self) -> bool:
        """Say whether new calls are refused because the server is shutting down."""
        return self._draining.is_set()

    def drain(self) -> None:
        """Refuse new calls from now on; those in flight go on."""
        self._draining.set()

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
    # Callers that were refused together must not come back together.
    return round(seconds * random.uniform(1.0, 2.0), 3)  # noqa: S311
