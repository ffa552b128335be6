"""Roles: what idle streams cost one process, and what Evaluate in another one feels of streams that are woken.

Run: `PYTHONPATH=server:clients/python:tests python tests/perf/bench_idle.py [--idle N] [--woken N] [--calls N]`.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from perf.bench_watch import Streams, resident
from perf.load import EVALUATE, Target, exchanges, open_loop
from perf.servers import new_database, postgresql
from perf.workload import Workload, check, evaluate
from support.replica import Replica
from support.server_process import passport_server, served

_MANY = {f"PASSPORT_SERVER_LIMITS_WATCH{whose}": "20000" for whose in ("", "_OF_PRINCIPAL", "_OF_TENANT")}
# Of the workload's services, in turn, every tenth is watched: so every stream is woken once a second.
_DECISIONS_A_SECOND, _WATCHED = 10.0, "service-*0"


async def stay(port: int, token: str, count: int) -> None:
    """Keep so many streams open until standard input ends."""
    os.nice(19)
    streams = Streams(port, token, count, _WATCHED)
    await streams.open()
    print("open", flush=True)
    await asyncio.to_thread(sys.stdin.read)


@asynccontextmanager
async def watching(target: Target, count: int) -> AsyncIterator[None]:
    """Have so many streams open, read by a process of their own."""
    words = [sys.executable, __file__, "--stay", str(target.port), "--woken", str(count)]
    reader = await asyncio.create_subprocess_exec(
        *words, "--token", target.token, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert reader.stdout is not None
    try:
        if (await reader.stdout.readline()).strip() != b"open":
            raise SystemExit("the streams were not opened")
        yield
    finally:
        reader.kill()
        await reader.wait()


async def decided(work: Workload, calls: int) -> float:
    """Return the p99 of new decisions, at a rate that the process bears."""
    versions = await work.versions(calls)
    asked = [evaluate(version, now=datetime.now(UTC)) for version in versions]
    run = await open_loop(work.target, exchanges(EVALUATE, asked), rate=_DECISIONS_A_SECOND)
    check(versions, run)
    return run.milliseconds(0.99)


async def measure(url: str, folder: Path, options: argparse.Namespace) -> None:
    """Print the figures."""
    given = {"PASSPORT_SERVER_STORE_URL": url, **_MANY}
    token = passport_server(folder, "init", **given).stdout.strip()
    with ExitStack() as stack:
        api, watch = (
            Replica(stack.enter_context(served(folder, "--roles", role, **given)), token)
            for role in ("api", "watch")
        )
        at = {role: _target(one, token) for role, one in (("api", api), ("watch", watch))}
        empty = resident(watch.process.process.pid)
        async with watching(at["watch"], options.idle):
            full = resident(watch.process.process.pid)
        print(f"{options.idle} idle streams: {full:.0f} MiB, {empty:.0f} MiB without", flush=True)
        if options.yielding:
            _yield(watch.process.process.pid)
        work = Workload(at["api"])
        await work.set_up()
        await decided(work, 30)
        alone, beside = [], []
        for _ in range(options.rounds):
            alone.append(await decided(work, options.calls))
            async with watching(at["watch"], options.woken):
                beside.append(await decided(work, options.calls))
            print(f"Evaluate p99: {alone[-1]:.1f} ms alone, {beside[-1]:.1f} ms beside", flush=True)
        print(f"beside {options.woken} woken streams, of alone: {median(beside) / median(alone):.2f}")
        await api.channel.close()
        await watch.channel.close()


def _yield(pid: int) -> None:
    """Let a process run only where nothing else wants to: what it takes then is not processors."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        os.setpriority(os.PRIO_PROCESS, int(task.name), 19)


def _target(replica: Replica, token: str) -> Target:
    host, _, port = replica.process.where["grpc"].rpartition(":")
    return Target(host, int(port), token)


def main() -> None:
    """Measure on PostgreSQL."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--idle", type=int, default=10_000)
    parser.add_argument("--woken", type=int, default=3000)
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--yielding", action="store_true", help="Let the streams have idle processors alone.")
    parser.add_argument("--stay", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--token", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.stay:
        asyncio.run(stay(options.stay, options.token, options.woken))
        return
    with postgresql() as server, tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(new_database(server), Path(folder), options))


if __name__ == "__main__":
    main()
