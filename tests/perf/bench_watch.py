"""Watching: evidence to verdict on the stream, one change to a thousand watchers beside a bare broadcast, idle streams.

Run: `PYTHONPATH=server:clients/python:tests python tests/perf/bench_watch.py [--watchers N] [--idle N]`.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

from grpc import aio

from perf.servers import new_database, passport, postgresql, sqlite_url
from release_passport.v1 import decision_service_pb2 as pb
from release_passport.v1 import watch_pb2
from support.calls import Caller
from support.server import RealServer, bearer
from support.shop import decided, opened, released, scanned

_PATH = "/release_passport.v1.DecisionService/WatchDecision"
_BAD = ("CVE-2026-1", "critical", "")
_STREAMS_A_CHANNEL = 100
_MANY: dict[str, Any] = {
    f"PASSPORT_SERVER_LIMITS_WATCH_OF_{whose}": "20000" for whose in ("PRINCIPAL", "TENANT")
}
# What the two controllers wait between two looks by default.
FLAGGER_INTERVAL, ROLLOUTS_INTERVAL = 60, 60


class Streams:
    """Many open streams, and when each heard of what."""

    def __init__(self, port: int, token: str, count: int, service: str = "") -> None:
        self._service = service
        self._metadata = bearer(token)
        need = (count + _STREAMS_A_CHANNEL - 1) // _STREAMS_A_CHANNEL
        options = [("grpc.use_local_subchannel_pool", 1)]
        self._channels = [aio.insecure_channel(f"127.0.0.1:{port}", options) for _ in range(need)]
        self._count = count
        self.heard: asyncio.Queue[float] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Return once every stream has said something."""
        request = pb.WatchDecisionRequest(
            initial_state=watch_pb2.INITIAL_STATE_NONE,
            subscriptions=[watch_pb2.Subscription(service=self._service)] if self._service else [],
        ).SerializeToString()
        for number in range(self._count):
            channel = self._channels[number // _STREAMS_A_CHANNEL]
            opened_stream: Any = channel.unary_stream(_PATH)
            call = opened_stream(request, metadata=self._metadata)
            self._tasks.append(asyncio.create_task(self._listen(call)))
        await self.told(self._count)

    async def told(self, count: int) -> float:
        """Return when the last of so many messages was heard."""
        async with asyncio.timeout(60):
            return max([await self.heard.get() for _ in range(count)])

    async def close(self) -> None:
        """Hang up."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for channel in self._channels:
            await channel.close()

    async def _listen(self, call: Any) -> None:
        while (await call.read()) is not aio.EOF:
            self.heard.put_nowait(perf_counter())


def resident(pid: int) -> float:
    """Return the MiB that a process has in memory."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@contextmanager
def broadcast(message: bytes, folder: Path) -> Iterator[int]:
    """Serve the reference; give its port."""
    path = folder / "message.bin"
    path.write_bytes(message)
    words = [sys.executable, str(Path(__file__).with_name("broadcast.py")), str(path)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


async def turned(caller: Caller, version: str) -> Any:
    """Return the decision of a new release, which allows."""
    return await decided(caller, await released(caller, version))


async def reaction(caller: Caller, rounds: int) -> list[float]:
    """Return the milliseconds from SubmitEvidence sent to the changed verdict received."""
    found = []
    for number in range(rounds):
        decision = await turned(caller, f"1.{number}.0")
        request = pb.WatchDecisionRequest(subscriptions=[watch_pb2.Subscription(release=decision.release)])
        call: Any = caller.server.channel.unary_stream(
            _PATH, pb.WatchDecisionRequest.SerializeToString, pb.WatchDecisionResponse.FromString
        )(request, metadata=bearer(caller.token or ""))
        while (await call.read()).WhichOneof("event") != "snapshot_end":
            pass
        # Idle: the worker has rested from what it did before.
        await asyncio.sleep(0.5)
        began = perf_counter()
        submitting = asyncio.create_task(scanned(caller, f"1.{number}.0", _BAD))
        while (await call.read()).WhichOneof("event") != "decision":
            pass
        found.append((perf_counter() - began) * 1000)
        await submitting
        call.cancel()
    return found


async def measure(url: str, folder: Path, watchers: int, idle: int) -> None:
    """Print the figures of one store."""
    # A look through this process's own garbage takes 100 ms, which would be counted as the server's.
    gc.collect()
    gc.freeze()
    with passport(folder, url, **_MANY) as served:
        channel = aio.insecure_channel(f"127.0.0.1:{served.target.port}")
        server: Any = RealServer(None, None, served.target.token, channel)  # type: ignore[arg-type]
        caller = await opened(Caller(server, served.target.token))
        found = sorted(await reaction(caller, 30))
        print(f"  evidence to verdict: p50 {statistics.median(found):.1f} ms, p99 {found[-1]:.1f} ms")
        empty = resident(served.pid)
        streams = Streams(served.target.port, served.target.token, watchers)
        await streams.open()
        ours = []
        for number in range(7):
            name = await released(caller, f"2.{number}.0")
            answer = await caller("Evaluate", pb.EvaluateRequest(release=name))
            answered = perf_counter()
            ours.append((await streams.told(watchers) - answered) * 1000)
        await streams.close()
        message = pb.WatchDecisionResponse(resume_token="x" * 50, revision=100)
        message.decision.decision.CopyFrom(answer.decision)
        with broadcast(message.SerializeToString(), folder) as port:
            bare = Streams(port, "none", watchers)
            await bare.open()
            plain = []
            async with aio.insecure_channel(f"127.0.0.1:{port}") as sending:
                send: Any = sending.unary_unary("/broadcast/Send")
                for _ in range(7):
                    began = perf_counter()
                    await send(b"")
                    plain.append((await bare.told(watchers) - began) * 1000)
            await bare.close()
        mine, theirs = statistics.median(ours), statistics.median(plain)
        print(
            f"  one change to {watchers} watchers: {mine:.0f} ms after Evaluate's answer, bare broadcast of "
            f"{message.ByteSize()} B {theirs:.0f} ms, ratio {mine / theirs:.2f}"
        )
        many = Streams(served.target.port, served.target.token, idle)
        await many.open()
        more = resident(served.pid)
        print(
            f"  {idle} idle streams: {more - empty:.0f} MiB, {(more - empty) * 1024 / idle:.1f} KiB a stream"
        )
        await many.close()
        await channel.close()


def main() -> None:
    """Measure on both stores."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--watchers", type=int, default=1000)
    parser.add_argument("--idle", type=int, default=2000)
    parser.add_argument("--only", choices=("sqlite", "postgresql"))
    options = parser.parse_args()
    if options.only != "postgresql":
        with tempfile.TemporaryDirectory() as folder:
            print("SQLite")
            asyncio.run(measure(sqlite_url(Path(folder)), Path(folder), options.watchers, options.idle))
    if options.only != "sqlite":
        with postgresql() as server, tempfile.TemporaryDirectory() as folder:
            print("PostgreSQL")
            asyncio.run(measure(new_database(server), Path(folder), options.watchers, options.idle))


if __name__ == "__main__":
    main()
