"""Watches decisions for as long as it is wanted, over restarts of servers; the rules stand in clients/README.md."""

from __future__ import annotations

import queue
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from release_passport.errors import PassportAPIError
from release_passport.v1 import decision_service_pb2, verdict_pb2
from release_passport.watch_rules import News, NoTokens, TokenFile, TokenStore, Update, WatchRules

__all__ = ["News", "NoTokens", "TokenFile", "TokenStore", "Update", "Watcher"]


class Stream(Protocol):
    """The answers of one call."""

    def __iter__(self) -> Iterator[decision_service_pb2.WatchDecisionResponse]: ...

    def close(self) -> None:
        """End the call; may be called from any thread."""
        ...


class Streams(Protocol):
    """A client, as far as decisions are watched."""

    def watch_decision(
        self, request: decision_service_pb2.WatchDecisionRequest, *, timeout: float | None = None
    ) -> Stream:
        """Open one stream."""
        ...


@dataclass(slots=True)
class Watcher:
    """Yields what happens to decisions, without end, and says what may be acted on now.

    Iterate it in one thread; `close` and `effective_verdict` may be called from any. Raises PassportAPIError for what
    asking again does not mend: a wrong request, and rights or a credential that are gone.
    """

    client: Streams
    request: decision_service_pb2.WatchDecisionRequest
    # The time in UTC, which the validity of decisions is held against.
    now: Callable[[], datetime]
    tokens: TokenStore = field(default_factory=NoTokens)
    monotonic: Callable[[], float] = time.monotonic
    chance: Callable[[], float] = random.random
    _rules: WatchRules = field(init=False)
    _closed: threading.Event = field(default_factory=threading.Event)
    _stream: Stream | None = None

    def __post_init__(self) -> None:
        self._rules = WatchRules(self.now, self.tokens, self.monotonic, self.chance)

    def __iter__(self) -> Iterator[Update]:
        """Yield updates; the token of one is kept once the next is asked for, because then it was handled."""
        self._rules.load()
        while not self._closed.is_set():
            try:
                yield from self._updates()
            except PassportAPIError as error:
                if self._closed.is_set():
                    return
                if update := self._rules.failed(error):
                    yield update
            if update := self._rules.silence():
                yield update
            self._closed.wait(self._rules.pause())

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
        stream = self._stream
        if stream is not None:
            stream.close()

    def _updates(self) -> Iterator[Update]:
        """Yield what one stream tells, until it ends or is silent."""
        for message in self._messages():
            update = self._rules.heard(message)
            if update is not None:
                yield update
            self._rules.handled(message)

    def _messages(self) -> Iterator[decision_service_pb2.WatchDecisionResponse]:
        """Yield what one stream says, until it ends or says nothing for three heartbeats."""
        self._stream = stream = self.client.watch_decision(self._rules.resumed(self.request))
        heard: queue.Queue[decision_service_pb2.WatchDecisionResponse | PassportAPIError | None] = (
            queue.Queue(64)
        )
        left = threading.Event()
        reader = threading.Thread(
            target=_read, args=(stream, heard, left), daemon=True, name="watched decisions"
        )
        reader.start()
        try:
            while True:
                try:
                    said = heard.get(timeout=self._rules.patience)
                except queue.Empty:
                    return
                if said is None:
                    return
                if isinstance(said, PassportAPIError):
                    raise said
                yield said
        finally:
            left.set()
            stream.close()


def _read(
    stream: Stream,
    heard: queue.Queue[decision_service_pb2.WatchDecisionResponse | PassportAPIError | None],
    left: threading.Event,
) -> None:
    """Pass on what a stream says until nobody listens any more."""

    def put(said: decision_service_pb2.WatchDecisionResponse | PassportAPIError | None) -> None:
        while not left.is_set():
            try:
                heard.put(said, timeout=1.0)
            except queue.Full:
                continue
            return

    try:
        for message in stream:
            put(message)
            if left.is_set():
                return
        put(None)
    except PassportAPIError as error:
        put(error)
