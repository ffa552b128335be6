"""A server process and a PostgreSQL that are killed without a warning and started again."""

from __future__ import annotations

import asyncio
import json
import os
import select
import signal
import subprocess
import uuid
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import httpx
import psycopg
from grpc import aio
from sqlalchemy import make_url

from support.postgres import Cluster
from support.server import RealServer
from support.server_process import COMMAND, environment, passport_server
from support.story import Story

# The last lines of the log are kept, to be shown when a test fails.
KEPT_LINES = 50


@dataclass
class Killable:
    """`passport-server serve` on one store, as often as it takes; its log is read so that it never waits."""

    folder: Path
    token: str
    variables: dict[str, str]
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=KEPT_LINES))
    where: dict[str, Any] = field(default_factory=dict)
    _process: Process | None = None
    _reading: asyncio.Task[None] | None = None

    @classmethod
    def made(cls, folder: Path, **variables: str) -> Killable:
        """Make the store."""
        ran = passport_server(folder, "init", **variables)
        assert ran.returncode == 0, ran.stderr
        return cls(folder, ran.stdout.strip(), variables)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    async def start(self) -> None:
        """Start the server and wait until it serves."""
        self._process = await asyncio.create_subprocess_exec(
            *COMMAND,
            "serve",
            cwd=self.folder,
            env=environment(self.folder, **self.variables),
            stderr=PIPE,
        )
        serving = asyncio.Event()
        self._reading = asyncio.create_task(self._read(serving))
        waits = [asyncio.create_task(serving.wait()), self._reading]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        waits[0].cancel()
        assert serving.is_set(), list(self.lines)

    async def kill(self) -> None:
        """Kill the server at once: it can say and write nothing more."""
        await self._end(signal.SIGKILL)

    async def end(self) -> None:
        """Ask the server to end, if it runs."""
        if self._process is not None and self._process.returncode is None:
            await self._end(signal.SIGTERM)

    async def ready(self) -> bool:
        """Say whether the server calls itself ready."""
        async with httpx.AsyncClient() as client:
            answer = await client.get(f"http://{self.where['http']}/readyz", timeout=10)
        return answer.status_code == 200

    def resident_kib(self) -> int:
        """Return how much memory the server has."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))

    @asynccontextmanager
    async def story(self) -> AsyncIterator[Story]:
        """Give what calls the running server as its admin."""
        async with aio.insecure_channel(self.where["grpc"]) as channel:
            # The process and the store of a server elsewhere cannot be touched, and nobody does.
            yield Story(RealServer(cast(Any, None), cast(Any, None), self.token, channel))

    async def _end(self, how: signal.Signals) -> None:
        assert self._process is not None
        assert self._reading is not None
        self._process.send_signal(how)
        await self._process.wait()
        await self._reading

    async def _read(self, serving: asyncio.Event) -> None:
        assert self._process is not None
        assert self._process.stderr is not None
        async for raw in self._process.stderr:
            self.lines.append(raw.decode())
            if not serving.is_set() and (line := json.loads(raw))["message"] == "serving":
                self.where = line
                serving.set()


@asynccontextmanager
async def killable(folder: Path, **variables: str) -> AsyncIterator[Killable]:
    """Give a server on a new store, with a service and a policy to decide on; end it after."""
    server = await asyncio.to_thread(Killable.made, folder, **variables)
    try:
        await server.start()
        async with server.story() as story:
            await story.begin()
        yield server
    finally:
        await server.end()


class CrashingCluster(Cluster):
    """A PostgreSQL that dies like a machine without power does, as far as its processes go."""

    def new_database(self, owner: str = "postgres", more: str = "") -> str:
        """Return the URL of a new, empty database, as its owner calls it."""
        name = f"passport_{uuid.uuid4().hex[:12]}"
        self.execute(f'CREATE DATABASE "{name}" OWNER {owner} {more}')
        address = self.url.set(drivername="postgresql", username=owner, database=name)
        return address.render_as_string(hide_password=False)

    def execute(self, statement: str) -> None:
        """Run a statement as the superuser."""
        address = self.url.set(drivername="postgresql").render_as_string(hide_password=False)
        with closing(psycopg.connect(address, autocommit=True)) as connection:
            connection.execute(statement.encode())

    def own(self, folder: Path) -> None:
        """Give a folder to the user that the cluster runs as."""
        owner = self.data.stat()
        os.chown(folder, owner.st_uid, owner.st_gid)

    def disconnect(self, url: str) -> None:
        """End every connection to a database."""
        name = make_url(url).database
        self.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")

    def kill(self) -> None:
        """Kill the postmaster and its backends; return when they are gone."""
        pid = int((self.data / "postmaster.pid").read_text(encoding="ascii").splitlines()[0])
        children = _children(pid)
        # The postmaster first, or it would begin to recover by itself.
        for one in (pid, *children):
            with suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        for one in (pid, *children):
            _await_end(one)
        # A dead process that nobody has collected yet looks alive to the next postmaster.
        for lock in (self.data / "postmaster.pid", *self.data.parent.glob(".s.PGSQL.*.lock")):
            lock.unlink()


@contextmanager
def crashing_cluster(programs: Path, **settings: str) -> Iterator[CrashingCluster]:
    """Give a cluster of one's own, which runs."""
    cluster = CrashingCluster(programs, **settings)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


def _children(parent: int) -> list[int]:
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(parent)], capture_output=True, check=False)
    return [int(pid) for pid in listed.stdout.split()]


def _await_end(pid: int) -> None:
    """Wait for a process that is no child of this one."""
    try:
        watched = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        ended, _, _ = select.select([watched], [], [], 30)
        assert ended, f"process {pid} does not end"
    finally:
        os.close(watched)
