"""Followers of the audit log get every entry once and in order, and cost the server a bounded amount."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio
from google.protobuf.message import Message
from grpc import aio

from release_passport.client import Client
from release_passport.errors import PassportAPIError
from release_passport.following import follow_audit
from release_passport.target import Target
from release_passport.v1 import access_service_pb2 as accesses
from release_passport.v1 import audit_pb2, catalog_pb2, catalog_service_pb2
from release_passport.v1 import audit_service_pb2 as audits
from release_passport_server.domain.access import Principal
from release_passport_server.transport.grpc.dispatcher import Call, Dispatcher
from release_passport_server.transport.grpc.limits import Limits
from release_passport_server.transport.grpc.methods import CallClass, all_methods
from release_passport_server.transport.metrics import Metrics
from support.calls import METHODS, Caller, refusal, somebody
from support.cli_process import Shell
from support.server import GOOD, OneToken, RealServer, bearer, real_server

pytestmark = pytest.mark.asyncio(loop_scope="module")
PATH = "/release_passport.v1.AuditService/StreamAuditEntries"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RealServer]:
    sections: dict[str, Any] = {"worker": {"enabled": False}, "limits": {"stream": 8}}
    async with real_server(tmp_path_factory.mktemp("followed"), **sections) as running:
        yield running


@pytest.fixture
def admin(server: RealServer) -> Caller:
    return Caller(server, server.token)


def opened(caller: Caller, first: int = 0, timeout: float | None = None) -> Any:
    call: Any = caller.server.channel.unary_stream(
        PATH,
        request_serializer=audits.StreamAuditEntriesRequest.SerializeToString,
        response_deserializer=audits.StreamAuditEntriesResponse.FromString,
    )
    request = audits.StreamAuditEntriesRequest(from_leaf=first)
    return call(request, metadata=bearer(caller.token or ""), timeout=timeout)


async def made(caller: Caller, *names: str) -> None:
    for name in names:
        service = catalog_pb2.Service(service_id=name)
        await caller("CreateService", catalog_service_pb2.CreateServiceRequest(service=service))


async def taken(stream: Any, count: int) -> list[audit_pb2.AuditEntry]:
    found: list[audit_pb2.AuditEntry] = []
    while len(found) < count:
        answer = await stream.read()
        assert answer is not aio.EOF
        found += answer.entries
        if found:
            assert answer.next_leaf == found[-1].leaf_index + 1
    return found


async def written(caller: Caller) -> int:
    return await caller.server.store.read("default", lambda reader: reader.leaf_count())


async def test_what_is_there_comes_first_and_what_is_added_follows(admin: Caller) -> None:
    await made(admin, *(f"early-{number}" for number in range(120)))
    count = await written(admin)
    stream = opened(admin)
    found = await taken(stream, count)
    await made(admin, "late-1", "late-2")
    found += await taken(stream, 2)
    assert [one.leaf_index for one in found] == list(range(count + 2))
    assert [one.subject for one in found[-2:]] == ["services/late-1", "services/late-2"]
    stream.cancel()
    stream = opened(admin, count)
    assert [one.leaf_index for one in await taken(stream, 2)] == [count, count + 1]
    stream.cancel()


async def test_an_entry_that_is_not_written_yet_is_waited_for(admin: Caller) -> None:
    count = await written(admin)
    stream = opened(admin, count + 1)
    reading = asyncio.create_task(taken(stream, 1))
    await made(admin, "before-it", "it")
    assert [one.subject for one in await reading] == ["services/it"]
    stream.cancel()


async def test_a_stream_ends_with_its_deadline_and_goes_with_its_caller(admin: Caller) -> None:
    with pytest.raises(aio.AioRpcError) as caught:
        await taken(opened(admin, await written(admin), timeout=0.5), 1)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    left = opened(admin)
    assert (await taken(left, 1))[0].leaf_index == 0
    left.cancel()


async def test_whoever_loses_the_right_gets_nothing_more(admin: Caller) -> None:
    auditor = await somebody(admin, "user:auditor", "admin")
    stream = opened(auditor, await written(admin))
    await made(admin, "seen")
    assert (await taken(stream, 1))[0].subject == "services/seen"
    assert auditor.token is not None
    listed = await admin("ListAPITokens", accesses.ListAPITokensRequest())
    [name] = [one.name for one in listed.api_tokens if one.principal == "user:auditor"]
    await admin("RevokeAPIToken", accesses.RevokeAPITokenRequest(name=name))
    await made(admin, "unseen")
    with pytest.raises(aio.AioRpcError) as caught:
        await taken(stream, 1)
    assert refusal(caught.value).reason == "CREDENTIAL_INVALID"


async def test_streams_need_the_right_and_are_counted_by_credential(admin: Caller) -> None:
    viewer = await somebody(admin, "user:viewer", "viewer")
    with pytest.raises(aio.AioRpcError) as caught:
        await taken(opened(viewer), 1)
    assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED
    many = await somebody(admin, "user:many", "admin")
    held = [opened(many) for _ in range(6)]
    for stream in held:
        await taken(stream, 1)
    # Six of eight places are as much as one credential may hold.
    with pytest.raises(aio.AioRpcError) as refused:
        await taken(opened(many), 1)
    assert refusal(refused.value).reason == "OVERLOADED"
    for stream in held:
        stream.cancel()


async def test_the_command_line_follows_with_a_line_for_each(
    server: RealServer, admin: Caller, tmp_path: Path
) -> None:
    shell = Shell(tmp_path, f"127.0.0.1:{server.process.grpc_port}", server.token)
    words = ("audit", "tail", "--from-leaf", "0", "--limit", "3", "-o", "json")
    done = await asyncio.to_thread(shell, *words)
    assert [json.loads(line).get("leafIndex", "0") for line in done.stdout.splitlines()] == ["0", "1", "2"]
    shown = (await asyncio.to_thread(shell, *words[:-2])).stdout.splitlines()
    assert len(shown) == 3
    assert "user:admin" not in shown[0]


class Broken:
    """A server whose streams end after one entry."""

    def __init__(self, *codes: str) -> None:
        self.codes = list(codes)
        self.asked: list[int] = []

    def stream_audit_entries(
        self, request: audits.StreamAuditEntriesRequest, *, timeout: float | None = None
    ) -> Iterator[audits.StreamAuditEntriesResponse]:
        leaf = request.from_leaf
        self.asked.append(leaf)
        entry = audit_pb2.AuditEntry(leaf_index=leaf)
        yield audits.StreamAuditEntriesResponse(entries=[entry], next_leaf=leaf + 1)
        raise PassportAPIError(self.codes.pop(0), "the stream ended", retry_after=3.0)


async def test_a_follower_goes_on_behind_the_last_entry_and_stops_where_asking_again_is_vain() -> None:
    broken = Broken("UNAVAILABLE", "DEADLINE_EXCEEDED", "PERMISSION_DENIED")
    pauses: list[float] = []
    entries = follow_audit(broken, 7, sleep=pauses.append)
    assert [next(entries).leaf_index for _ in range(3)] == [7, 8, 9]
    with pytest.raises(PassportAPIError, match="the stream ended"):
        next(entries)
    assert (broken.asked, pauses) == ([7, 8, 9], [3.0, 3.0])


async def test_a_server_that_ends_says_so_to_its_followers(tmp_path: Path) -> None:
    async with real_server(tmp_path, worker={"enabled": False}) as ending:
        own = aio.insecure_channel(f"127.0.0.1:{ending.process.grpc_port}")
        stream = opened(Caller(replace(ending, channel=own), ending.token))
        await taken(stream, 1)
        reading = asyncio.create_task(taken(stream, 10**6))
    with pytest.raises(aio.AioRpcError) as caught:
        await reading
    assert refusal(caught.value).reason == "DRAINING"
    await own.close()


class Counting:
    """Answers for ever, and counts what was asked of it."""

    def __init__(self) -> None:
        self.made, self.closed = 0, False

    async def StreamAuditEntries(
        self, _: Principal, __: Message
    ) -> AsyncIterator[audits.StreamAuditEntriesResponse]:
        try:
            while True:
                self.made += 1
                yield audits.StreamAuditEntriesResponse(next_leaf=self.made)
        finally:
            self.closed = True


async def test_no_more_is_made_than_is_taken() -> None:
    handler, method = Counting(), METHODS["StreamAuditEntries"]
    limits = Limits(dict.fromkeys(CallClass, 4))
    metrics = Metrics("0", all_methods(), limits)
    dispatcher = Dispatcher({method.service: handler}, OneToken(), limits, metrics)
    third = asyncio.Event()
    sent: list[Message] = []

    async def receive() -> Message:
        return audits.StreamAuditEntriesRequest()

    async def send(answer: Message) -> None:
        sent.append(answer)
        if len(sent) == 3:
            third.set()
            await asyncio.Event().wait()

    call = Call(method, "grpc", "r1", (f"Bearer {GOOD}",))
    running = asyncio.create_task(dispatcher.server_stream(call, receive, send))
    await third.wait()
    assert handler.made == 3
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert handler.closed


async def test_a_client_follows_until_it_closes_the_iterator(server: RealServer) -> None:
    def follow() -> int:
        target = Target(f"127.0.0.1:{server.process.grpc_port}", token=server.token, plaintext=True)
        with Client(target) as client:
            entries = follow_audit(client)
            first = next(entries).leaf_index
            entries.close()  # type: ignore[attr-defined]
            return first

    assert await asyncio.to_thread(follow) == 0
