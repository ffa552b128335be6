"""Streams of decisions as a test reads them, and one checker for each guarantee over what they said."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import grpc
from grpc import aio

from release_passport.v1 import decision_service_pb2 as pb
from release_passport.v1 import watch_pb2
from support.calls import Caller
from support.server import bearer

PATH = "/release_passport.v1.DecisionService/WatchDecision"
EVERY, LATEST = watch_pb2.DELIVERY_EVERY, watch_pb2.DELIVERY_LATEST
NONE, SNAPSHOT = watch_pb2.INITIAL_STATE_NONE, watch_pb2.INITIAL_STATE_SNAPSHOT
PATIENCE = 20.0


@dataclass
class Stream:
    """One open stream, and all that it has said."""

    call: Any
    messages: list[pb.WatchDecisionResponse] = field(default_factory=list)

    async def next(self) -> pb.WatchDecisionResponse:
        """Return the next message; raise what ends the stream, EOFError at its end."""
        async with asyncio.timeout(PATIENCE):
            read: Any = await self.call.read()
        if read is aio.EOF:
            raise EOFError
        message: pb.WatchDecisionResponse = read
        self.messages.append(message)
        return message

    async def until(self, kind: str) -> pb.WatchDecisionResponse:
        """Return the next message of a kind, such as `decision`."""
        while (message := await self.next()).WhichOneof("event") != kind:
            pass
        return message

    async def decisions(self, count: int) -> list[pb.WatchDecisionResponse]:
        """Return the next so many messages with a decision."""
        return [await self.until("decision") for _ in range(count)]

    @property
    def token(self) -> str:
        """Return the newest resume token."""
        return self.messages[-1].resume_token

    def leave(self) -> None:
        """Hang up."""
        self.call.cancel()


def watch(caller: Caller, channel: aio.Channel | None = None, **fields: Any) -> Stream:
    """Open a stream; nothing is read from it yet."""
    call: Any = (channel or caller.server.channel).unary_stream(
        PATH,
        request_serializer=pb.WatchDecisionRequest.SerializeToString,
        response_deserializer=pb.WatchDecisionResponse.FromString,
    )
    return Stream(call(pb.WatchDecisionRequest(**fields), metadata=bearer(caller.token or "")))


async def live(caller: Caller, **fields: Any) -> Stream:
    """Open a stream of what comes, and return once it is open."""
    stream = watch(caller, **({"initial_state": NONE, "delivery": EVERY} | fields))
    await stream.until("heartbeat")
    return stream


def place(message: pb.WatchDecisionResponse) -> tuple[int, int]:
    """Return revision and index of a message with a decision: the same event has the same on every stream."""
    return message.revision, message.decision.index


def changes(messages: Iterable[pb.WatchDecisionResponse]) -> list[pb.WatchDecisionResponse]:
    """Return the messages that tell of something that happened."""
    kinds = {watch_pb2.DECISION_EVENT_KIND_SNAPSHOT, watch_pb2.DECISION_EVENT_KIND_UNSPECIFIED}
    return [
        one for one in messages if one.WhichOneof("event") == "decision" and one.decision.kind not in kinds
    ]


def require_ordered(messages: Sequence[pb.WatchDecisionResponse]) -> None:
    """Guarantee 1: revisions never decrease on a stream, and events of one revision come by index."""
    revisions = [one.revision for one in messages]
    assert revisions == sorted(revisions)
    places = [place(one) for one in changes(messages)]
    assert places == sorted(set(places))


def require_reliable(
    messages: Sequence[pb.WatchDecisionResponse], truth: Sequence[tuple[int, int]], *, every: bool
) -> None:
    """Guarantees 2 and 3: over all streams of a reader nothing is missing and nothing is made up.

    Of LATEST only what a newer event of the same release replaced may be missing.
    """
    told = {place(one) for one in changes(messages)}
    assert told <= set(truth)
    if every:
        assert told == set(truth)
    else:
        newest = {one.decision.decision.release: place(one) for one in changes(messages)}
        assert max(truth, default=None) in newest.values() or not truth


def require_bookmarkable(
    messages: Sequence[pb.WatchDecisionResponse], truth: Sequence[tuple[int, int]]
) -> None:
    """Guarantee 4: what a heartbeat says was sent up to its revision had been sent before it."""
    first = messages[0].revision
    told: set[tuple[int, int]] = set()
    for message in messages:
        if message.WhichOneof("event") == "heartbeat":
            assert {one for one in truth if first < one[0] <= message.revision} <= told
        elif message.WhichOneof("event") == "decision":
            told.add(place(message))


async def ended(stream: Stream) -> grpc.StatusCode:
    """Return the code that a stream ends with."""
    try:
        while True:
            await stream.next()
    except EOFError:
        return grpc.StatusCode.OK
    except aio.AioRpcError as error:
        return error.code()
