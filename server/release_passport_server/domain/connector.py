"""Connectors: what reads one slice of one system for one service in one environment, and how that goes."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from release_passport_server.domain.evidence import Subject
from release_passport_server.domain.ids import parts, template
from release_passport_server.domain.kind import CUSTOM_PREFIX

# Reading a connector when its interval is over, and following one whose source tells of changes; the key is its id.
COLLECT = "collect"
FOLLOW = "follow"
# The evidence of a connector about itself: how its readings go.
HEALTH_KIND = f"{CUSTOM_PREFIX}release-passport.dev/connector-health"

MAX_CONNECTORS = 2000
USUAL_INTERVAL = timedelta(seconds=30)
MIN_INTERVAL = timedelta(seconds=5)
MAX_INTERVAL = timedelta(hours=1)
# A reading that takes longer has failed.
READ_SECONDS = 15.0
# Whoever asks for a reading gets one that is not older than this.
TOGETHER = timedelta(seconds=5)
# After so many failures in a row the source is left alone for a while: the breaker is open.
BREAKER_AFTER = 5
FIRST_REST = timedelta(seconds=30)
LONGEST_REST = timedelta(minutes=10)
# Polls of one interval are spread by a tenth, so that those made together do not stay together.
JITTER = 0.1
TICK = timedelta(milliseconds=250)

_CONNECTOR = template("tenants/{tenant}/connectors/{ulid}")


class CollectFailure(StrEnum):
    """Why a connector could not read its source; each is told to people, and none holds what the source said."""

    CREDENTIAL_MISSING = "CREDENTIAL_MISSING"
    CREDENTIAL_REFUSED = "CREDENTIAL_REFUSED"
    ACCESS_MISSING = "ACCESS_MISSING"
    ADDRESS_REFUSED = "ADDRESS_REFUSED"
    SETTINGS_REFUSED = "SETTINGS_REFUSED"
    KIND_UNKNOWN = "KIND_UNKNOWN"
    OBJECT_NOT_FOUND = "OBJECT_NOT_FOUND"
    SOURCE_UNREACHABLE = "SOURCE_UNREACHABLE"
    SOURCE_TIMED_OUT = "SOURCE_TIMED_OUT"
    SOURCE_BUSY = "SOURCE_BUSY"
    SOURCE_FAILED = "SOURCE_FAILED"
    QUERY_REFUSED = "QUERY_REFUSED"
    ANSWER_TOO_LARGE = "ANSWER_TOO_LARGE"
    ANSWER_BROKEN = "ANSWER_BROKEN"
    CLOCK_SKEWED = "CLOCK_SKEWED"


class ConnectorState(StrEnum):
    """How a connector is."""

    # Not read yet.
    NEW = "NEW"
    HEALTHY = "HEALTHY"
    # It reads, but not all that it is for: the problems say what.
    DEGRADED = "DEGRADED"
    FAILING = "FAILING"
    # It failed so often that its source is left alone for a while.
    RESTING = "RESTING"


@dataclass(frozen=True, slots=True)
class ConnectorName:
    """tenants/{tenant}/connectors/{ulid}"""

    tenant: str
    connector_id: str

    def __str__(self) -> str:
        return f"tenants/{self.tenant}/connectors/{self.connector_id}"

    @classmethod
    def parse(cls, text: str, *, field: str = "name") -> ConnectorName:
        """Return the parts of a connector's name; raise Invalid."""
        return cls(*parts(_CONNECTOR, text, field))


def source_of(connector_id: str) -> str:
    """Return under which name the evidence of a connector stands; ids are never used again."""
    return f"connector:{connector_id}"


@dataclass(frozen=True, slots=True)
class WantedConnector:
    """A connector as its maker wants it."""

    title: str
    kind: str
    service: str
    environment: str
    # Where the source is; empty for kinds that are reached otherwise.
    endpoint: str
    # The name of a credential that the server's operator has put there; never the credential.
    credential: str
    interval_seconds: int
    settings: Mapping[str, Any]
    paused: bool


@dataclass(frozen=True, slots=True)
class Connector:
    """What reads one slice of one system; whatever it finds is about its service in its environment."""

    connector_id: str
    title: str
    kind: str
    service: str
    environment: str
    endpoint: str
    credential: str
    interval_seconds: int
    # A dict, because it is kept as JSON.
    settings: dict[str, Any]
    paused: bool
    creator: str
    create_time: datetime
    update_time: datetime
    delete_time: datetime | None = None

    @property
    def source(self) -> str:
        """Return under which name its evidence stands."""
        return source_of(self.connector_id)

    @property
    def is_polled(self) -> bool:
        """Say whether it is read by itself."""
        return self.delete_time is None and not self.paused


@dataclass(frozen=True, slots=True)
class ConnectorHealth:
    """How the readings of a connector went; kept with it and told as evidence when it changes."""

    connector_id: str
    state: str = ConnectorState.NEW.value
    # Of the last reading, in words without anything that the source said.
    failure: str = ""
    message: str = ""
    # What it could not see though it could read: query ids and the like, with why.
    problems: tuple[str, ...] = ()
    failures: int = 0
    attempt_time: datetime | None = None
    success_time: datetime | None = None
    # Since when the state is what it is.
    change_time: datetime | None = None
    rest_until: datetime | None = None

    def succeeded(self, now: datetime, problems: tuple[str, ...]) -> ConnectorHealth:
        """Return the health after a reading."""
        state = ConnectorState.DEGRADED if problems else ConnectorState.HEALTHY
        return ConnectorHealth(
            self.connector_id,
            state.value,
            problems=problems,
            attempt_time=now,
            success_time=now,
            change_time=self._since(state, now),
        )

    def failed(
        self,
        now: datetime,
        failure: CollectFailure,
        message: str,
        chance: random.Random,
        *,
        after: timedelta | None = None,
    ) -> ConnectorHealth:
        """Return the health after a reading that came to nothing; `after` is how long the source asked to rest."""
        failures = self.failures + 1
        rest = after or timedelta(0)
        if failures >= BREAKER_AFTER:
            step = min(FIRST_REST * (1 << min(failures - BREAKER_AFTER, 20)), LONGEST_REST)
            rest = max(rest, step * chance.uniform(0.5, 1.0))
        state = ConnectorState.RESTING if failures >= BREAKER_AFTER else ConnectorState.FAILING
        return ConnectorHealth(
            self.connector_id,
            state.value,
            failure=failure.value,
            message=message,
            failures=failures,
            attempt_time=now,
            success_time=self.success_time,
            change_time=self._since(state, now),
            rest_until=now + min(rest, LONGEST_REST) if rest else None,
        )

    def rests(self, now: datetime) -> bool:
        """Say whether the source is left alone at this time."""
        return self.rest_until is not None and now < self.rest_until

    def same_as(self, other: ConnectorHealth) -> bool:
        """Say whether both tell people the same."""
        return (self.state, self.failure, self.problems) == (other.state, other.failure, other.problems)

    def _since(self, state: ConnectorState, now: datetime) -> datetime:
        return self.change_time if self.state == state and self.change_time is not None else now


@dataclass(frozen=True, slots=True)
class Observation:
    """What a connector found: the facts of one kind, by the names of evidence.proto, at one moment."""

    kind: str
    # By proto field names, as protobuf's JSON mapping has the values; without fields that are not known.
    facts: Mapping[str, Any]
    # When it was so, by the source where it says so.
    observe_time: datetime
    # What it is about; None: the open attempt for kinds that are bound to it where there is one, else the workload.
    subject: Subject | None = None
    # Where the same reading may come again.
    external_id: str = ""
    expire_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class OpenAttempt:
    """The rollout that is under way where a connector looks."""

    name: str
    start_time: datetime
    # Of the release's artifacts, `sha256:…`.
    digests: tuple[str, ...] = ()


def next_poll(
    connector: Connector, health: ConnectorHealth, now: datetime, chance: random.Random
) -> datetime:
    """Return when to read next: after an interval that is never quite the same, or when the source has rested."""
    wait = timedelta(seconds=connector.interval_seconds) * chance.uniform(1 - JITTER, 1.0)
    if health.failures:
        # A few quick tries: a moment's trouble must not cost an interval.
        soon = min(1 << min(health.failures, 10), 60) * chance.uniform(0.5, 1.0)
        wait = min(wait, timedelta(seconds=soon))
    due = now + max(wait, timedelta(seconds=1))
    if health.rest_until is not None:
        due = max(due, health.rest_until)
    # Those of a quarter of a second are claimed, read and stored together.
    return due + (datetime.min.replace(tzinfo=due.tzinfo) - due) % TICK
