"""Sixteen writers in four processes, one of them killed: revisions are dense, in commit order, and none is missed."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import AsyncExitStack, closing

import psycopg
import pytest

from support.history import Poller, plain, unseen_changes
from support.store import TENANT, opened
from support.tree import CLIENT, ROOT, SERVER

ROUNDS = 12
ENOUGH_TO_KILL = 5


@pytest.fixture
async def schema(postgres_url: str) -> str:
    """Give the URL of a database with the schema."""
    async with opened(postgres_url):
        return postgres_url


async def started(url: str, name: str) -> Process:
    path = os.pathsep.join(str(one) for one in (SERVER.parent, CLIENT.parent, ROOT / "tests"))
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "support.writing_process",
        url,
        name,
        str(ROUNDS),
        stdout=PIPE,
        env={**os.environ, "PYTHONPATH": path},
    )


async def acknowledged(process: Process, *, kill: bool) -> list[int]:
    """Return the revisions that a process was told of, before it ended or was killed."""
    assert process.stdout is not None
    found = []
    try:
        async for line in process.stdout:
            found.append(int(line))
            if kill and len(found) == ENOUGH_TO_KILL:
                process.kill()
    finally:
        if process.returncode is None and not process.stdout.at_eof():
            process.kill()
        code = await process.wait()
    assert (code != 0) == kill
    return found


async def test_a_live_reader_sees_every_revision_once_and_in_order(schema: str) -> None:
    with closing(psycopg.connect(plain(schema), autocommit=True)) as connection:
        poller = Poller(connection, "feed", "revision", f"tenant = '{TENANT}'")
        over = asyncio.Event()

        async def follow() -> None:
            while not over.is_set():
                await asyncio.to_thread(poller.poll)

        following = asyncio.create_task(follow())
        try:
            processes = [await started(schema, name) for name in "abcd"]
            told = await asyncio.gather(
                *(acknowledged(process, kill=process is processes[0]) for process in processes)
            )
        finally:
            over.set()
            await following
        poller.poll()
        assert poller.missed() == set()
        assert poller.seen == list(range(1, len(poller.seen) + 1))
        assert {one for revisions in told for one in revisions} <= set(poller.seen)
    assert unseen_changes(schema) == []
    async with opened(schema) as store:
        assert await store.read(TENANT, lambda reader: reader.revision()) == poller.seen[-1]


async def test_the_same_reader_misses_events_that_a_counter_numbers(schema: str) -> None:
    """A number that is drawn before the commit is not in the order of commits."""
    async with AsyncExitStack() as stack:
        one, two, reading = (
            stack.enter_context(closing(psycopg.connect(plain(schema), autocommit=True))) for _ in range(3)
        )
        one.execute("CREATE TABLE counted (number bigserial PRIMARY KEY, event text)")
        poller = Poller(reading, "counted", "number")
        one.execute("BEGIN")
        one.execute("INSERT INTO counted (event) VALUES ('first')")
        two.execute("INSERT INTO counted (event) VALUES ('second')")
        poller.poll()
        one.execute("COMMIT")
        poller.poll()
        assert (poller.seen, poller.missed()) == ([2], {1})
