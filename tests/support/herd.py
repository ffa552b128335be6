"""Many watchers of one service, each the Python client's own, and calls of others that go on meanwhile."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from grpc import aio

from release_passport import AsyncClient, Target
from release_passport.async_watching import AsyncStream, AsyncWatcher
from release_passport.channel import service_config
from release_passport.policy_file import load_policy_file
from release_passport.v1 import (
    catalog_pb2,
    catalog_service_pb2,
    decision_service_pb2,
    policy_service_pb2,
    watch_pb2,
)
from support.story import LIBRARY, identity, rendered

WATCHED, OTHER = "checkout", "billing"
WITHOUT_GOODBYE = "without goodbye"
# So many watchers share a connection.
STREAMS_A_CLIENT = 100
_REQUEST = decision_service_pb2.WatchDecisionRequest(
    initial_state=watch_pb2.INITIAL_STATE_NONE,
    delivery=watch_pb2.DELIVERY_EVERY,
    subscriptions=[watch_pb2.Subscription(service=WATCHED)],
)


async def set_up(client: AsyncClient) -> None:
    """Register two services, one to be watched, and enforce one policy."""
    for name in (WATCHED, OTHER):
        service = catalog_pb2.Service(service_id=name)
        await client.create_service(catalog_service_pb2.CreateServiceRequest(service=service))
    prod = catalog_pb2.Environment(environment_id="prod")
    await client.create_environment(catalog_service_pb2.CreateEnvironmentRequest(environment=prod))
    policy = load_policy_file(LIBRARY / "manifest-render.yaml")
    policy.spec.rules[0].needs[0].sources[:] = ["user:*"]
    await client.create_policy(policy_service_pb2.CreatePolicyRequest(policy=policy))


async def decided(client: AsyncClient, service: str, version: str) -> str:
    """Decide a new release; return the decision's name. It fails where the client gives up."""
    named = identity(version)
    named.service = service
    request = decision_service_pb2.EvaluateRequest(identity=named, evidence=[rendered(version, 0)])
    return (await client.evaluate(request, timeout=60)).decision.name


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True, eq=False)
class Member:
    """One watcher: what it was told, and how its streams fared."""

    client: AsyncClient
    chance: Callable[[], float]
    heard: list[str] = field(default_factory=list)
    streams: int = 0
    # When the newest stream first said something; 0 until it does.
    live_time: float = 0.0
    goodbyes: int = 0
    # Of the newest stream: whether it said goodbye.
    parted: bool = False
    ends: Counter[str] = field(default_factory=Counter)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def watch(self) -> None:
        """Hear of every decision of the service, over as many streams as it takes."""
        async for update in AsyncWatcher(self, _REQUEST, _now, chance=self.chance):
            if update.decision is not None:
                self.heard.append(update.decision.name)
                self.news.set()

    async def watch_decision(
        self,
        request: decision_service_pb2.WatchDecisionRequest,
        *,
        timeout: float | None = None,  # noqa: ASYNC109  The RPC carries it.
    ) -> AsyncStream:
        """Open one stream, which is listened to on its way to the watcher."""
        self.streams, self.live_time, self.parted = self.streams + 1, 0.0, False
        return _Listened(self, await self.client.watch_decision(request, timeout=timeout))

    async def until(self, holds: Callable[[Member], bool]) -> None:
        """Return once something holds of what was heard."""
        while not holds(self):
            self.news.clear()
            await self.news.wait()


@dataclass(slots=True)
class _Listened:
    """One stream of a member."""

    member: Member
    stream: Any

    async def __aiter__(self) -> AsyncIterator[decision_service_pb2.WatchDecisionResponse]:
        member, end = self.member, "OK"
        try:
            async for message in self.stream:
                if message.WhichOneof("event") == "goodbye":
                    member.goodbyes, member.parted = member.goodbyes + 1, True
                if not member.live_time:
                    member.live_time = time.monotonic()
                    member.news.set()
                yield message
        except Exception as error:
            end = getattr(error, "reason", "") or getattr(error, "code", type(error).__name__)
            raise
        finally:
            if member.live_time and not member.parted:
                end = f"{end} {WITHOUT_GOODBYE}"
            member.ends[end] += 1
            member.news.set()

    def close(self) -> None:
        """End the call."""
        self.stream.close()


@dataclass(slots=True)
class Herd:
    """All the watchers; whatever ends one of them for good is raised by `until`."""

    members: list[Member]
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def until(self, holds: Callable[[Member], bool], seconds: float = 60) -> None:
        """Return once something holds of every member."""
        async with asyncio.timeout(seconds):
            for member, task in zip(self.members, self._tasks, strict=True):
                waiting = asyncio.create_task(member.until(holds))
                await asyncio.wait({waiting, task}, return_when=asyncio.FIRST_COMPLETED)
                if not waiting.done():
                    waiting.cancel()
                    raise AssertionError("a watcher ended") from task.exception()

    async def heard(self, names: list[str], seconds: float = 60) -> None:
        """Return once every member has heard of all of these, and of nothing twice."""
        wanted = set(names)
        await self.until(lambda member: wanted.issubset(member.heard), seconds)
        assert all(len(set(member.heard)) == len(member.heard) for member in self.members)

    @property
    def ends(self) -> Counter[str]:
        """Return how streams ended, and how many of them."""
        return sum((member.ends for member in self.members), Counter[str]())


@asynccontextmanager
async def herd(
    address: str, token: str, count: int, *, seconds: float = 60, chance: Callable[[], float] = random.random
) -> AsyncIterator[Herd]:
    """Give so many watchers, each of which is live within so long; `chance` spreads how they come back."""
    target = Target(address, token=token, plaintext=True)
    # Channels with the same options share a connection, and that takes so many streams and no more.
    options = [
        ("grpc.service_config", service_config()),
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.max_reconnect_backoff_ms", 2000),
    ]
    channels = [aio.insecure_channel(address, options) for _ in range(-(-count // STREAMS_A_CLIENT))]
    clients = [AsyncClient(target, channel=channel) for channel in channels]
    made = Herd([Member(clients[number // STREAMS_A_CLIENT], chance) for number in range(count)])
    made._tasks = [asyncio.create_task(member.watch()) for member in made.members]
    try:
        await made.until(live, seconds)
        yield made
    finally:
        for task in made._tasks:
            task.cancel()
        await asyncio.gather(*made._tasks, return_exceptions=True)
        for client in clients:
            await client.close()


def live(member: Member) -> bool:
    """Say whether a member's newest stream has said something, and nothing has ended it since."""
    return member.live_time > 0 and member.streams > member.ends.total()
