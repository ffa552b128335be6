"""A load generator for unary gRPC calls that looks at every answer.

`closed_loop` keeps so many calls in flight; `open_loop` sends at a rate, whatever comes back, and counts latency from
the time at which each call was due. Both return every exchange with its status, trailers and times.
"""

from __future__ import annotations

import asyncio
import gc
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from statistics import median
from time import perf_counter

from perf.http2 import Connection, Exchange, connect

EVALUATE = "/release_passport.v1.DecisionService/Evaluate"


@dataclass(frozen=True, slots=True)
class Target:
    """Where a server listens, and the token to show."""

    host: str
    port: int
    token: str = ""

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """Return the metadata of each call."""
        return (("authorization", f"Bearer {self.token}"),) if self.token else ()


@dataclass(frozen=True, slots=True)
class Run:
    """What came back."""

    exchanges: Sequence[Exchange]
    seconds: float

    @property
    def per_second(self) -> float:
        """Return the calls that were answered with OK, a second."""
        return sum(exchange.ok for exchange in self.exchanges) / self.seconds

    @property
    def statuses(self) -> Counter[int]:
        """Return how many calls ended with each gRPC status."""
        return Counter(exchange.status for exchange in self.exchanges)

    def milliseconds(self, share: float) -> float:
        """Return the latency that this share of the answered calls stays within."""
        return percentile([exchange.seconds for exchange in self.exchanges if exchange.ok], share) * 1000

    @property
    def p50(self) -> float:
        """Return the median latency in milliseconds."""
        return median(exchange.seconds for exchange in self.exchanges if exchange.ok) * 1000

    def require_ok(self) -> Run:
        """Return this run; raise BadAnswer where a call was answered with anything but OK."""
        bad = [exchange for exchange in self.exchanges if not exchange.ok]
        if bad:
            text = bad[0].trailers.get(b"grpc-message", b"").decode()
            raise BadAnswer(f"{len(bad)} of {len(self.exchanges)} calls failed, with {bad[0].status}: {text}")
        return self


class BadAnswer(Exception):
    """An answer is not what it has to be, so that the figure means nothing."""


def percentile(values: Iterable[float], share: float) -> float:
    """Return the value that this share of the values stays within."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def exchanges(path: str, requests: Iterable[bytes], *, timeout_ms: int = 0) -> list[Exchange]:
    """Return calls of one method."""
    return [Exchange(path, request, timeout_ms) for request in requests]


@asynccontextmanager
async def connections(target: Target, count: int) -> AsyncIterator[list[Connection]]:
    """Keep so many connections for a while."""
    opened = [await connect(target.host, target.port, target.metadata) for _ in range(count)]
    try:
        yield opened
    finally:
        for connection in opened:
            connection.close()
        await asyncio.sleep(0)


async def closed_loop(
    target: Target, calls: Sequence[Exchange], *, in_flight: int, connection_count: int = 8
) -> Run:
    """Make all calls with so many in flight, spread over the connections."""
    count = min(connection_count, in_flight)
    async with connections(target, count) as opened:
        with _quiet():
            return await _keep_busy(opened, calls, in_flight)


async def open_loop(
    target: Target, calls: Sequence[Exchange], *, rate: float, connection_count: int = 8
) -> Run:
    """Send so many calls a second, evenly, whatever comes back; latency counts from when each was due."""
    async with connections(target, connection_count) as opened:
        with _quiet():
            return await _keep_pace(opened, calls, rate)


async def _keep_busy(opened: Sequence[Connection], calls: Sequence[Exchange], in_flight: int) -> Run:
    everything = asyncio.get_running_loop().create_future()
    waiting = iter(calls)
    left = len(calls)

    def send_on(connection: Connection) -> None:
        def ended(_: Exchange) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                everything.set_result(None)
            following = next(waiting, None)
            if following is not None:
                connection.send(following, ended)

        following = next(waiting, None)
        if following is not None:
            connection.send(following, ended)

    started = perf_counter()
    for slot in range(in_flight):
        send_on(opened[slot % len(opened)])
    if calls:
        await everything
    return Run(calls, perf_counter() - started)


async def _keep_pace(opened: Sequence[Connection], calls: Sequence[Exchange], rate: float) -> Run:
    everything = asyncio.get_running_loop().create_future()
    left = len(calls)

    def ended(_: Exchange) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            everything.set_result(None)

    started = perf_counter()
    for index, exchange in enumerate(calls):
        exchange.intended = started + index / rate
        early = exchange.intended - perf_counter()
        if early > 0:
            await asyncio.sleep(early)
        opened[index % len(opened)].send(exchange, ended)
        if index % 16 == 0:
            # Where the sender is behind, answers are read all the same.
            await asyncio.sleep(0)
    if calls:
        await everything
    return Run(calls, perf_counter() - started)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep this process's garbage collector out of what is measured."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
