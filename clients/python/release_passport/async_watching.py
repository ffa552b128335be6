"""Watches decisions as `watching` does, for programs that await."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from release_passport.errors import PassportAPIError
from release_passport.v1 import decision_service_pb2, verdict_pb2
from release_passport.watch_rules import NoTokens, TokenStore, Update, WatchRules


class AsyncStream(Protocol):
    """The answers of one call."""

    def __aiter__(self) -> AsyncIterator[decision_service_pb2.WatchDecisionResponse]: ...

    def close(self) -> None:
        """End the call, and its iteration."""
        ...


class AsyncStreams(Protocol):
    """A client, as far as decisions are watched."""

    async def watch_decision(
        self,
        request: decision_service_pb2.WatchDecisionRequest,
        *,
        timeout: float | None = None,  # noqa: ASYNC109  The RPC carries it.
    ) -> AsyncStream:
        """Open one stream."""
        ...


@dataclass(slots=True)
class AsyncWatcher:
    """Yields what happens to decisions, without end, and says what may be acted on now; see `watching.Watcher`.

    Iterate it in one task; `close` and `effective_verdict` may be called from any task of the same loop.
    """

    client: AsyncStreams
    request: decision_service_pb2.WatchDecisionRequest
    # The time in UTC, which the validity of decisions is held against.
    now: Callable[[], datetime]
    tokens: TokenStore = field(default_factory=NoTokens)
    monotonic: Callable[[], float] = time.monotonic
    chance: Callable[[], float] = random.random
    _rules: WatchRules = field(init=False)
    _closed: asyncio.Event = field(default_factory=asyncio.Event)
    _stream: AsyncStream | None = None

    def __post_init__(self) -> None:
        self._rules = WatchRules(self.now, self.tokens, self.monotonic, self.chance)

    async def __aiter__(self) -> AsyncIterator[Update]:
        """Yield updates; the token of one is kept once the next is asked for, because then it was handled."""
        self._rules.load()
        while not self._closed.is_set():
            try:
                async with aclosing(self._messages()) as messages:
                    async for message in messages:
                        if update := self._rules.heard(message):
                            yield update
                        self._rules.handled(message)
            except PassportAPIError as error:
                if self._closed.is_set():
                    return
                if update := self._rules.failed(error):
                    yield update
            if update := self._rules.silence():
                yield update
            with suppress(TimeoutError):
                async with asyncio.timeout(self._rules.pause()):
                    await self._closed.wait()

    @property
    def is_stale(self) -> bool:
        """Say whether nothing was heard for three heartbeats."""
        return self._rules.is_stale

    def effective_verdict(self, release: str) -> verdict_pb2.Verdict:
        """Return what may be acted on: HOLD for whatever is not known for certain now."""
        return self._rules.effective_verdict(release)

    def close(self) -> None:
        """End the iteration."""
        self._closed.set()
        if self._stream is not None:
            self._stream.close()

    async def _messages(self) -> AsyncGenerator[decision_service_pb2.WatchDecisionResponse]:
        """Yield what one stream says, until it ends or says nothing for three heartbeats."""
        self._stream = stream = await self.client.watch_decision(self._rules.resumed(self.request))
        heard = aiter(stream)
        try:
            while not self._closed.is_set():
                try:
                    async with asyncio.timeout(self._rules.patience):
                        said = await anext(heard)
                except (TimeoutError, StopAsyncIteration):
                    return
                yield said
        finally:
            stream.close()
