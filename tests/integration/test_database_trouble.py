"""The database is away, slow, cut off, full, read-only or crowded: no answer is wrong, and all ends by itself."""

from __future__ import annotations

import asyncio
import os
import resource
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from support.crashing import CrashingCluster, Killable, crashing_cluster, killable
from support.disks import small_disk, takes_no_writes
from support.flood import Asked, Failed, Flood, question
from support.proxy import Proxy, Way, proxied
from support.records import decided, faults
from support.server_process import passport_server
from support.story import Story

SOAK = os.environ.get("PASSPORT_TEST_SOAK") == "1"
AWAY_SECONDS, AT_ONCE, CUTS = (30.0, 200, 20) if SOAK else (1.0, 40, 2)
# Far more than the server takes to know that the database is away, and less than it takes to find out.
PATIENT, HURRIED = 60.0, 1.0
MOST_GROWTH_KIB = 64 * 1024
UNAVAILABLE = Failed("UNAVAILABLE", "STORE_UNAVAILABLE", 1.0)

# What has a shorter neighbour that fails with it; the whole is for whoever has minutes.
in_full = pytest.mark.skipif(not SOAK, reason="PASSPORT_TEST_SOAK=1 runs it")

# The servers are shared, and so is their loop: each of them outlives every trouble.
pytestmark = [pytest.mark.postgres, pytest.mark.asyncio(loop_scope="module")]
module_fixture = pytest_asyncio.fixture(scope="module", loop_scope="module")


@dataclass
class Troubled:
    """A server whose database is in trouble now and then."""

    server: Killable
    story: Story
    url: str

    async def refuses(self, version: str) -> Asked:
        """Ask until the server says that its store cannot be used; return the question."""
        asked = question(version)
        await asked.ask(self.story, PATIENT)
        assert asked.failed == UNAVAILABLE
        await self.becomes(False)
        return asked

    async def recovers(self, *asked: Asked) -> None:
        """Ask again until everything is answered; then the record is whole, and the server is the one that it was."""
        pid = self.server.pid
        await Flood(list(asked)).answered(self.story)
        await self.becomes(True)
        assert faults(self.url) == []
        now = decided(self.url)
        assert {one.version: now[one.version] for one in asked} == {one.version: 1 for one in asked}
        assert self.server.pid == pid

    async def becomes(self, ready: bool) -> None:
        """Wait until the server says so: it looks once a second, and remembers what it saw."""
        for _ in range(int(PATIENT * 10)):
            if await self.server.ready() is ready:
                return
            await asyncio.sleep(0.1)
        raise AssertionError(list(self.server.lines))

    def recorded(self, asked: Sequence[Asked]) -> list[str]:
        """Return those that were decided."""
        now = decided(self.url)
        return [one.version for one in asked if now[one.version]]

    async def reads(self, asked: Asked) -> None:
        """Find a decision that was recorded before."""
        assert asked.answer is not None
        await Flood([asked]).recorded(self.story)


@asynccontextmanager
async def troubled(folder: Path, url: str, direct: str = "") -> AsyncIterator[Troubled]:
    """Give a server that has decided something, on a store that is asked directly for what it holds."""
    async with (
        killable(folder, PASSPORT_SERVER_STORE_URL=url, PASSPORT_SERVER_LIMITS_DECIDE="1000") as server,
        server.story() as story,
    ):
        yield Troubled(server, story, direct or url)


@pytest.fixture(scope="module")
def cluster(postgres_programs: Path) -> Iterator[CrashingCluster]:
    with crashing_cluster(postgres_programs) as made:
        made.execute("CREATE ROLE passport LOGIN")
        yield made


@module_fixture
async def behind(
    tmp_path_factory: pytest.TempPathFactory, cluster: CrashingCluster
) -> AsyncIterator[tuple[Troubled, Proxy]]:
    """Give a server whose database is behind a proxy; whatever happens to it, it is never started again."""
    direct = cluster.new_database()
    with proxied(direct) as (proxy, url):
        async with troubled(tmp_path_factory.mktemp("far"), url, direct) as server:
            yield server, proxy


@pytest.fixture
def far(behind: tuple[Troubled, Proxy]) -> Iterator[tuple[Troubled, Proxy]]:
    """Give the server behind the proxy, which passes everything on again after."""
    yield behind
    _, proxy = behind
    proxy.delay = 0
    proxy.turn(Way.PASS)


async def test_a_database_that_says_nothing_is_given_up_and_comes_back(far: tuple[Troubled, Proxy]) -> None:
    server, proxy = far
    before = server.server.resident_kib()
    proxy.turn(Way.SWALLOW)
    # Whoever waits is told that the store does not answer, long before the deadline.
    waiting = Flood.about("1.1", AT_ONCE)
    await waiting.run(server.story)
    assert set(waiting.failures) == {UNAVAILABLE}
    await server.becomes(False)
    # From then on nobody waits at all.
    hurried = Flood.about("1.2", AT_ONCE)
    over = asyncio.get_running_loop().time() + AWAY_SECONDS
    while asyncio.get_running_loop().time() < over:
        await asyncio.gather(*(one.ask(server.story, HURRIED) for one in hurried.questions))
        assert {one.failed for one in hurried.questions} == {UNAVAILABLE}
        assert not await server.server.ready()
    assert server.server.resident_kib() - before < MOST_GROWTH_KIB
    proxy.turn(Way.PASS)
    await server.becomes(True)
    # What was refused was not begun.
    asked = [*waiting.questions, *hurried.questions]
    assert server.recorded(asked) == []
    await server.recovers(*asked)


@in_full
async def test_what_nobody_waits_for_any_more_is_not_begun(far: tuple[Troubled, Proxy]) -> None:
    server, proxy = far
    proxy.turn(Way.SWALLOW)
    gone = Flood.about("2.1", AT_ONCE)
    await asyncio.gather(*(one.ask(server.story, HURRIED) for one in gone.questions))
    assert {one.failed.code for one in gone.questions if one.failed} <= {"DEADLINE_EXCEEDED", "UNAVAILABLE"}
    assert not any(one.acknowledged for one in gone.questions)
    proxy.turn(Way.PASS)
    await server.recovers(question("2.2.0"))
    assert server.recorded(gone.questions) == []


async def test_a_database_that_refuses_connections_is_waited_for(far: tuple[Troubled, Proxy]) -> None:
    server, proxy = far
    proxy.turn(Way.REFUSE)
    asked = [await server.refuses(f"3.0.{number}") for number in range(3)]
    proxy.turn(Way.PASS)
    await server.recovers(*asked)


async def test_a_database_that_is_far_away_is_only_slow(far: tuple[Troubled, Proxy]) -> None:
    server, proxy = far
    proxy.delay = 0.2
    flood = Flood.about("4.0", AT_ONCE)
    await flood.run(server.story)
    # Where the queue is long because of it, some are told to come back; nobody is told that the store is away.
    assert all(one.reason == "OVERLOADED" and one.retry_after for one in flood.failures), flood.failures
    assert any(one.acknowledged for one in flood.questions)
    assert await server.server.ready()
    await flood.answered(server.story)
    assert await server.server.ready()
    proxy.delay = 0
    await server.recovers(*flood.questions)


@pytest.mark.parametrize("way", [Way.CUT_AFTER_COMMIT, Way.CUT_BEFORE_COMMIT])
async def test_a_commit_whose_answer_is_lost_is_found_out(far: tuple[Troubled, Proxy], way: Way) -> None:
    server, proxy = far
    asked, before = [], proxy.cuts
    for cut in range(1, CUTS + 1):
        proxy.turn(way)
        flood = Flood.about(f"5.{way.value}.{cut}", 10)
        await flood.run(server.story)
        # Nobody notices: it is there or is done again.
        assert (flood.failures, proxy.cuts - before) == ({}, cut)
        asked += flood.questions
    await server.recovers(*asked)


async def test_a_commit_of_which_nothing_can_be_found_out_is_answered_to_whoever_asks_again(
    far: tuple[Troubled, Proxy],
) -> None:
    server, proxy = far
    for cut in range(1, CUTS + 1):
        # Jobs write beside the flood: the commit that is cut off is one of its own.
        proxy.turn(Way.REFUSE_AFTER_COMMIT, about=f"ask-6.{cut}.".encode())
        flood = Flood.about(f"6.{cut}", 10)
        await flood.run(server.story)
        assert set(flood.failures) == {UNAVAILABLE}
        done = server.recorded(flood.questions)
        assert done
        proxy.turn(Way.PASS)
        await server.recovers(*flood.questions)
        # The request id finds what was decided; nothing else was.
        assert [one.version for one in flood.questions if one.answer and one.answer.replayed] == done


@module_fixture
async def near(tmp_path_factory: pytest.TempPathFactory, cluster: CrashingCluster) -> AsyncIterator[Troubled]:
    """Give a server on a database that belongs to a user with no more rights than that."""
    async with troubled(tmp_path_factory.mktemp("near"), cluster.new_database("passport")) as server:
        yield server


async def test_a_database_without_room_for_connections_is_waited_for(
    near: Troubled, cluster: CrashingCluster
) -> None:
    cluster.execute("ALTER ROLE passport CONNECTION LIMIT 0")
    try:
        cluster.disconnect(near.url)
        asked = await near.refuses("7.0.0")
        # One for the writer and one for all who read.
        cluster.execute("ALTER ROLE passport CONNECTION LIMIT 2")
        flood = Flood.about("7.1", AT_ONCE)
        await flood.answered(near.story)
    finally:
        cluster.execute("ALTER ROLE passport CONNECTION LIMIT -1")
    await near.recovers(asked, *flood.questions)


async def test_a_database_that_takes_no_writes_is_read_and_waited_for(
    near: Troubled, cluster: CrashingCluster
) -> None:
    before = question("8.0.0")
    await before.ask(near.story)
    name = near.url.rpartition("/")[2]
    cluster.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    cluster.disconnect(near.url)
    asked = await near.refuses("8.1.0")
    await near.reads(before)
    cluster.execute(f'ALTER DATABASE "{name}" RESET default_transaction_read_only')
    await near.recovers(before, asked)


async def test_a_database_whose_disk_is_full_is_read_and_waited_for(
    tmp_path: Path, cluster: CrashingCluster
) -> None:
    with small_disk(cluster.data.parent / "small", 40) as disk:
        cluster.own(disk.folder)
        cluster.execute(f"CREATE TABLESPACE small LOCATION '{disk.folder}'")
        url = cluster.new_database(more="TABLESPACE small")
        async with troubled(tmp_path, url) as server:
            before = question("1.0.0")
            await before.ask(server.story)
            disk.fill()
            asked = await filled(server)
            await server.reads(before)
            disk.free()
            await server.recovers(before, *asked)
        cluster.execute(f'DROP DATABASE "{url.rpartition("/")[2]}"')
        cluster.execute("DROP TABLESPACE small")


async def test_a_file_on_a_full_disk_is_read_and_waited_for(tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", 16) as disk:
        async with troubled(tmp_path, f"sqlite:///{disk.folder / 'passport.db'}") as server:
            before = question("1.0.0")
            await before.ask(server.story)
            disk.fill()
            asked = await filled(server)
            await server.reads(before)
            disk.free()
            await server.recovers(before, *asked)


@in_full
async def test_a_file_that_cannot_grow_is_read_and_waited_for(tmp_path: Path) -> None:
    async with troubled(tmp_path, f"sqlite:///{tmp_path / 'passport.db'}") as server:
        before = question("1.0.0")
        await before.ask(server.story)
        unlimited = resource.prlimit(server.server.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(server.server.pid, resource.RLIMIT_FSIZE, (4096, unlimited[1]))
        asked = await server.refuses("1.1.0")
        await server.reads(before)
        resource.prlimit(server.server.pid, resource.RLIMIT_FSIZE, unlimited)
        await server.recovers(before, asked)


async def test_a_file_that_takes_no_writes_any_more_is_read_and_waited_for(tmp_path: Path) -> None:
    file = tmp_path / "passport.db"
    async with troubled(tmp_path, f"sqlite:///{file}") as server:
        before = question("1.0.0")
        await before.ask(server.story)
        with takes_no_writes(file, tmp_path / "passport.db-wal"):
            asked = await server.refuses("1.1.0")
            await server.reads(before)
        await server.recovers(before, asked)


async def test_a_file_that_is_read_only_is_said_to_be_so_before_anything_is_served(tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", 16) as disk:
        url = f"sqlite:///{disk.folder / 'passport.db'}"
        server = Killable.made(tmp_path, PASSPORT_SERVER_STORE_URL=url)
        disk.take_no_writes()
        refused = passport_server(tmp_path, "serve", **server.variables)
        assert refused.returncode != 0
        assert "passport.db cannot be written" in refused.stderr
        assert "make the file and its folder writable" in refused.stderr
        disk.take_writes()
        await server.start()
        async with server.story() as story:
            once = question("1.0.0")
            await Flood([once]).answered(story)
        await server.end()
        assert (faults(url), decided(url)) == ([], {"1.0.0": 1})


async def filled(server: Troubled) -> list[Asked]:
    """Ask until a disk without room has taken all that it can; return the questions."""
    asked = []
    for number in range(500):
        one = question(f"2.0.{number}")
        await one.ask(server.story)
        asked.append(one)
        if one.failed is not None:
            break
    assert asked[-1].failed == UNAVAILABLE
    await server.becomes(False)
    return asked
