"""The version before and this one beside each other on one database: no call fails, and no change is lost."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import tarfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest

from release_passport import AsyncClient, Target
from release_passport.async_watching import AsyncWatcher
from release_passport.policy_file import load_policy_file
from release_passport.v1 import (
    catalog_pb2,
    catalog_service_pb2,
    decision_service_pb2,
    policy_service_pb2,
)
from support.server_process import COMMAND, ROOT, environment
from support.story import LIBRARY, identity, rendered

pytestmark = pytest.mark.postgres
PARTS = ("server", "clients/python", "policies")
MIGRATE = "server/release_passport_server/adapters/sql/migrate.py"
STARTS_ON_LATER = "its own, or a later one"
AT_ONCE = 4
# So many answers between two steps: each step happens in the midst of calls.
BETWEEN = 25


def previous(folder: Path) -> Path:
    """Return the tree of the version before: a tag, or a commit a while ago; skip where there is none at hand."""
    named = os.environ.get("PASSPORT_TEST_PREVIOUS", "")
    for reference in (named,) if named else (_newest_tag(), *(f"HEAD~{ago}" for ago in range(10, 0, -1))):
        # Before there was a version at all, some started on no other schema than their own.
        if not (reference and _git("grep", "-l", STARTS_ON_LATER, reference, "--", MIGRATE)):
            continue
        found = _git("archive", "--format=tar", reference, *PARTS)
        if found:
            with tarfile.open(fileobj=BytesIO(found)) as archive:
                archive.extractall(folder, filter="data")
            return folder
    pytest.skip("the version before is not at hand: set PASSPORT_TEST_PREVIOUS to a commit of it")


def _newest_tag() -> str:
    return _git("describe", "--tags", "--abbrev=0").decode().strip()


def _git(*words: str) -> bytes:
    """Return what git says; nothing where it fails, or is not there."""
    try:
        done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, check=False)
    except OSError:
        return b""
    return done.stdout if done.returncode == 0 else b""


@dataclass
class Version:
    """The code of one version, and how its server is run on the shared port."""

    root: Path
    folder: Path
    variables: dict[str, str]

    async def run(self, *words: str) -> str:
        """Run a command to its end; return what it prints."""
        process = await self._process(*words)
        out, err = await process.communicate()
        assert process.returncode == 0, err.decode()
        return out.decode().strip()

    async def serve(self) -> Process:
        """Serve on the shared port; return once it does."""
        process = await self._process("serve", "--shared-ports")
        assert process.stderr is not None
        async for line in process.stderr:
            if json.loads(line)["message"] == "serving":
                # Nobody reads the rest: it must not be waited for.
                self._reading = asyncio.create_task(process.stderr.read())
                return process
        raise AssertionError(f"the server of {self.root} did not begin to serve")

    async def _process(self, *words: str) -> Process:
        paths = [str(self.root / part) for part in ("server", "clients/python")]
        given = environment(self.folder, **self.variables) | {"PYTHONPATH": os.pathsep.join(paths)}
        return await asyncio.create_subprocess_exec(
            *COMMAND, *words, cwd=self.folder, env=given, stdout=PIPE, stderr=PIPE
        )


async def ended(process: Process) -> None:
    """Ask a server to end, as a rolling restart does."""
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0


@dataclass
class Traffic:
    """Clients that ask all the time, and one that watches what comes of it."""

    client: AsyncClient
    decided: list[str] = field(default_factory=list)
    heard: set[str] = field(default_factory=set)
    synced: asyncio.Event = field(default_factory=asyncio.Event)
    _number: int = 0
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Return once something holds of what was answered and heard."""
        async with asyncio.timeout(60):
            while not holds():
                self._news.clear()
                await self._news.wait()

    async def ask(self) -> None:
        """Decide one new release after the other; whatever fails ends the test."""
        while True:
            self._number += 1
            version = f"1.{self._number}.0"
            request = decision_service_pb2.EvaluateRequest(
                identity=identity(version), evidence=[rendered(version, 0)]
            )
            answer = await self.client.evaluate(request, timeout=60)
            self.decided.append(answer.decision.name)
            self._news.set()

    async def watch(self) -> None:
        """Hear of every decision, over whichever server is there."""
        everything = decision_service_pb2.WatchDecisionRequest(delivery="DELIVERY_EVERY")
        async for update in AsyncWatcher(self.client, everything, lambda: datetime.now(UTC)):
            self.synced.set()
            if update.decision is not None:
                self.heard.add(update.decision.name)
                self._news.set()


@asynccontextmanager
async def traffic(address: str, token: str) -> AsyncIterator[Traffic]:
    """Give traffic that goes on until it is over; raise what any of it raised."""
    async with AsyncClient(Target(address, token=token, plaintext=True)) as client:
        service = catalog_pb2.Service(service_id="checkout")
        environment_ = catalog_pb2.Environment(environment_id="prod")
        policy = load_policy_file(LIBRARY / "manifest-render.yaml")
        policy.spec.rules[0].needs[0].sources[:] = ["user:*"]
        await client.create_service(catalog_service_pb2.CreateServiceRequest(service=service))
        await client.create_environment(
            catalog_service_pb2.CreateEnvironmentRequest(environment=environment_)
        )
        await client.create_policy(policy_service_pb2.CreatePolicyRequest(policy=policy))
        made = Traffic(client)
        tasks = [asyncio.create_task(made.watch())]
        async with asyncio.timeout(30):
            await made.synced.wait()
        tasks += [asyncio.create_task(made.ask()) for _ in range(AT_ONCE)]
        try:
            yield made
        finally:
            for task in tasks:
                task.cancel()
            ends = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(one, asyncio.CancelledError) for one in ends), ends


async def more(made: Traffic) -> None:
    """Return once some more calls were answered."""
    wanted = len(made.decided) + BETWEEN
    await made.until(lambda: len(made.decided) >= wanted)


async def test_a_rolling_upgrade_and_its_way_back_lose_no_call_and_no_change(
    postgres_url: str, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        ports = [listener.getsockname()[1] for listener in (one, other)]
    given = {
        "PASSPORT_SERVER_STORE_URL": postgres_url.replace("postgresql+psycopg:", "postgresql:"),
        "PASSPORT_SERVER_GRPC_LISTEN": f"127.0.0.1:{ports[0]}",
        "PASSPORT_SERVER_HTTP_LISTEN": f"127.0.0.1:{ports[1]}",
    }
    before = Version(previous(tmp_path / "previous"), tmp_path, given)
    now = Version(ROOT, tmp_path, given)
    token = await before.run("init")
    old = await before.serve()
    async with traffic(f"127.0.0.1:{ports[0]}", token) as made:
        await more(made)
        await now.run("migrate")
        new = await now.serve()
        await more(made)
        await ended(old)
        await more(made)
        # Back again: what the new one wrote is read by the old one.
        old = await before.serve()
        await more(made)
        await ended(new)
        await more(made)
        decided = list(made.decided)
        await made.until(lambda: made.heard.issuperset(decided))
    await ended(old)
    assert len(decided) == len(set(decided)) >= 5 * BETWEEN
