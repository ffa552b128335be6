"""Worker processes, one of them killed in the middle of its jobs: nothing is lost, and nothing is done twice."""

from __future__ import annotations

import os
import sys
from asyncio.subprocess import PIPE, Process, create_subprocess_exec
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from release_passport_server.domain.access import Scope
from release_passport_server.domain.job import Timer
from release_passport_server.domain.record import Page
from release_passport_server.ports.store import ReleaseFilter, Transaction
from support.store import START, TENANT, a_tenant, opened
from support.tree import CLIENT, ROOT, SERVER

JOBS = [f"job-{n:02}" for n in range(12)]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'passport.db'}"
    given: str = request.getfixturevalue("postgres_url")
    return given


@asynccontextmanager
async def worker(url: str, name: str) -> AsyncIterator[Process]:
    """Run a worker process; it ends when its standard input does."""
    path = os.pathsep.join(str(one) for one in (SERVER.parent, CLIENT.parent, ROOT / "tests"))
    process = await create_subprocess_exec(
        *(sys.executable, "-m", "support.working_process", url, name),
        stdin=PIPE,
        stdout=PIPE,
        env={**os.environ, "PYTHONPATH": path},
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def begun(process: Process) -> tuple[str, int]:
    """Return the next job that a worker began, and its token."""
    assert process.stdout is not None
    key, token = (await process.stdout.readline()).split()
    return key.decode(), int(token)


async def prepared(url: str) -> None:
    def act(tx: Transaction) -> None:
        tx.put_tenant(a_tenant())
        for key in JOBS:
            tx.schedule(Timer("test", key, START.replace(year=2020)))

    async with opened(url, lambda: datetime.now(UTC)) as store:
        await store.write(TENANT, act)


async def test_the_jobs_of_a_killed_worker_are_done_once_by_another(url: str) -> None:
    await prepared(url)
    async with worker(url, "stuck") as killed:
        taken = dict([await begun(killed) for _ in range(4)])
        killed.kill()
        await killed.wait()
    async with worker(url, "heir") as heir:
        done = [await begun(heir) for _ in JOBS]
        assert heir.stdin is not None
        heir.stdin.close()
        assert await heir.wait() == 0
    assert sorted(key for key, _ in done) == JOBS
    assert len(taken) == 4
    assert all(token > taken[key] for key, token in done if key in taken)
    async with opened(url, lambda: datetime.now(UTC)) as store:
        wanted = ReleaseFilter((Scope(),))
        listed = await store.read(TENANT, lambda reader: reader.list_releases(wanted, Page(100)))
    assert sorted(release.identity.version for release in listed.items) == sorted(
        f"{key}-{token}" for key, token in done
    )
