"""Watches decisions for as long as it is wanted, over restarts of servers; the rules stand in clients/README.md."""

from __future__ import annotations

import queue
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Protocol

from release_passport.errors import PassportAPIError
from release_passport.v1 import decision_pb2, decision_service_pb2, verdict_pb2, watch_pb2

MISSED_HEARTBEATS = 3
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
# A stream that has lived so long was healthy: the pauses begin anew.
HEALTHY_SECONDS = 30.0
USUAL_HEARTBEAT = 15.0

# The stream goes on behind its last message. CANCELLED is how a server sheds a burst of new streams.
_RESUMED = frozenset(
    {"UNAVAILABLE", "CANCELLED", "DEADLINE_EXCEEDED", "ABORTED", "RESOURCE_EXHAUSTED", "INTERNAL", "UNKNOWN"}
)
# The token is of no use any more; what stands is asked for anew.
_FORGOTTEN = frozenset({"REVISION_COMPACTED", "HISTORY_DIVERGED", "RESUME_TOKEN_MISMATCH"})


class News(Enum):
    """What a watcher has heard."""

    # The newest decision as the stream began, and that this was all.
    STOOD = "stood"
    SYNCED = "synced"
    CHANGED = "changed"
    RENEWED = "renewed"
    EXPIRED = "expired"
    # Nothing was heard for three heartbeats: what allowed is unknown until something is.
    STALE = "stale"
    # The server's history is another one: what was done on the lost decisions needs a look.
    DIVERGED = "diverged"


@dataclass(frozen=True, slots=True)
class Update:
    """One thing that a watcher has heard; `decision` is set for news of one."""

    news: News
    revision: int = 0
    decision: decision_pb2.Decision | None = None


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


class TokenStore(Protocol):
    """Keeps where a watcher goes on when its process does."""

    def load(self) -> str: ...

    def save(self, token: str) -> None: ...


@dataclass(frozen=True, slots=True)
class TokenFile:
    """Keeps the token in a file, which is never half written."""

    path: Path

    def load(self) -> str:
        """Return the token; empty where there is none."""
        try:
            return self.path.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            return ""

    def save(self, token: str) -> None:
        """Replace the token."""
        new = self.path.with_name(f"{self.path.name}.new")
        new.write_text(token, encoding="ascii")
        new.replace(self.path)


class NoTokens:
    """Keeps nothing: each process begins with what stands."""

    def load(self) -> str:
        """Return no token."""
        return ""

    def save(self, token: str) -> None:
        """Do nothing."""


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
    _current: dict[str, decision_pb2.Decision] = field(default_factory=dict)
    _seen: tuple[int, int] = (0, -1)
    _heard_time: float | None = None
    _interval: float = USUAL_HEARTBEAT
    _told_stale: bool = True
    _closed: threading.Event = field(default_factory=threading.Event)
    _stream: Stream | None = None
    _token: str = ""
    _wait: float = 0.0

    def __iter__(self) -> Iterator[Update]:
        """Yield updates; the token of one is kept once the next is asked for, because then it was handled."""
        self._token, pause = self.tokens.load(), FIRST_PAUSE
        while not self._closed.is_set():
            began, self._wait = self.monotonic(), 0.0
            try:
                yield from self._updates()
            except PassportAPIError as error:
                if self._closed.is_set():
                    return
                yield from self._after(error)
            if self.is_stale and not self._told_stale:
                self._told_stale = True
                yield Update(News.STALE)
            if self.monotonic() - began >= HEALTHY_SECONDS:
                pause = FIRST_PAUSE
            self._closed.wait(max(self._wait, self.chance() * pause))
            pause = min(pause * 2, LONGEST_PAUSE)

    def _updates(self) -> Iterator[Update]:
        """Yield what one stream tells, until it ends or is silent."""
        for message in self._messages(self._token):
            self._heard_time, self._told_stale = self.monotonic(), False
            update = self._heard(message)
            if update is not None:
                yield update
            if message.WhichOneof("event") == "goodbye":
                self._wait = message.goodbye.reconnect_after.ToTimedelta().total_seconds()
            self._keep(message.resume_token)

    def _after(self, error: PassportAPIError) -> Iterator[Update]:
        """Yield what follows from the end of a stream; raise the error where asking again does not mend it."""
        if error.reason in _FORGOTTEN:
            self._seen = (0, -1)
            self._keep("")
            if error.reason == "HISTORY_DIVERGED":
                yield Update(News.DIVERGED)
        elif error.code not in _RESUMED:
            self._heard_time = None
            raise error
        self._wait = error.retry_after or 0.0

    def _keep(self, token: str) -> None:
        if token != self._token:
            self._token = token
            self.tokens.save(token)

    @property
    def is_stale(self) -> bool:
        """Say whether nothing was heard for three heartbeats."""
        silent = None if self._heard_time is None else self.monotonic() - self._heard_time
        return silent is None or silent >= MISSED_HEARTBEATS * self._interval

    def effective_verdict(self, release: str) -> verdict_pb2.Verdict:
        """Return what may be acted on: HOLD for whatever is not known for certain now."""
        decision = self._current.get(release)
        if decision is None or decision.effective_verdict not in _KNOWN:
            return verdict_pb2.VERDICT_HOLD
        allows = decision.effective_verdict in _ALLOWING
        ended = decision.HasField("valid_until") and decision.valid_until.ToDatetime(UTC) <= self.now()
        if allows and (self.is_stale or ended):
            return verdict_pb2.VERDICT_HOLD
        return decision.effective_verdict

    def close(self) -> None:
        """End the iteration."""
        self._closed.set()
        stream = self._stream
        if stream is not None:
            stream.close()

    def _messages(self, token: str) -> Iterator[decision_service_pb2.WatchDecisionResponse]:
        """Yield what one stream says, until it ends or says nothing for three heartbeats."""
        request = decision_service_pb2.WatchDecisionRequest()
        request.CopyFrom(self.request)
        request.resume_token = token
        self._stream = stream = self.client.watch_decision(request)
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
                    said = heard.get(timeout=MISSED_HEARTBEATS * self._interval)
                except queue.Empty:
                    return
                if said is None:
                    return
                if isinstance(said, PassportAPIError):
                    raise said
                if said.HasField("heartbeat_interval"):
                    self._interval = said.heartbeat_interval.ToTimedelta().total_seconds()
                yield said
        finally:
            left.set()
            stream.close()

    def _heard(self, message: decision_service_pb2.WatchDecisionResponse) -> Update | None:
        kind = message.WhichOneof("event")
        if kind == "snapshot_end":
            return Update(News.SYNCED, message.revision)
        if kind != "decision":
            return None
        event = message.decision
        # What this client does not know counts as the end of what stood.
        news = _NEWS.get(event.kind, News.EXPIRED)
        if news is not News.STOOD:
            place = (message.revision, event.index)
            if place <= self._seen:
                return None
            self._seen = place
        if news is News.EXPIRED:
            self._current.pop(event.decision.release, None)
        else:
            self._current[event.decision.release] = event.decision
        return Update(news, message.revision, event.decision)


_NEWS = {
    watch_pb2.DECISION_EVENT_KIND_SNAPSHOT: News.STOOD,
    watch_pb2.DECISION_EVENT_KIND_CHANGED: News.CHANGED,
    watch_pb2.DECISION_EVENT_KIND_RENEWED: News.RENEWED,
    watch_pb2.DECISION_EVENT_KIND_EXPIRED: News.EXPIRED,
}
_ALLOWING = frozenset({verdict_pb2.VERDICT_ALLOW, verdict_pb2.VERDICT_ALLOW_WITH_CANARY})
_KNOWN = frozenset(verdict_pb2.Verdict.values()) - {verdict_pb2.VERDICT_UNSPECIFIED}


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
