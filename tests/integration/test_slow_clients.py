"""Peers that keep the server waiting are let go, on both ports, and nobody else notices."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from release_passport.v1 import decision_service_pb2 as pb
from release_passport_server.domain.access import Principal
from release_passport_server.transport.grpc import dispatcher, limits
from release_passport_server.transport.grpc.connections import Connections
from release_passport_server.transport.grpc.dispatcher import Dispatcher
from release_passport_server.transport.grpc.limits import Limits
from release_passport_server.transport.grpc.methods import CallClass, all_methods
from release_passport_server.transport.grpc.server import GRPCServer
from release_passport_server.transport.http import patience
from release_passport_server.transport.metrics import Metrics
from support.server import GOOD, OneToken, application, free_ports, serving
from support.slow_clients import (
    DATA,
    GOAWAY,
    HEADERS,
    PING,
    PREFACE,
    RESET,
    RawConnection,
    most_streams,
    raw_connection,
)

EVALUATE = "/release_passport.v1.DecisionService/Evaluate"
KNOWN = {"authorization": f"Bearer {GOOD}"}
SOON = 0.2
DEADLINE_EXCEEDED, OK, EXHAUSTED = (b"\x0bgrpc-status\x01" + code for code in (b"4", b"0", b"8"))


class Handlers:
    """Answers with as much as the test says."""

    def __init__(self) -> None:
        self.bytes = 0

    async def Evaluate(self, principal: Principal, request: pb.EvaluateRequest) -> pb.EvaluateResponse:
        return pb.EvaluateResponse(revision=7, envelope=b"x" * self.bytes)


@asynccontextmanager
async def listening(handlers: Handlers | None = None, **changes: Any) -> AsyncIterator[int]:
    """Serve gRPC with other times and numbers for connections; give the port."""
    of = Limits(dict.fromkeys(CallClass, 8))
    services = {"release_passport.v1.DecisionService": handlers or Handlers()}
    calls = Dispatcher(services, OneToken(), of, Metrics("0.0.test", all_methods(), of))
    server = GRPCServer(calls, all_methods(), Connections(**changes), open_reflection=True)
    port = await server.start("127.0.0.1:0")
    try:
        async with asyncio.timeout(20):
            yield port
    finally:
        await server.stop(0)


async def greeted(connection: RawConnection, **settings: int) -> dict[int, int]:
    """Begin HTTP/2 and return the server's settings."""
    connection.greet(**settings)
    return await connection.settled()


async def answers(port: int) -> bool:
    """Say whether a call on a new connection is answered."""
    async with raw_connection(port) as other:
        await greeted(other)
        frames = await other.end_of(other.call(EVALUATE, KNOWN, body=b""))
        return OK in frames[-1].payload


@pytest.mark.parametrize(
    "begin", [b"", PREFACE[:10], PREFACE], ids=["nothing", "half a preface", "no settings"]
)
async def test_a_connection_that_never_begins_is_closed(begin: bytes) -> None:
    async with listening(handshake_seconds=SOON) as port, raw_connection(port) as silent:
        silent.send(begin)
        assert (await silent.closed())[-1].kind == GOAWAY
        assert await answers(port)


async def test_a_connection_without_calls_is_ended() -> None:
    async with listening(idle_seconds=SOON) as port, raw_connection(port) as idle:
        await greeted(idle)
        assert b"idle" in (await idle.closed())[-1].payload
        assert await answers(port)


@pytest.mark.parametrize("calls", [0, 3])
async def test_a_peer_that_acknowledges_no_ping_is_gone(calls: int) -> None:
    # So is one whose network went away: TCP alone would notice it after a quarter of an hour.
    async with listening(ping_seconds=SOON, pong_seconds=SOON) as port, raw_connection(port) as half_open:
        await greeted(half_open)
        for _ in range(calls):
            half_open.call(EVALUATE, KNOWN)
        kinds = [frame.kind for frame in await half_open.closed()]
        assert PING in kinds
        assert await answers(port)


async def test_a_peer_that_acknowledges_pings_stays() -> None:
    async with listening(ping_seconds=SOON, pong_seconds=SOON) as port, raw_connection(port) as quiet:
        await greeted(quiet)
        for _ in range(3):
            ping = await quiet.until(PING)
            quiet.send_frame(PING, 0x1, 0, ping.payload)
        frames = await quiet.end_of(quiet.call(EVALUATE, KNOWN, body=b""))
        assert OK in frames[-1].payload


async def test_connections_are_renewed_even_where_their_peer_holds_on_to_calls() -> None:
    async with listening(age_seconds=SOON, last_calls_seconds=SOON) as port, raw_connection(port) as old:
        await greeted(old)
        old.call(EVALUATE, KNOWN)
        frames = await old.closed()
        assert GOAWAY in [frame.kind for frame in frames]


async def test_a_call_whose_message_never_comes_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatcher, "RECEIVE_SECONDS", SOON)
    async with listening() as port, raw_connection(port) as slow:
        await greeted(slow)
        whole, half = slow.call(EVALUATE, KNOWN), slow.call(EVALUATE, KNOWN)
        slow.send_frame(DATA, 0, half, b"\x00\x00\x00\x00\x09\x0a")
        for stream in (whole, half):
            headers = [frame for frame in await slow.end_of(stream) if frame.kind == HEADERS]
            assert DEADLINE_EXCEEDED in headers[-1].payload


async def test_nobody_unknown_is_waited_for() -> None:
    async with listening() as port, raw_connection(port) as unknown:
        await greeted(unknown)
        headers = [
            frame for frame in await unknown.end_of(unknown.call(EVALUATE, {})) if frame.kind == HEADERS
        ]
        assert b"grpc-status\x0216" in headers[-1].payload


async def test_a_connection_has_so_many_calls_at_once_and_no_more() -> None:
    async with listening(streams=4) as port, raw_connection(port) as greedy:
        assert most_streams(await greeted(greedy)) == 4
        held = [greedy.call(EVALUATE, KNOWN) for _ in range(4)]
        beyond = await greedy.end_of(greedy.call(EVALUATE, KNOWN))
        assert [frame.kind for frame in beyond] == [RESET]
        assert not [frame for frame in greedy.frames if frame.stream in held and frame.ends_stream]
        assert await answers(port)


async def test_there_are_so_many_connections_and_no_more() -> None:
    async with listening(most=2) as port:
        async with raw_connection(port) as one, raw_connection(port) as other:
            await greeted(one)
            await greeted(other)
            async with raw_connection(port) as third:
                third.greet()
                assert await third.closed() == []
            frames = await one.end_of(one.call(EVALUATE, KNOWN, body=b""))
            assert OK in frames[-1].payload
        # Their places are free as soon as the server has seen that they are gone.
        while True:
            async with raw_connection(port) as next_one:
                next_one.greet()
                if await next_one.next_frame() is not None:
                    break


async def test_metadata_has_a_limit() -> None:
    async with listening() as port, raw_connection(port) as wordy:
        await greeted(wordy)
        frames = await wordy.end_of(wordy.call(EVALUATE, KNOWN | {"x-words": "a" * 20_000}, body=b""))
        assert EXHAUSTED in b"".join(frame.payload for frame in frames if frame.kind == HEADERS)
        assert await answers(port)


async def test_whoever_reads_no_answers_gets_no_more_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_UNREAD_BYTES", 128 * 1024)
    handlers = Handlers()
    # Two of them are more than may be unread.
    handlers.bytes = 50_000
    async with listening(handlers) as port, raw_connection(port) as deaf:
        await greeted(deaf, window=0)
        unread = []
        while not any(frame.ends_stream for frame in deaf.frames):
            unread.append(deaf.call(EVALUATE, KNOWN, body=b""))
            # Trailers need no window: a refusal comes through, and of an answer its headers.
            await deaf.until(HEADERS)
        assert len(unread) == 3
        assert b"grpc-status\x0214" in deaf.frames[-1].payload
    # What is unread is forgotten with its connection.
    async with listening(handlers) as port:
        async with raw_connection(port) as deaf:
            await greeted(deaf, window=0)
            for _ in range(2):
                deaf.call(EVALUATE, KNOWN, body=b"")
                await deaf.until(HEADERS)
            assert not await answers(port)
        while not await answers(port):
            pass


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the second port wait for nobody."""
    for name in ("HEAD_SECONDS", "BODY_SECONDS", "ANSWER_SECONDS"):
        monkeypatch.setattr(patience, name, SOON)


@asynccontextmanager
async def http(handlers: Handlers | None = None) -> AsyncIterator[int]:
    served = application({"release_passport.v1.DecisionService": handlers or Handlers()})
    async with serving(served, free_ports()) as process, asyncio.timeout(20):
        yield process.http_port


def post(length: int, body: bytes = b"{}") -> bytes:
    return (
        f"POST {EVALUATE} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
        f"authorization: Bearer {GOOD}\r\ncontent-length: {length}\r\n\r\n"
    ).encode() + body


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("begin", [b"", b"GET /livez HTT", b"GET /livez HTTP/1.1\r\nhost: localhost\r\nx-a:"])
async def test_a_request_that_never_comes_is_not_waited_for(begin: bytes) -> None:
    async with http() as port, raw_connection(port) as slow:
        slow.send(begin)
        assert await slow.rest() == b""


@pytest.mark.usefixtures("impatient")
async def test_headers_sent_word_by_word_gain_no_time() -> None:
    async with http() as port, raw_connection(port) as slow:
        slow.send(b"GET /livez HTTP/1.1\r\n")
        ended = asyncio.ensure_future(slow.rest())
        while not ended.done():
            slow.send(b"x: y\r\n")
            await asyncio.wait([ended], timeout=SOON / 4)
        assert b"200" not in ended.result()


async def test_headers_have_a_limit() -> None:
    async with http() as port, raw_connection(port) as wordy:
        wordy.send(b"GET /livez HTTP/1.1\r\nhost: localhost\r\nx-words: " + b"a" * 20_000)
        assert (await wordy.rest()).startswith(b"HTTP/1.1 400")


@pytest.mark.usefixtures("impatient")
async def test_a_body_that_never_ends_is_not_waited_for() -> None:
    async with http() as port, raw_connection(port) as slow:
        slow.send(post(1000, b"{"))
        assert not (await slow.rest()).startswith(b"HTTP/1.1 200")


@pytest.mark.usefixtures("impatient")
async def test_an_answer_that_nobody_reads_is_given_up() -> None:
    handlers = Handlers()
    handlers.bytes = 24 * 1024 * 1024
    async with http(handlers) as port, raw_connection(port) as deaf:
        deaf.send(post(2))
        await deaf.reader.readexactly(12)
        # The reader's own buffer is full now, and nothing is taken from the socket.
        await asyncio.sleep(SOON * 5)
        assert len(await deaf.rest()) < handlers.bytes


async def test_of_too_many_connections_the_one_that_waited_longest_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(patience, "MOST_CONNECTIONS", 2)
    async with http() as port, raw_connection(port) as first, raw_connection(port) as second:
        for one in (first, second):
            one.send(b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n")
            await one.reader.readuntil(b"alive\n")
        async with raw_connection(port) as third:
            third.send(b"GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
            assert b"alive" in await third.rest()
        assert await first.rest() == b""
        second.send(b"GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        assert b"alive" in await second.rest()
