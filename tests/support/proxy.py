"""A TCP proxy that does to a server what networks do: passes on, delays, swallows, cuts off, refuses."""

from __future__ import annotations

import asyncio
import enum
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from sqlalchemy import make_url

CHUNK = 64 * 1024
# How much of a transaction is looked through for what it is about.
MOST_SAID = 16 * CHUNK
# How PostgreSQL is asked to commit. The end of the word counts: transactions begin as READ COMMITTED.
COMMIT = b"COMMIT\0"
# What the writer alone says: the commits of jobs, which come and go beside it, are none of its decisions'.
WRITES = b"UPDATE writers SET batch"


class Way(enum.Enum):
    """What the proxy does with what it is given."""

    PASS = enum.auto()
    # Connections are taken, and nothing is passed on in either direction.
    SWALLOW = enum.auto()
    # Every connection is reset, those that are there and those that come.
    REFUSE = enum.auto()
    # The commit goes through, and the connection is reset before its answer.
    CUT_AFTER_COMMIT = enum.auto()
    # The connection is reset instead of passing the commit on.
    CUT_BEFORE_COMMIT = enum.auto()
    # The commit goes through, and from then on every connection is reset.
    REFUSE_AFTER_COMMIT = enum.auto()


# What each way of cutting off a commit goes over to.
CUTS = {
    Way.CUT_AFTER_COMMIT: Way.PASS,
    Way.CUT_BEFORE_COMMIT: Way.PASS,
    Way.REFUSE_AFTER_COMMIT: Way.REFUSE,
}


@dataclass
class Proxy:
    """Stands before a server, such as a database, in a thread of its own."""

    host: str
    port: int
    # How many seconds later every answer comes.
    delay: float = 0.0
    way: Way = Way.PASS
    # How many commits were cut off.
    cuts: int = 0
    # Only commits are cut off before which this was said, since the commit before.
    about: bytes = b""
    listens: int = 0
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def turn(self, way: Way, about: bytes = b"") -> None:
        """Do this from now on; a commit is cut off where its transaction speaks of something."""
        asyncio.run_coroutine_threadsafe(self._turn(way, about), self._loop).result(10)

    def connections(self) -> int:
        """Return how many connections are open on either side."""
        return len(self._writers)

    def run(self, started: threading.Event) -> None:
        """Serve until stopped."""
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.listens = server.sockets[0].getsockname()[1]
        started.set()
        self._loop.run_forever()
        server.close()
        self._loop.run_until_complete(self._ended())
        self._loop.close()

    def stop(self) -> None:
        """Stop serving."""
        self._loop.call_soon_threadsafe(self._loop.stop)

    async def _turn(self, way: Way, about: bytes) -> None:
        self.way, self.about = way, about
        if way is Way.REFUSE:
            self._cut()

    async def _ended(self) -> None:
        self._cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _cut(self) -> None:
        for writer in tuple(self._writers):
            # At once and with a reset, not in the orderly way.
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            # Cancelled it is at the end alone, and the streams would make an error of that.
            with suppress(OSError, asyncio.CancelledError):
                await self._between(reader, writer)
        finally:
            writer.transport.abort()
            self._tasks.discard(task)

    async def _between(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.way is Way.REFUSE:
            return
        there, back = await asyncio.open_connection(self.host, self.port)
        pair, cut = (writer, back), asyncio.Event()
        self._writers.update(pair)
        ways = [
            asyncio.create_task(self._questions(reader, back, cut)),
            asyncio.create_task(self._answers(there, writer, cut)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            self._writers.difference_update(pair)
            back.transport.abort()

    async def _questions(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, cut: asyncio.Event
    ) -> None:
        # A statement that was prepared is not said again: whoever was the writer stays it.
        writes, said = False, b""
        while data := await self._read(source):
            writes, said = writes or WRITES in data, said + data
            if COMMIT in data:
                if writes and self.about in said and self.way in CUTS:
                    self.cuts += 1
                    before, self.way = self.way is Way.CUT_BEFORE_COMMIT, CUTS[self.way]
                    if before:
                        return
                    cut.set()
                said = b""
            said = said[-MOST_SAID:]
            sink.write(data)
            await sink.drain()

    async def _answers(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, cut: asyncio.Event
    ) -> None:
        while data := await self._read(source):
            await asyncio.sleep(self.delay)
            if cut.is_set():
                # It has been done, and whoever asked for it will not be told.
                return
            sink.write(data)
            await sink.drain()

    async def _read(self, source: asyncio.StreamReader) -> bytes:
        data = await source.read(CHUNK)
        if self.way is Way.SWALLOW:
            # What is on its way when the network breaks is lost, and what comes later does not make up for it.
            await asyncio.Event().wait()
        return data


@contextmanager
def proxied(url: str) -> Iterator[tuple[Proxy, str]]:
    """Give a proxy before a database, and the database's URL through it."""
    parsed = make_url(url)
    assert parsed.host is not None
    assert parsed.port is not None
    with standing_before(parsed.host, parsed.port) as proxy:
        through = parsed.set(drivername="postgresql", host="127.0.0.1", port=proxy.listens)
        yield proxy, through.render_as_string(hide_password=False)


@contextmanager
def standing_before(host: str, port: int) -> Iterator[Proxy]:
    """Give a proxy before a server."""
    proxy, started = Proxy(host, port), threading.Event()
    thread = threading.Thread(target=proxy.run, args=(started,), name="proxy")
    thread.start()
    started.wait(10)
    try:
        yield proxy
    finally:
        proxy.stop()
        thread.join()
