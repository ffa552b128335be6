"""Faults at full size: all the watchers of a killed server come back at once, and a server with many streams drains.

Run: `PYTHONPATH=server:clients/python:tests python tests/perf/bench_herd.py [--only killed|drained] [--streams N]`.
The watchers are the Python client's own, in a process of their own. It ends with 1 where something was lost, a call
failed, or a bound was missed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import socket
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from time import monotonic, perf_counter

from perf.load import percentile
from perf.servers import new_database, postgresql
from release_passport import AsyncClient, PassportAPIError, Target
from support.herd import OTHER, WATCHED, WITHOUT_GOODBYE, Herd, Member, decided, herd, live, set_up
from support.server_process import COMMAND, environment, passport_server

_MANY = {f"PASSPORT_SERVER_LIMITS_WATCH{whose}": "20000" for whose in ("", "_OF_PRINCIPAL", "_OF_TENANT")}
BACK_SECONDS, CALL_MILLISECONDS, MEMORY_MIB, DRAIN_SECONDS = 60.0, 250.0, 400.0, 45.0


async def stay(address: str, token: str, streams: int) -> None:
    """Watch, and answer the lines of standard input: what to wait for."""
    os.nice(5)
    async with herd(address, token, streams, seconds=170) as watchers:
        print(json.dumps({"live": streams}), flush=True)
        while line := (await asyncio.to_thread(sys.stdin.readline)).strip():
            word, *names = line.split()
            answer = await (_again(watchers) if word == "again" else _heard(watchers, names))
            print(json.dumps(answer), flush=True)


async def _again(watchers: Herd) -> dict[str, object]:
    """Return when each was live on another stream, in seconds from now, and how streams ended until then."""
    began, before = monotonic(), {id(one): one.streams for one in watchers.members}

    def back(member: Member) -> bool:
        return member.streams > before[id(member)] and live(member)

    print(json.dumps({"watched": len(before)}), flush=True)
    try:
        await watchers.until(back, 170)
    except TimeoutError:
        came = sum(back(member) for member in watchers.members)
        raise SystemExit(f"{came} came back; ends: {dict(watchers.ends)}") from None
    took = [member.live_time - began for member in watchers.members]
    return {
        "p50": percentile(took, 0.5),
        "p99": percentile(took, 0.99),
        "last": max(took),
        "streams": sum(member.streams for member in watchers.members) - sum(before.values()),
        "ends": dict(watchers.ends),
        "goodbyes": sum(member.goodbyes > 0 for member in watchers.members),
    }


async def _heard(watchers: Herd, names: list[str]) -> dict[str, object]:
    """Return once each has heard of these decisions; the answer says of how many changes all of them were told."""
    await watchers.heard(names, 170)
    told = {tuple(member.heard) for member in watchers.members}
    return {"histories": len(told), "told": sorted({len(one) for one in told})}


@dataclass(slots=True)
class Calls:
    """Decisions at a rate, through the client: how long each took from when it was due, and which failed."""

    client: AsyncClient
    rate: float
    milliseconds: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    # Of the service that is watched: one in a second.
    watched: list[str] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=count)

    async def ask(self) -> None:
        """Ask until it is cancelled."""
        began, asking = perf_counter(), set[asyncio.Task[None]]()
        try:
            for turn in count():
                number, due = next(self.numbers), began + turn / self.rate
                await asyncio.sleep(max(0.0, due - perf_counter()))
                task = asyncio.create_task(self._one(number, due))
                asking.add(task)
                task.add_done_callback(asking.discard)
        finally:
            await asyncio.gather(*asking)

    async def _one(self, number: int, due: float) -> None:
        watched = number % round(self.rate) == 0
        try:
            name = await decided(self.client, WATCHED if watched else OTHER, f"{1 + watched}.{number}.0")
        except PassportAPIError as error:
            self.failed.append(f"{error.code} {error.reason}")
            return
        self.milliseconds.append((perf_counter() - due) * 1000)
        if watched:
            self.watched.append(name)


@asynccontextmanager
async def serving(folder: Path, *words: str, **given: str) -> AsyncIterator[Process]:
    """Serve; the log goes to a file."""
    with tempfile.NamedTemporaryFile("w+", dir=folder, suffix=".log") as log:
        process = await asyncio.create_subprocess_exec(
            *COMMAND, "serve", *words, cwd=folder, env=environment(folder, **given), stderr=log
        )
        try:
            logged = ""
            while '"serving"' not in logged:
                if process.returncode is not None:
                    raise SystemExit(logged[-2000:])
                await asyncio.sleep(0.05)
                log.seek(0)
                logged = log.read()
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


@asynccontextmanager
async def watching(address: str, token: str, streams: int) -> AsyncIterator[Process]:
    """Have so many watchers in a process of their own."""
    words = [sys.executable, __file__, "--stay", address, "--streams", str(streams), "--token", token]
    reader = await asyncio.create_subprocess_exec(*words, stdin=PIPE, stdout=PIPE, limit=2**20)
    try:
        await said(reader)
        yield reader
    finally:
        reader.kill()
        await reader.wait()


async def said(reader: Process, *words: str) -> dict[str, object]:
    """Return what the process of the watchers says, to these words where there are any."""
    assert reader.stdin is not None
    assert reader.stdout is not None
    if words:
        reader.stdin.write(" ".join(words).encode() + b"\n")
    line = await reader.stdout.readline()
    if not line:
        raise SystemExit("the watchers ended")
    return dict(json.loads(line))


def peak(process: Process) -> float:
    """Return the most MiB that a process ever had in memory."""
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


@asynccontextmanager
async def caller(address: str, token: str, rate: float) -> AsyncIterator[Calls]:
    """Give who calls at a rate, once there is something to be asked about."""
    async with AsyncClient(Target(address, token=token, plaintext=True)) as client:
        await set_up(client)
        yield Calls(client, rate)


@asynccontextmanager
async def calling(calls: Calls) -> AsyncIterator[None]:
    """Call meanwhile, and wait for the last answers."""
    asking = asyncio.create_task(calls.ask())
    try:
        yield
    finally:
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)


async def killed(given: dict[str, str], folder: Path, options: argparse.Namespace) -> bool:
    """Kill the process that streams, start another at once, and wait until all watchers have gone on."""
    asked = {key: value for key, value in given.items() if "LISTEN" not in key}
    asked |= {"PASSPORT_SERVER_GRPC_LISTEN": f"127.0.0.1:{free_port()}"}
    token, address = passport_server(folder, "init", **asked).stdout.strip(), given[_GRPC]
    async with (
        AsyncExitStack() as stack,
        serving(folder, "--roles", "api,worker", **asked),
        caller(asked[_GRPC], token, options.rate) as calls,
        serving(folder, "--roles", "watch", **given) as doomed,
        watching(address, token, options.streams) as reader,
    ):
        async with calling(calls):
            await asyncio.sleep(5)
            before = peak(doomed)
        alone = percentile(calls.milliseconds, 0.99)
        calls.milliseconds.clear()
        await said(reader, "again")
        async with calling(calls):
            doomed.kill()
            await doomed.wait()
            new = await stack.enter_async_context(serving(folder, "--roles", "watch", **given))
            again = await said(reader)
        heard = await said(reader, "heard", *calls.watched)
        after = peak(new)
    p99 = percentile(calls.milliseconds, 0.99)
    print(f"killed with {options.streams} watchers: {json.dumps(again | heard)}")
    print(f"  {len(calls.milliseconds)} calls meanwhile, p99 {p99:.0f} ms ({alone:.0f} before)")
    print(f"  {len(calls.failed)} calls failed {calls.failed[:3]}")
    print(
        f"  memory at most {before:.0f} MiB before, {after:.0f} MiB after; {len(calls.watched)} changes watched"
    )
    return (
        float(str(again["last"])) <= BACK_SECONDS
        and heard["histories"] == 1
        and not calls.failed
        and p99 <= CALL_MILLISECONDS
        and after <= MEMORY_MIB
    )


async def drained(given: dict[str, str], folder: Path, options: argparse.Namespace) -> bool:
    """End one of two processes that share a port, with all the streams on it."""
    token, address = passport_server(folder, "init", **given).stdout.strip(), given[_GRPC]
    async with (
        serving(folder, "--shared-ports", **given) as leaving,
        caller(address, token, options.rate) as calls,
        watching(address, token, options.streams) as reader,
        serving(folder, "--shared-ports", **given) as other,
    ):
        await said(reader, "again")
        async with calling(calls):
            began = perf_counter()
            leaving.send_signal(signal.SIGTERM)
            code = await leaving.wait()
            took = perf_counter() - began
            again = await said(reader)
        heard = await said(reader, "heard", *calls.watched)
        after = peak(other)
    print(f"drained with {options.streams} streams in {took:.1f} s, exit {code}: {json.dumps(again | heard)}")
    p99 = percentile(calls.milliseconds, 0.99)
    print(
        f"  {len(calls.milliseconds)} calls, p99 {p99:.0f} ms, {len(calls.failed)} failed {calls.failed[:3]}"
    )
    print(f"  memory of the other at most {after:.0f} MiB; {len(calls.watched)} changes watched")
    cut = [end for end in dict(again["ends"]) if end.endswith(WITHOUT_GOODBYE)]  # type: ignore[call-overload]
    all_told = again["goodbyes"] == options.streams and not cut
    return code == 0 and took <= DRAIN_SECONDS and all_told and heard["histories"] == 1 and not calls.failed


_GRPC = "PASSPORT_SERVER_GRPC_LISTEN"


def free_port() -> int:
    """Return a port that nobody has."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


async def measure(options: argparse.Namespace) -> bool:
    """Run what was asked for, each on a database of its own."""
    faults = {"killed": killed, "drained": drained}
    kept = True
    with postgresql() as server:
        for name, fault in faults.items():
            if options.only not in (name, None):
                continue
            given = {"PASSPORT_SERVER_STORE_URL": new_database(server), **_MANY}
            given |= {_GRPC: f"127.0.0.1:{free_port()}"}
            given |= {"PASSPORT_SERVER_HTTP_LISTEN": f"127.0.0.1:{free_port()}"}
            with tempfile.TemporaryDirectory() as folder:
                if not await fault(given, Path(folder), options):
                    print("  MISSED")
                    kept = False
    return kept


def main() -> None:
    """Measure on PostgreSQL."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=("killed", "drained"))
    parser.add_argument("--streams", type=int, default=3000)
    parser.add_argument("--rate", type=float, default=20.0)
    parser.add_argument("--stay", help=argparse.SUPPRESS)
    parser.add_argument("--token", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.stay:
        asyncio.run(stay(options.stay, options.token, options.streams))
        return
    sys.exit(0 if asyncio.run(measure(options)) else 1)


if __name__ == "__main__":
    main()
