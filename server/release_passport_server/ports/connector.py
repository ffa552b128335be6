"""What services need of connectors: each kind is one class that reads one slice of one system.

A class knows its source and nothing else: when it is read, how often it is tried, what becomes of the evidence and
who is told is not its business. It is made once for the process, and holds nothing between two readings but caches.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol, runtime_checkable

from release_passport_server.domain.access import Scope
from release_passport_server.domain.connector import CollectFailure, Observation, OpenAttempt
from release_passport_server.domain.errors import Unavailable, Violation
from release_passport_server.domain.evidence import EvidenceItem, Subject
from release_passport_server.domain.gate import HeldWorkload
from release_passport_server.domain.way_back import WayBack


class CollectFailed(Unavailable):
    """A source could not be read; the text says where and what to do, and holds nothing that the source said."""

    def __init__(self, failure: CollectFailure, message: str, *, after: timedelta | None = None) -> None:
        super().__init__(
            "OUTBOUND_FAILED",
            f"{failure}: {message}",
            metadata={"failure": str(failure)},
            retry_after=None if after is None else after.total_seconds(),
        )
        self.failure = failure
        self.text = message
        self.after = after


class SettingsRefused(ValueError):
    """The settings of a connector are wrong; field paths begin below `settings`."""

    def __init__(self, violations: Sequence[Violation]) -> None:
        super().__init__("; ".join(f"{one.field}: {one.description}" for one in violations))
        self.violations = tuple(violations)


@dataclass(frozen=True, slots=True)
class Answer:
    """The JSON that a source answered with; `time` is the source's clock where it told it."""

    value: Any = field(repr=False)
    status: int = 200
    time: datetime | None = None


class Source(Protocol):
    """One configured address: guarded, bounded, with its credential. Texts of errors never hold what was answered."""

    @property
    def place(self) -> str:
        """Return where it is, for people."""
        ...

    async def get(
        self,
        path: str,
        parameters: Mapping[str, str | Sequence[str]] | None = None,
        *,
        allowed: Sequence[int] = (),
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Return the JSON below the address; raise CollectFailed.

        Statuses other than 200 are failures but where they are `allowed`. What was read before and has not changed
        is not sent again, where the source can tell.
        """
        ...


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be read, for whom, and by when."""

    tenant: str
    connector_id: str
    service: str
    environment: str
    # As `Connector.settings` returned them.
    settings: Any
    # By this host's clock, at the beginning of the reading.
    now: datetime
    # None for kinds that are not reached by an address.
    source: Source | None = None
    attempt: OpenAttempt | None = None
    # Returns the ways back from the newest releases there, by the server's own record.
    ways_back: Callable[[], Awaitable[tuple[WayBack, ...]]] | None = None
    # Returns the workloads there that wait at gates of ours, by the same record.
    held: Callable[[], Awaitable[tuple[HeldWorkload, ...]]] | None = None


@dataclass(frozen=True, slots=True)
class Collected:
    """What a reading gave."""

    observations: tuple[Observation, ...]
    # What could not be seen though the source could be read, such as a query without a result: the connector is
    # DEGRADED and says so; the evidence says that there is no data.
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Probe:
    """What a connector can see and what it is missing, for whoever sets it up."""

    visible: tuple[str, ...]
    missing: tuple[str, ...] = ()
    # Exactly what would have to be granted: an RBAC manifest, or the scope of a token.
    grant: str = ""
    # What the credential may do beyond reading, as far as the source says it.
    excess: tuple[str, ...] = ()


class Connector(Protocol):
    """One kind of connector."""

    @property
    def kind(self) -> str:
        """Return the name of the kind, such as `prometheus`."""
        ...

    @property
    def title(self) -> str:
        """Return what it reads, in a few words."""
        ...

    @property
    def evidence_kinds(self) -> tuple[str, ...]:
        """Return the kinds of evidence that it gives; the framework stores no others."""
        ...

    @property
    def has_endpoint(self) -> bool:
        """Say whether the source is reached by an address, and `Target.source` is there."""
        ...

    def settings(self, given: Mapping[str, Any]) -> Any:
        """Return the settings as the class wants them; raise SettingsRefused."""
        ...

    async def collect(self, target: Target) -> Collected:
        """Read the source; raise CollectFailed. The framework cancels it at the deadline."""
        ...

    async def probe(self, target: Target) -> Probe:
        """Say what can be seen; raise CollectFailed where that cannot be told."""
        ...


@runtime_checkable
class FollowingConnector(Connector, Protocol):
    """One kind of connector whose source tells when something changes: it is read then, not only by the interval."""

    def changes(self, target: Target) -> AsyncIterator[None]:
        """Yield whenever there is news to collect, until it is closed; raise CollectFailed where it cannot go on."""
        ...


# By kind: what the server knows to read.
Connectors = Mapping[str, Connector]


class Sources(Protocol):
    """Opens the addresses of connectors, with their credentials."""

    def problem(self, tenant: str, endpoint: str, credential: str) -> Violation | None:
        """Return why an address cannot be used with a credential, or None; nothing is called."""
        ...

    async def open(self, tenant: str, endpoint: str, credential: str) -> Source:
        """Return the address, ready to be read; raise CollectFailed."""
        ...


class Observations(Protocol):
    """Makes evidence of what connectors find."""

    def item(self, found: Observation, subject: Subject, source: str, scope: Scope) -> EvidenceItem:
        """Return the item to store; raise CollectFailed `ANSWER_BROKEN` for facts that are not in their form."""
        ...
