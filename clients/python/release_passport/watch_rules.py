"""The rules for watching of clients/README.md, without input or output: for what blocks and for what awaits."""

from __future__ import annotations

from collections.abc import Callable
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
class WatchRules:
    """What one watcher knows, and what follows from what it hears."""

    now: Callable[[], datetime]
    tokens: TokenStore
    monotonic: Callable[[], float]
    chance: Callable[[], float]
    token: str = ""
    _current: dict[str, decision_pb2.Decision] = field(default_factory=dict)
    _seen: tuple[int, int] = (0, -1)
    _heard_time: float | None = None
    _interval: float = USUAL_HEARTBEAT
    _told_stale: bool = True
    _began: float = 0.0
    _wait: float = 0.0
    _pause: float = FIRST_PAUSE

    def load(self) -> None:
        """Take up where the watcher before left off."""
        self.token, self._pause = self.tokens.load(), FIRST_PAUSE

    def resumed(
        self, request: decision_service_pb2.WatchDecisionRequest
    ) -> decision_service_pb2.WatchDecisionRequest:
        """Return the request of the stream that begins now."""
        self._began, self._wait = self.monotonic(), 0.0
        resumed = decision_service_pb2.WatchDecisionRequest()
        resumed.CopyFrom(request)
        resumed.resume_token = self.token
        return resumed

    @property
    def patience(self) -> float:
        """Return for how many seconds a stream may say nothing."""
        return MISSED_HEARTBEATS * self._interval

    def heard(self, message: decision_service_pb2.WatchDecisionResponse) -> Update | None:
        """Return what a message tells; once that was handled, `handled` takes the message too."""
        self._heard_time, self._told_stale = self.monotonic(), False
        if message.HasField("heartbeat_interval"):
            self._interval = message.heartbeat_interval.ToTimedelta().total_seconds()
        kind = message.WhichOneof("event")
        if kind == "snapshot_end":
            return Update(News.SYNCED, message.revision)
        return self._decided(message) if kind == "decision" else None

    def handled(self, message: decision_service_pb2.WatchDecisionResponse) -> None:
        """Keep the token of a message that was handled."""
        if message.WhichOneof("event") == "goodbye":
            self._wait = message.goodbye.reconnect_after.ToTimedelta().total_seconds()
        self._keep(message.resume_token)

    def failed(self, error: PassportAPIError) -> Update | None:
        """Return what the failure of a stream tells; raise it where asking again does not mend it."""
        if error.reason not in _FORGOTTEN and error.code not in _RESUMED:
            self._heard_time = None
            raise error
        self._wait = error.retry_after or 0.0
        if error.reason in _FORGOTTEN:
            self._seen = (0, -1)
            self._keep("")
        if error.reason != "HISTORY_DIVERGED":
            return None
        # What stood may not be in the record any more.
        self._current.clear()
        return Update(News.DIVERGED)

    def silence(self) -> Update | None:
        """Return that nothing was heard for three heartbeats, once each time that this is so."""
        if not self.is_stale or self._told_stale:
            return None
        self._told_stale = True
        return Update(News.STALE)

    def pause(self) -> float:
        """Return how long to wait before the next stream."""
        if self.monotonic() - self._began >= HEALTHY_SECONDS:
            self._pause = FIRST_PAUSE
        pause = max(self._wait, self.chance() * self._pause)
        self._pause = min(self._pause * 2, LONGEST_PAUSE)
        return pause

    @property
    def is_stale(self) -> bool:
        """Say whether nothing was heard for three heartbeats."""
        silent = None if self._heard_time is None else self.monotonic() - self._heard_time
        return silent is None or silent >= self.patience

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

    def _keep(self, token: str) -> None:
        if token != self.token:
            self.token = token
            self.tokens.save(token)

    def _decided(self, message: decision_service_pb2.WatchDecisionResponse) -> Update | None:
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
