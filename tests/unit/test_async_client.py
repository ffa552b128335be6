"""The client for programs that await says what the blocking one says, and its watcher keeps the same rules."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio

from release_passport import AsyncClient, Client, PassportAPIError, Target
from release_passport.async_watching import AsyncWatcher
from release_passport.connection import Connection
from release_passport.v1 import access_service_pb2, decision_service_pb2
from release_passport.watching import News, TokenFile, Update
from support.cli_fixtures import fake
from support.decisions import RELEASE, evaluated
from support.fake_server import FakeServer, Refusal
from support.watch_script import ALLOW, GONE, HOLD, NOW, goodbye, releases, told

__all__ = ["fake"]

pytestmark = pytest.mark.asyncio
ASK = decision_service_pb2.EvaluateRequest(release=RELEASE)
UNAVAILABLE = Refusal(grpc.StatusCode.UNAVAILABLE, "draining")


@pytest_asyncio.fixture
async def client(fake: FakeServer) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(Target(fake.address, token="t0ken", plaintext=True)) as opened:
        yield opened


async def test_it_has_each_rpc_of_the_blocking_client() -> None:
    rpcs = set(dir(Client)) - set(dir(Connection))
    assert len(rpcs) > 90
    assert rpcs <= set(dir(AsyncClient))


async def test_the_retries_of_one_call_are_one_change(client: AsyncClient, fake: FakeServer) -> None:
    fake.reply("Evaluate", UNAVAILABLE, evaluated())
    answer = await client.evaluate(ASK)
    first, second = fake.asked("Evaluate")
    assert answer.decision.release == RELEASE
    assert first.request_id == second.request_id != ""
    assert fake.tokens == ["Bearer t0ken"] * 2


async def test_a_call_that_returns_a_secret_is_not_repeated(client: AsyncClient, fake: FakeServer) -> None:
    fake.reply("CreateAPIToken", UNAVAILABLE)
    with pytest.raises(PassportAPIError):
        await client.create_api_token(access_service_pb2.CreateAPITokenRequest())
    assert len(fake.asked("CreateAPIToken")) == 1


async def test_an_error_carries_everything_that_the_server_said(
    client: AsyncClient, fake: FakeServer
) -> None:
    refusal = Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, "too many", reason="OVERLOADED", retry_after=2.5)
    fake.reply("Evaluate", refusal)
    with pytest.raises(PassportAPIError) as raised:
        await client.evaluate(ASK)
    error = raised.value
    assert (error.code, error.reason, error.retry_after) == ("RESOURCE_EXHAUSTED", "OVERLOADED", 2.5)


async def test_a_task_that_is_cancelled_as_the_answer_comes_ends(
    client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = asyncio.Event()

    async def answered_all_the_same(*_: Any, **__: Any) -> Any:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return evaluated()

    monkeypatch.setattr(client.channel, "unary_unary", lambda *_, **__: answered_all_the_same)
    asking = asyncio.create_task(client.evaluate(ASK))
    await begun.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking


async def test_a_source_of_tokens_may_take_its_time(fake: FakeServer) -> None:
    fake.reply("Evaluate", evaluated())
    target = Target(fake.address, fresh_token=lambda: "fresh", plaintext=True)
    async with AsyncClient(target) as client:
        await client.evaluate(ASK)
    assert fake.tokens == ["Bearer fresh"]


class Script:
    def __init__(self, said: list[Any]) -> None:
        self.said = said
        self.closed = asyncio.Event()

    async def __aiter__(self) -> AsyncIterator[Any]:
        for one in self.said:
            if isinstance(one, Exception):
                raise one
            if one == "silence":
                await self.closed.wait()
                return
            yield one

    def close(self) -> None:
        self.closed.set()


@dataclass
class Scripted:
    """A client whose streams say what was prepared; what comes after the last of them ends the watcher."""

    streams: list[list[Any]]
    tokens: list[str] = field(default_factory=list)

    async def watch_decision(self, request: Any, *, timeout: float | None = None) -> Script:  # noqa: ASYNC109
        self.tokens.append(request.resume_token)
        if not self.streams:
            raise PassportAPIError("UNAUTHENTICATED", "the end")
        return Script(self.streams.pop(0))


def watching(*streams: list[Any], **fields: Any) -> tuple[AsyncWatcher, Scripted]:
    client = Scripted(list(streams))
    request = decision_service_pb2.WatchDecisionRequest()
    return AsyncWatcher(client, request, lambda: NOW, chance=lambda: 0.0, **fields), client


async def heard(watcher: AsyncWatcher) -> list[Update]:
    updates: list[Update] = []

    async def read() -> None:
        async for update in watcher:
            updates.append(update)  # noqa: PERF401  What came before the end is wanted.

    with pytest.raises(PassportAPIError, match="the end"):
        await read()
    return updates


async def test_a_stream_that_breaks_or_says_goodbye_goes_on_with_the_last_token() -> None:
    watcher, client = watching(
        [told("t1"), GONE], [told("t1"), goodbye("t9")], [told("t10", "b", revision=10)]
    )
    assert releases(await heard(watcher)) == ["a", "b"]
    assert client.tokens == ["", "t1", "t9", "t10"]


async def test_another_history_is_told_and_its_token_forgotten() -> None:
    refused = PassportAPIError("FAILED_PRECONDITION", "refused", reason="HISTORY_DIVERGED")
    watcher, client = watching([told("t1", revision=7)], [refused], [told("t2", "b", revision=2)])
    assert [one.news for one in await heard(watcher)] == [News.CHANGED, News.DIVERGED, News.CHANGED]
    assert client.tokens == ["", "t1", "", "t2"]
    assert watcher.effective_verdict("a") == HOLD


async def test_a_stream_that_says_nothing_is_told_of_and_left() -> None:
    message = told("t1")
    message.heartbeat_interval.FromTimedelta(timedelta(milliseconds=1))
    watcher, client = watching([], [message, "silence"])
    assert [one.news for one in await heard(watcher)] == [News.CHANGED, News.STALE]
    assert client.tokens == ["", "", "t1"]


async def test_the_token_is_kept_once_the_update_was_handled(tmp_path: Path) -> None:
    tokens = TokenFile(tmp_path / "token")
    watcher, _ = watching([told("t1"), told("t2", "b", revision=2), "silence"], tokens=tokens)
    kept = []
    async for _ in watcher:
        kept.append(tokens.load())
        if len(kept) == 2:
            watcher.close()
    assert kept == ["", "t1"]


async def test_what_is_unknown_holds() -> None:
    watcher, _ = watching([told("t1"), told("t2", "b", 77, revision=2), "silence"])
    async for update in watcher:
        if update.revision == 2:
            break
    assert [watcher.effective_verdict(one) for one in ("a", "b", "c")] == [ALLOW, HOLD, HOLD]


async def test_close_ends_the_wait_between_two_streams(client: AsyncClient, fake: FakeServer) -> None:
    fake.reply("WatchDecision", UNAVAILABLE)
    watcher = AsyncWatcher(
        client, decision_service_pb2.WatchDecisionRequest(), lambda: NOW, chance=lambda: 1.0
    )

    async def read() -> list[Update]:
        return [update async for update in watcher]

    reading = asyncio.create_task(read())
    while not fake.asked("WatchDecision"):  # noqa: ASYNC110  The server is in another thread.
        await asyncio.sleep(0.01)
    watcher.close()
    assert await reading == []
