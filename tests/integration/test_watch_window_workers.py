"""Workers that end watch windows are killed or many: each window ends once, and nobody has to come back for it."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import URL, create_engine, select, update

from release_passport.v1 import audit_service_pb2, watch_window_pb2
from release_passport.v1 import watch_window_service_pb2 as pb
from release_passport_server.adapters.sql import tables
from release_passport_server.domain.job import Timer
from release_passport_server.domain.watch_window import EXPIRE_WINDOW
from support.crashing import Killable, killable
from support.store import opened
from support.story import Story
from support.watch_policy import enforce, watching

ENDED = watch_window_pb2.WATCH_WINDOW_STATE_EXPIRED_WITHOUT_DATA
LEASE = {"PASSPORT_SERVER_WORKER_LEASE_SECONDS": "2"}


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the URL of an empty store, as the database library has it."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'passport.db'}"
    given: str = request.getfixturevalue("database")
    return given


@pytest.fixture
def database(postgres_server: URL) -> Iterator[str]:
    """Give the URL of an empty database of the test's own."""
    name = f"passport_test_{uuid.uuid4().hex[:12]}"
    server = postgres_server.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
        yield postgres_server.set(database=name).render_as_string(hide_password=False)
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


@asynccontextmanager
async def served(folder: Path, url: str) -> AsyncIterator[Killable]:
    """Give a server on the store."""
    variables = LEASE | {"PASSPORT_SERVER_STORE_URL": url.replace("+psycopg", "", 1)}
    async with killable(folder, **variables) as server:
        yield server


async def started(server: Killable) -> str:
    """Return an attempt that is watched for an hour."""
    async with server.story() as story:
        await enforce(story, "watch", **watching())
        return (await story.start(await story.decided("1.0.0"))).name


def changed(url: str, attempt: str, **values: Any) -> None:
    """Change the job that ends the window of an attempt."""
    c = tables.jobs.c
    now = datetime.now(UTC)
    engine = create_engine(url)
    with engine.begin() as connection:
        job = update(tables.jobs).where(c.kind == EXPIRE_WINDOW, c.key == attempt)
        assert connection.execute(job.values({"due_time": now, "available_time": now} | values)).rowcount == 1
    engine.dispose()


async def ends(story: Story, attempt: str) -> watch_window_pb2.WatchWindow:
    """Return a window once it has ended."""
    request = pb.GetWatchWindowRequest(name=f"{attempt}/watchWindow")
    async with asyncio.timeout(30):
        while True:
            answer = await story.call("WatchWindowService", "GetWatchWindow", request)
            found: watch_window_pb2.WatchWindow = answer.window
            if found.HasField("close_time"):
                return found
            await asyncio.sleep(0.05)


async def told(story: Story, attempt: str) -> list[str]:
    """Return what the audit log says was done to an attempt."""
    request = audit_service_pb2.ListAuditEntriesRequest(subject=attempt, page_size=1000)
    answer = await story.call("AuditService", "ListAuditEntries", request)
    return [one.action for one in answer.entries]


async def test_the_window_that_a_killed_worker_had_claimed_ends_after_its_lease(
    tmp_path: Path, url: str
) -> None:
    async with served(tmp_path, url) as server:
        attempt = await started(server)
        await server.kill()
        leased = datetime.now(UTC) + timedelta(seconds=2)
        changed(url, attempt, holder="killed", token=tables.jobs.c.token + 1, available_time=leased)
        await server.start()
        async with server.story() as story:
            found = await ends(story, attempt)
            assert found.state == ENDED
            assert found.close_time.ToDatetime(UTC) >= leased
            assert (await told(story, attempt)).count("ExpireWatchWindow") == 1


@pytest.mark.postgres
async def test_two_servers_on_one_database_end_each_window_once_however_often_it_is_due(
    tmp_path: Path, database: str
) -> None:
    async with served(tmp_path, database) as first:
        second = Killable(tmp_path, first.token, first.variables)
        await second.start()
        try:
            attempt = await started(first)
            changed(database, attempt)
            async with second.story() as story:
                assert (await ends(story, attempt)).state == ENDED
                await due_again(database, attempt)
                assert (await told(story, attempt)).count("ExpireWatchWindow") == 1
        finally:
            await second.end()


async def due_again(url: str, attempt: str) -> None:
    """Let the end of a window be due once more, as after a lease that ran out too early; wait until it was done."""
    timer = Timer(EXPIRE_WINDOW, attempt, datetime.now(UTC), place="checkout/prod")
    c = tables.jobs.c
    waiting = select(c.key).where(c.kind == EXPIRE_WINDOW, c.key == attempt)
    async with opened(url, lambda: datetime.now(UTC)) as store:
        await store.write("default", lambda tx: tx.schedule(timer))
    engine = create_engine(url)
    async with asyncio.timeout(30):
        while True:
            with engine.connect() as connection:
                if connection.execute(waiting).first() is None:
                    break
            await asyncio.sleep(0.05)
    engine.dispose()
