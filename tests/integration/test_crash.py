"""Everything is killed in the midst of its work: what was acknowledged is there, whole, and once."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, select

from release_passport_server.adapters.sql import tables
from support.crashing import CrashingCluster, Killable, crashing_cluster, killable
from support.flood import Failed, Flood
from support.records import decided, faults
from support.server import real_server
from support.story import Story

SOAK = os.environ.get("PASSPORT_TEST_SOAK") == "1"
SERVER_KILLS, DATABASE_KILLS, AT_ONCE = (20, 10, 500) if SOAK else (2, 2, 200)
# Everybody is in flight: what is refused for want of room tells nothing about a crash.
ROOM = {"PASSPORT_SERVER_LIMITS_DECIDE": "1000"}
UNAVAILABLE = {("UNAVAILABLE", "STORE_UNAVAILABLE"), ("UNAVAILABLE", "OVERLOADED")}


@pytest.fixture(scope="module")
def cluster(postgres_programs: Path) -> Iterator[CrashingCluster]:
    with crashing_cluster(postgres_programs) as made:
        yield made


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the URL of a new, empty store."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'passport.db'}"
    made: CrashingCluster = request.getfixturevalue("cluster")
    return made.new_database()


async def as_recorded(server: Killable, flood: Flood, url: str) -> list[str]:
    """Hold the record against the answers, ask again, and return what is wrong in the end."""
    before = {one.version for one in flood.questions if one.acknowledged}
    async with server.story() as story:
        await flood.recorded(story)
        kept = decided(url)
        await flood.answered(story)
        await flood.recorded(story)
    wrong = faults(url)
    now = decided(url)
    for one in flood.questions:
        if now[one.version] != 1:
            wrong.append(f"{one.version} has {now[one.version]} decisions")
        if one.version in before and not kept[one.version]:
            wrong.append(f"{one.version} was acknowledged and is lost")
        if kept[one.version] and one.answer is not None and not one.answer.replayed:
            wrong.append(f"{one.version} was decided before the crash, and decided again")
    return wrong


@pytest.mark.postgres
async def test_a_server_that_is_killed_loses_nothing_that_it_acknowledged(tmp_path: Path, store: str) -> None:
    moments = random.Random(3)
    async with killable(tmp_path, PASSPORT_SERVER_STORE_URL=store, **ROOM) as server:
        for kill in range(SERVER_KILLS):
            flood = Flood.about(f"1.{kill}", AT_ONCE)
            at = moments.randrange(1, AT_ONCE)
            async with server.story() as story:
                await flood.run(story, at=at, crash=server.kill)
            lost = [one for one in flood.questions if not one.acknowledged]
            await server.start()
            assert await as_recorded(server, flood, store) == [], (kill, at, len(lost))


@pytest.mark.postgres
async def test_a_database_that_is_killed_comes_back_with_all_and_the_server_with_it(
    tmp_path: Path, cluster: CrashingCluster
) -> None:
    moments, url = random.Random(5), cluster.new_database()
    async with killable(tmp_path, PASSPORT_SERVER_STORE_URL=url, **ROOM) as server:
        pid = server.pid
        for kill in range(DATABASE_KILLS):
            flood = Flood.about(f"1.{kill}", AT_ONCE)
            at = moments.randrange(1, AT_ONCE)
            async with server.story() as story:
                await flood.run(story, at=at, crash=lambda: asyncio.to_thread(cluster.kill))
                assert all(told_to_come_back(failed) for failed in flood.failures), flood.failures
                cluster.start_again()
                await flood.answered(story)
            assert await as_recorded(server, flood, url) == [], (kill, at)
            assert await server.ready()
        assert server.pid == pid


def told_to_come_back(failed: Failed) -> bool:
    return (failed.code, failed.reason) in UNAVAILABLE and failed.retry_after is not None


async def test_a_record_that_is_there_by_half_is_noticed(tmp_path: Path) -> None:
    async with real_server(tmp_path) as server:
        story = Story(server)
        await story.begin()
        await story.evaluate("1.0.0", 0, request_id="run-1")
        url = f"sqlite:///{tmp_path / 'passport.db'}"
        assert faults(url) == []
        for table in (
            tables.audit,
            tables.feed,
            tables.idempotency,
            tables.releases,
            tables.evidence,
            tables.bodies,
        ):
            with server.store._engine.begin() as connection:
                kept = [dict(row) for row in connection.execute(select(table)).mappings()]
                connection.execute(delete(table))
            assert faults(url) != [], table.name
            with server.store._engine.begin() as connection:
                if kept:
                    connection.execute(insert(table), kept)
            assert faults(url) == []
