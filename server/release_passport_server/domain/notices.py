"""Channels that are told of events, and what each of them is told."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from release_passport_server.domain.canonical import canonical, stamp, unstamp
from release_passport_server.domain.glob import any_matches
from release_passport_server.domain.ids import parts, template
from release_passport_server.domain.notification import GATE_BRAKED, GATE_BYPASSED, GATE_MISWIRED, TOLD
from release_passport_server.domain.watch import Happening

# Taking events up out of the feed; one job for each tenant that has channels.
ANNOUNCE = "announce"
# Telling one channel of one subject; the key is both, so that a subject is told in order, and by one worker.
TELL = "tell"
# So long a message is tried.
PATIENCE = timedelta(days=1)
# So long messages are signed with a replaced secret as well.
OVERLAP = timedelta(days=1)
# So long what was told is listed.
KEPT = timedelta(days=7)
MAX_CHANNELS = 100

TEST = "channel.test"
# Events of the feed that are told under their own names.
_OWN = (
    Happening.CHANGED.value,
    Happening.EXPIRED.value,
    "release.created",
    GATE_BYPASSED,
    GATE_BRAKED,
    GATE_MISWIRED,
)
EVENT_TYPES = tuple(sorted({*TOLD.values(), *_OWN}))

_CHANNEL = template("tenants/{tenant}/notificationChannels/{ulid}")


class Format(StrEnum):
    """The form of a channel's messages."""

    WEBHOOK = "WEBHOOK"
    CLOUDEVENTS_STRUCTURED = "CLOUDEVENTS_STRUCTURED"
    CLOUDEVENTS_BINARY = "CLOUDEVENTS_BINARY"
    TEMPLATE = "TEMPLATE"


class NoticeState(StrEnum):
    """How far a notice has come."""

    PENDING = "PENDING"
    DELIVERED = "DELIVERED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class ChannelName:
    """tenants/{tenant}/notificationChannels/{ulid}"""

    tenant: str
    channel_id: str

    def __str__(self) -> str:
        return f"tenants/{self.tenant}/notificationChannels/{self.channel_id}"

    @classmethod
    def parse(cls, text: str, *, field: str = "name") -> ChannelName:
        """Return the parts of a channel's name; raise Invalid."""
        return cls(*parts(_CHANNEL, text, field))


@dataclass(frozen=True, slots=True)
class WantedChannel:
    """A channel as its maker wants it; empty globs stand for everything."""

    title: str
    url: str
    format: str
    template: str
    event_types: tuple[str, ...]
    services: tuple[str, ...]
    environments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Channel:
    """One address that is told. Its secrets are sealed, the newest first."""

    channel_id: str
    title: str
    url: str
    format: str
    template: str
    event_types: tuple[str, ...]
    services: tuple[str, ...]
    environments: tuple[str, ...]
    secrets: tuple[str, ...] = field(repr=False)
    creator: str
    create_time: datetime
    update_time: datetime
    # When messages were signed with another secret last, if they ever were.
    rotate_time: datetime | None = None
    disable_reason: str = ""
    disable_time: datetime | None = None
    delete_time: datetime | None = None

    @property
    def is_told(self) -> bool:
        """Say whether it is told of anything now."""
        return self.disable_time is None and self.delete_time is None

    def secrets_at(self, now: datetime) -> tuple[str, ...]:
        """Return the sealed secrets that sign at a time."""
        overlaps = self.rotate_time is not None and now < self.rotate_time + OVERLAP
        return self.secrets[:2] if overlaps else self.secrets[:1]

    def wants(self, event: Event) -> bool:
        """Say whether it is to be told of an event; what is of no place goes to whoever limits none."""
        return (
            any_matches(self.event_types or ("*",), event.type)
            and any_matches(self.services or ("*",), event.service)
            and any_matches(self.environments or ("*",), event.environment)
        )


@dataclass(frozen=True, slots=True)
class FeedRow:
    """One event as the feed has it."""

    revision: int
    index: int
    type: str
    subject: str
    time: datetime
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Event:
    """What a channel is told: every event has every field, empty where it does not apply."""

    id: str
    type: str
    time: datetime
    tenant: str
    # What happened to it, and what the order is kept for: the release, or the resource itself.
    resource: str
    subject: str
    service: str = ""
    environment: str = ""
    version: str = ""
    principal: str = ""
    verdict: str = ""
    reasons: tuple[str, ...] = ()
    title: str = ""
    reason: str = ""

    @property
    def stamped(self) -> str:
        """Return when it happened, as messages have it."""
        text = stamp(self.time)
        assert text is not None
        return text

    def encode(self) -> bytes:
        """Return the event as it is kept until it was told."""
        named = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return canonical(named | {"time": stamp(self.time), "reasons": list(self.reasons)})

    @classmethod
    def decode(cls, body: bytes) -> Event:
        """Return the event of kept bytes."""
        named = json.loads(body)
        time = unstamp(named.pop("time"))
        assert time is not None
        return cls(time=time, reasons=tuple(named.pop("reasons")), **named)

    def data(self) -> Mapping[str, object]:
        """Return what the message says, in the names of the API."""
        return {
            "tenant": self.tenant,
            "subject": self.resource,
            "release": self.subject if self.version else "",
            "service": self.service,
            "environment": self.environment,
            "version": self.version,
            "principal": self.principal,
            "verdict": self.verdict,
            "reasons": list(self.reasons),
            "title": self.title,
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class Notice:
    """One event for one channel, and how telling it went."""

    channel_id: str
    revision: int
    index: int
    event: Event
    state: NoticeState = NoticeState.PENDING
    attempts: int = 0
    last_status: int = 0
    last_failure: str = ""
    first_time: datetime | None = None
    next_time: datetime | None = None
    end_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class NoticeCounts:
    """How many messages that are kept are in each state, and how many channels are switched off."""

    by_state: Mapping[NoticeState, int] = field(default_factory=dict)
    switched_off: int = 0


@dataclass(frozen=True, slots=True)
class Position:
    """How far a channel has taken events up, and up to where it missed what was removed before."""

    revision: int
    missed_until: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of sending a message: a status, or why there is none that counts."""

    status: int = 0
    failure: str = ""
    retry_after: timedelta | None = None

    @property
    def is_taken(self) -> bool:
        """Say whether the receiver has the message."""
        return not self.failure and 200 <= self.status < 300


def told_as(event_type: str) -> str:
    """Return under which type an event of the feed is told; empty for what nobody is told of."""
    return TOLD.get(event_type, event_type if event_type in _OWN else "")


def samples(now: datetime, types: Sequence[str] = (*EVENT_TYPES, TEST)) -> tuple[Event, ...]:
    """Return an event of every type, to try a template with."""
    release = "tenants/t/services/s/environments/e/releases/1"
    return tuple(
        Event("t-1-1-0", one, now, "t", release, release, "s", "e", "1", "user:p", "HOLD", ("A",), "t", 'r"')
        for one in types
    )
