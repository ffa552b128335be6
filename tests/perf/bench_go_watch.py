"""A Go watcher of a thousand releases across three killed servers: ten thousand changes, and none of them lost.

Run: `PYTHONPATH=server:clients/python:tests python tests/perf/bench_go_watch.py [--releases N] [--changes N]`.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from time import perf_counter
from typing import Any

from grpc import aio

from release_passport.v1 import decision_service_pb2 as pb
from support.server import RealServer, bearer
from support.server_process import ROOT, passport_server, served
from support.story import Story, identity, rendered

KILLS, AT_ONCE, STREAMS_OF = 3, 32, 250
LOOK, PATIENCE = 0.1, 120.0
EVALUATE = "/release_passport.v1.DecisionService/Evaluate"


class Run:
    """The servers, one after another on one port, what was changed on them, and what the watcher heard."""

    def __init__(self, folder: Path, token: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{free.getsockname()[1]}"
        self._folder, self._token = folder, token
        self.made: set[int] = set()
        self.heard: list[int] = []
        self.synced = 0

    @contextmanager
    def server(self) -> Iterator[None]:
        """Serve, and kill the server after."""
        with served(self._folder, PASSPORT_SERVER_GRPC_LISTEN=self.address) as server:
            assert server.process.stderr is not None
            # A pipe that nobody reads would fill up and hold the server.
            reading = Thread(target=server.process.stderr.read)
            reading.start()
            try:
                yield
            finally:
                server.process.kill()
                reading.join()

    async def begin(self) -> None:
        """Make what the releases stand on."""
        async with aio.insecure_channel(self.address) as channel:
            server: Any = RealServer(None, None, self._token, channel)  # type: ignore[arg-type]
            await Story(server).begin()

    async def change(self, versions: list[str], unpinned: int, attempt: str) -> list[str]:
        """Change the decision of each release, again until it is answered; return the releases."""
        limit = asyncio.Semaphore(AT_ONCE)
        async with aio.insecure_channel(self.address) as channel:
            call: Any = channel.unary_unary(
                EVALUATE, pb.EvaluateRequest.SerializeToString, pb.EvaluateResponse.FromString
            )

            async def one(version: str) -> str:
                request = pb.EvaluateRequest(identity=identity(version), request_id=f"{version}-{attempt}")
                request.evidence.append(rendered(version, unpinned))
                async with limit:
                    while True:
                        try:
                            answer = await call(request, metadata=bearer(self._token), timeout=10)
                        except aio.AioRpcError:
                            await asyncio.sleep(0.1)
                            continue
                        self.made.add(answer.revision)
                        name: str = answer.decision.release
                        return name

            return await asyncio.gather(*map(one, versions))

    async def listen(self, watcher: asyncio.subprocess.Process) -> None:
        """Note what the watcher writes."""
        assert watcher.stdout is not None
        async for line in watcher.stdout:
            if line.strip():
                self.heard.append(int(line))
            else:
                self.synced += 1


async def measure(releases: int, changes: int) -> None:
    """Print what became of the changes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        token = passport_server(folder, "init").stdout.split()[-1]
        run = Run(folder, token)
        versions = [f"1.0.{number:04}" for number in range(releases)]
        environment = os.environ | {"PASSPORT_ADDRESS": run.address, "PASSPORT_TOKEN": token}
        program = str(folder / "bench")
        build = ["go", "-C", str(ROOT / "clients/go"), "build", "-o", program, "./internal/bench"]
        await asyncio.to_thread(subprocess.run, build, check=True)
        pipe = asyncio.subprocess.PIPE
        with run.server():
            await run.begin()
            names = await run.change(versions, 0, "0")
            run.made.clear()
            watcher = await asyncio.create_subprocess_exec(
                program, "watch", stdin=pipe, stdout=pipe, env=environment
            )
            listening = asyncio.create_task(run.listen(watcher))
            assert watcher.stdin is not None
            watcher.stdin.write("\n".join(names).encode())
            watcher.stdin.close()
            await until(lambda: run.synced * STREAMS_OF >= releases)
        began = perf_counter()
        await across(run, versions, changes)
        watcher.kill()
        await listening
        lost, twice = run.made - set(run.heard), len(run.heard) - len(set(run.heard))
        print(
            f"{releases} subscriptions, {len(run.made)} changes, {KILLS} killed servers: {len(lost)} lost, "
            f"{twice} told twice, {perf_counter() - began:.0f} s"
        )
        assert not lost


async def across(run: Run, versions: list[str], changes: int) -> None:
    """Change everything so many times, with kills in the midst, until the watcher has heard it all."""

    async def work() -> None:
        for number in range(changes):
            await run.change(versions, 1 - number % 2, str(number + 1))

    working = asyncio.create_task(work())

    def made(part: int) -> Callable[[], bool]:
        return lambda: len(run.made) >= part or working.done()

    total = len(versions) * changes
    for kill in range(KILLS + 1):
        with run.server():
            part = total * (kill + 1) // (KILLS + 1)
            await until(made(part))
            if kill == KILLS:
                await working
                await until(lambda: run.made <= set(run.heard))


async def until(done: Callable[[], bool]) -> None:
    """Return when something is so, or after PATIENCE."""
    for _ in range(int(PATIENCE / LOOK)):
        if done():
            return
        await asyncio.sleep(LOOK)


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--releases", type=int, default=1000)
    parser.add_argument("--changes", type=int, default=10)
    options = parser.parse_args()
    asyncio.run(measure(options.releases, options.changes))


if __name__ == "__main__":
    main()
