"""What watchers hear across the death of servers and databases: nothing is skipped in silence, or they are told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import psycopg
import pytest
import pytest_asyncio
from google.protobuf.duration_pb2 import Duration
from grpc import aio

from release_passport.v1 import decision_service_pb2 as pb
from release_passport_server.adapters.sql.tables import feed
from release_passport_server.services import tail
from support.calls import Caller, refusal
from support.postgres import Cluster
from support.replica import Replica
from support.server import real_server
from support.server_process import passport_server, served
from support.shop import decided, opened, released, scanned
from support.watched import EVERY, changes, live, place, require_ordered, require_reliable, watch

pytestmark = pytest.mark.asyncio(loop_scope="module")
BAD = ("CVE-2026-1", "critical", "")
RELEASES, TURNS = 12, 2
NO_WORKER = {"enabled": False}


async def turned(caller: Caller, version: str, times: int, first: int = 0) -> None:
    """Decide a release so often, each time with another outcome."""
    name = await released(caller, version)
    for number in range(first, first + times):
        await scanned(caller, version, *((BAD,) if number % 2 else ()))
        await decided(caller, name)


async def test_resumable_a_watcher_goes_on_at_another_server_when_its_own_is_killed(
    postgres_url: str, tmp_path: Path
) -> None:
    variables = {
        "PASSPORT_SERVER_STORE_URL": postgres_url.replace("+psycopg", ""),
        "PASSPORT_SERVER_WORKER_ENABLED": "false",
    }
    token = passport_server(tmp_path, "init", **variables).stdout.strip()
    with served(tmp_path, **variables) as one, served(tmp_path, **variables) as other:
        doomed, survivor = Replica(one, token), Replica(other, token)
        await opened(survivor.caller)
        # What one server commits is heard at the other.
        stream = await live(doomed.caller)
        writing = asyncio.gather(*(turned(survivor.caller, f"1.{n}.0", TURNS) for n in range(RELEASES)))
        await stream.decisions(RELEASES)
        one.process.kill()
        with pytest.raises(aio.AioRpcError) as caught:
            await _for_ever(stream)
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        again = watch(survivor.caller, resume_token=stream.token, delivery=EVERY)
        await writing
        truth = await _listed(survivor.caller)
        assert len(truth) == RELEASES * TURNS
        while not again.messages or place(again.messages[-1]) != truth[-1]:
            await again.next()
        require_ordered(stream.messages)
        require_ordered(again.messages)
        require_reliable([*stream.messages, *again.messages], truth, every=True)
        again.leave()
        for replica in (doomed, survivor):
            await replica.channel.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cluster(postgres_programs: Path) -> AsyncIterator[Cluster]:
    made = Cluster(postgres_programs)
    made.start()
    yield made
    made.stop()


async def test_streams_live_through_the_death_of_the_database(cluster: Cluster, tmp_path: Path) -> None:
    url = _database(cluster, "died")
    async with real_server(tmp_path, store={"url": url}, worker=NO_WORKER) as running:
        caller = await opened(Caller(running, running.token))
        stream = await live(caller)
        await turned(caller, "1.0.0", 2)
        cluster.kill()
        cluster.start_again()
        await _until_written(caller)
        await turned(caller, "1.1.0", 2)
        told = [one.decision.decision.release.rpartition("/")[2] for one in await stream.decisions(4)]
        assert told == ["1.0.0", "1.0.0", "1.1.0", "1.1.0"]
        require_ordered(stream.messages)
        stream.leave()


async def test_fails_closed_in_time_a_server_without_its_database_is_silent(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("release_passport_server.wire.watch.LEAST_HEARTBEAT", 0.2)
    monkeypatch.setattr(tail, "CURRENT_SECONDS", 0.5)
    url = _database(cluster, "silent")
    async with real_server(tmp_path, store={"url": url}, worker=NO_WORKER) as running:
        caller = await opened(Caller(running, running.token))
        stream = await live(caller, heartbeat_interval=Duration(nanos=1))
        await stream.until("heartbeat")
        cluster.kill()
        # What was on its way still comes; then nothing does, for much longer than three heartbeats.
        with pytest.raises(TimeoutError):
            await _until_silent(stream, 1.0)
        cluster.start_again()
        await _until_written(caller)
        # Reading that was given up ends a call in grpc.aio.
        again = watch(caller, resume_token=stream.token, delivery=EVERY)
        await turned(caller, "1.0.0", 1)
        await again.decisions(1)
        again.leave()


@pytest.mark.parametrize("more", [0, 3], ids=["behind", "with-other-revisions-of-the-same-numbers"])
async def test_a_database_that_lost_its_last_commits_is_another_history(
    cluster: Cluster, tmp_path: Path, more: int
) -> None:
    url = _database(cluster, f"lagging{more}")
    async with real_server(tmp_path, store={"url": url}, worker=NO_WORKER) as running:
        caller = await opened(Caller(running, running.token))
        await turned(caller, "1.0.0", 1)
        cluster.kill()
        kept = cluster.keep_copy()
        cluster.start_again()
        await _until_written(caller)
        stream = await live(caller)
        await turned(caller, "1.1.0", 1)
        await stream.decisions(1)
        cluster.kill()
        # A standby that had not got the last commits takes the place.
        cluster.put_back(kept)
        cluster.start_again()
        await _until_written(caller)
        if more:
            await turned(caller, "1.2.0", more)
        with pytest.raises(aio.AioRpcError) as caught:
            await _for_ever(stream)
        assert refusal(caught.value).reason == "HISTORY_DIVERGED"
        with pytest.raises(aio.AioRpcError) as refused:
            await _for_ever(watch(caller, resume_token=stream.token))
        assert refusal(refused.value).reason == "HISTORY_DIVERGED"
        anew = watch(caller)
        assert (await anew.until("snapshot_end")).snapshot_end.decisions
        anew.leave()


async def test_a_hole_in_the_feed_ends_streams_and_skips_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with real_server(tmp_path, worker=NO_WORKER) as running:
        caller = await opened(Caller(running, running.token))
        first = await live(caller)
        await turned(caller, "1.0.0", 2)
        [event, *_] = await first.decisions(2)
        await running.store.aside.write(lambda connection, _: _without(connection, event.revision))
        again = watch(caller, resume_token=first.messages[0].resume_token, delivery=EVERY)
        with pytest.raises(aio.AioRpcError) as caught:
            await _for_ever(again)
        assert caught.value.code() is grpc.StatusCode.INTERNAL
        assert not changes(again.messages)
        # Where the tail itself comes upon one, everybody who watches the tenant is told. What this process decides it
        # would read at once, before there is a hole.
        running.store.on_decided(lambda _: None)
        held = asyncio.Event()
        reading, running.store.revisions = running.store.revisions, _never(held)  # type: ignore[method-assign]
        async with asyncio.timeout(5):
            await held.wait()
        await turned(caller, "1.1.0", 2)
        newest = await running.store.read("default", lambda reader: reader.revision())
        await running.store.aside.write(lambda connection, _: _without(connection, newest - 2))
        running.store.revisions = reading  # type: ignore[method-assign]
        with pytest.raises(aio.AioRpcError) as told:
            await _for_ever(first)
        assert told.value.code() is grpc.StatusCode.INTERNAL
        assert len(changes(first.messages)) == 2
        assert "the feed cannot be read" in caplog.text


def _never(held: asyncio.Event) -> Any:
    """Return a look at the heads that sees nobody's."""

    async def revisions(tenants: object) -> dict[str, int]:
        held.set()
        return {}

    return revisions


def _without(connection: Any, revision: int) -> None:
    connection.execute(feed.delete().where(feed.c.revision == revision))


def _database(cluster: Cluster, name: str) -> str:
    plain = cluster.url.set(drivername="postgresql")
    with psycopg.connect(plain.render_as_string(), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    return plain.set(database=name).render_as_string()


async def _until_written(caller: Caller) -> None:
    """Return once the store takes writes again."""
    while True:
        try:
            await released(caller, "0.0.1")
        except aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.UNAVAILABLE:
                raise
            await asyncio.sleep(tail.LOOK_SECONDS)
        else:
            return


async def _listed(caller: Caller) -> list[tuple[int, int]]:
    """Return the places of all decisions, as the store has them."""
    answer = await caller("ListDecisions", pb.ListDecisionsRequest(page_size=1000))
    names = [one.name for one in answer.decisions]
    found = [await caller("GetDecision", pb.GetDecisionRequest(name=name)) for name in names]
    return sorted((one.revision, 0) for one in found)


async def _until_silent(stream: Any, seconds: float) -> None:
    """Read what comes; raise TimeoutError once nothing does for so long."""
    while True:
        async with asyncio.timeout(seconds):
            await stream.next()


async def _for_ever(stream: Any) -> None:
    while True:
        await stream.next()
