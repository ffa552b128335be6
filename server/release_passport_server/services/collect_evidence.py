"""Read a connector's source once: what it found is evidence, and how it went is the connector's health."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

from release_passport_server.domain.access import Scope
from release_passport_server.domain.connector import (
    HEALTH_KIND,
    READ_SECONDS,
    TOGETHER,
    CollectFailure,
    Connector,
    ConnectorHealth,
    ConnectorName,
    Observation,
    OpenAttempt,
    next_poll,
)
from release_passport_server.domain.errors import NotFound, PassportError, Precondition
from release_passport_server.domain.evidence import EvidenceItem, Subject
from release_passport_server.domain.gate import HeldWorkload
from release_passport_server.domain.ids import AttemptName
from release_passport_server.domain.job import Claim
from release_passport_server.domain.kind import SubjectType, kind_named
from release_passport_server.domain.way_back import WayBack
from release_passport_server.ports.clock import Clock
from release_passport_server.ports.connector import (
    Collected,
    CollectFailed,
    Observations,
    SettingsRefused,
    Sources,
    Target,
)
from release_passport_server.ports.connector import Connector as ConnectorKind
from release_passport_server.ports.connector import Connectors as ConnectorKinds
from release_passport_server.ports.ids import Ids
from release_passport_server.ports.store import Reader, Store, Transaction
from release_passport_server.services.bypasses import Bypasses
from release_passport_server.services.held import held
from release_passport_server.services.intake import is_from_the_future, place_of, put_items
from release_passport_server.services.superseding import Superseding
from release_passport_server.services.ways_back import ways_back

logger = logging.getLogger(__name__)

ACTION = "Collect"
MAX_ITEMS = 200
_MOST_PROBLEMS, _MOST_TEXT = 50, 512


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of reading a connector; nothing was stored where it was read a moment ago."""

    connector: Connector
    health: ConnectorHealth
    items: tuple[EvidenceItem, ...] = ()
    revision: int = 0
    # The job that it was read for was finished with it.
    finished: bool = False


@dataclass(frozen=True, slots=True)
class SourceReading:
    """Reads sources, each by the class of its kind, under a deadline."""

    store: Store
    kinds: ConnectorKinds
    sources: Sources
    clock: Clock
    seconds: float = READ_SECONDS

    def kind_of(self, kind: str) -> ConnectorKind:
        """Return the class of a kind; raise CollectFailed where this server has none."""
        found = self.kinds.get(kind)
        if found is None:
            text = f"this server reads no {kind[:64]}: it knows {', '.join(sorted(self.kinds))}"
            raise CollectFailed(CollectFailure.KIND_UNKNOWN, text)
        return found

    async def target(self, tenant: str, connector: Connector, attempt: OpenAttempt | None) -> Target:
        """Return what is to be read; raise CollectFailed."""
        kind = self.kind_of(connector.kind)
        try:
            settings = kind.settings(connector.settings)
        except SettingsRefused as error:
            raise CollectFailed(CollectFailure.SETTINGS_REFUSED, f"settings: {error}") from error
        source = None
        if kind.has_endpoint:
            source = await self.sources.open(tenant, connector.endpoint, connector.credential)
        service, environment = connector.service, connector.environment

        async def find() -> tuple[WayBack, ...]:
            return await self.store.read(tenant, lambda reader: ways_back(reader, service, environment))

        async def waiting() -> tuple[HeldWorkload, ...]:
            return await self.store.read(tenant, lambda reader: held(reader, service, environment))

        return Target(
            tenant,
            connector.connector_id,
            service,
            environment,
            settings,
            self.clock.now(),
            source,
            attempt,
            find,
            waiting,
        )

    async def collect(self, tenant: str, connector: Connector, attempt: OpenAttempt | None) -> Collected:
        """Return what the source says; raise CollectFailed, whatever happens."""
        try:
            async with asyncio.timeout(self.seconds):
                target = await self.target(tenant, connector, attempt)
                found = await self.kind_of(connector.kind).collect(target)
        except TimeoutError as error:
            text = f"reading took longer than {self.seconds:g} s"
            raise CollectFailed(CollectFailure.SOURCE_TIMED_OUT, text) from error
        except CollectFailed:
            raise
        except PassportError as error:
            raise CollectFailed(CollectFailure.SOURCE_FAILED, error.message) from error
        except Exception as error:
            logger.exception("a connector failed", extra={"connector": connector.connector_id})
            text = "reading failed in a way that nobody foresaw: see the server's log"
            raise CollectFailed(CollectFailure.SOURCE_FAILED, text) from error
        allowed = self.kind_of(connector.kind).evidence_kinds
        if len(found.observations) > MAX_ITEMS or any(one.kind not in allowed for one in found.observations):
            text = f"more than {MAX_ITEMS} items, or of kinds that a {connector.kind} does not give"
            raise CollectFailed(CollectFailure.ANSWER_BROKEN, text)
        return found


@dataclass(slots=True)
class CollectEvidence:
    """Reads and stores; in one process a connector is read by one at a time, and all who ask share what comes."""

    store: Store
    reading: SourceReading
    observations: Observations
    bypasses: Bypasses
    superseding: Superseding
    clock: Clock
    ids: Ids
    chance: random.Random = field(default_factory=random.SystemRandom)
    _running: dict[ConnectorName, asyncio.Task[Reading]] = field(default_factory=dict)

    async def __call__(
        self, name: ConnectorName, claim: Claim | None = None, *, newer_than: timedelta = TOGETHER
    ) -> Reading:
        """Return how it went; a source that cannot be read is health, no error.

        What was read less than `newer_than` ago is not read again. Raises NotFound, Precondition for a connector
        that was deleted, LeaseLost, and Unavailable for the store.
        """
        while (running := self._running.get(name)) is not None and not newer_than:
            # What began before now is not what was asked for.
            await asyncio.wait({running})
        if running is None:
            running = asyncio.create_task(self._read(name, claim, newer_than))
            self._running[name] = running
            running.add_done_callback(lambda _: self._running.pop(name, None))
        return await asyncio.shield(running)

    async def _read(self, name: ConnectorName, claim: Claim | None, newer_than: timedelta) -> Reading:
        connector, health, attempt = await self.store.read(name.tenant, lambda reader: _known(reader, name))
        now = self.clock.now()
        last = health.attempt_time
        if health.rests(now) or (last is not None and timedelta(0) <= now - last < newer_than):
            return Reading(connector, health)
        outcome: Collected | CollectFailed
        items: tuple[EvidenceItem, ...] = ()
        try:
            outcome = await self.reading.collect(name.tenant, connector, attempt)
            items = self._items(name.tenant, connector, attempt, outcome)
        except CollectFailed as error:
            outcome = error
        step = _Step(self, name, connector, outcome, items, claim)
        written = await self.store.write(name.tenant, step)
        return replace(written.value, revision=written.revision)

    def _items(
        self, tenant: str, connector: Connector, attempt: OpenAttempt | None, found: Collected
    ) -> tuple[EvidenceItem, ...]:
        scope = Scope((connector.service,), (connector.environment,))
        return tuple(
            self.observations.item(one, _subject(tenant, connector, attempt, one), connector.source, scope)
            for one in found.observations
        )


@dataclass(frozen=True, slots=True)
class _Step:
    """The transaction that keeps what came of a reading."""

    collect: CollectEvidence
    name: ConnectorName
    connector: Connector
    outcome: Collected | CollectFailed
    items: tuple[EvidenceItem, ...]
    claim: Claim | None

    def __call__(self, tx: Transaction) -> Reading:
        if self.claim is not None:
            tx.hold(self.claim)
        before = _health(tx, self.name)
        if tx.find_act(Connector, self.name.connector_id) != self.connector:
            # It was changed meanwhile: what was read is not what it is for.
            return Reading(self.connector, before)
        outcome = self.outcome
        if any(is_from_the_future(item, tx) for item in self.items):
            text = "the source says what is to be: set its clock, or this server's"
            outcome = CollectFailed(CollectFailure.CLOCK_SKEWED, text)
        if isinstance(outcome, CollectFailed):
            items: tuple[EvidenceItem, ...] = ()
            after = before.failed(
                tx.now, outcome.failure, outcome.text[:_MOST_TEXT], self.collect.chance, after=outcome.after
            )
        else:
            items = self.items
            problems = tuple(one[:_MOST_TEXT] for one in outcome.problems[:_MOST_PROBLEMS])
            after = before.succeeded(tx.now, problems)
        told = [] if after.same_as(before) else [self._of_health(tx, after)]
        told += self.collect.bypasses.found(tx, self.connector, items)
        more = [self._own(one) for one in told]
        stored = put_items(tx, (*items, *more), self.collect.ids, self.connector.source, ACTION)
        self.collect.superseding(tx, stored)
        tx.put_connector_health(after)
        if self.claim is not None:
            # In the same transaction: most of what a reading costs is its commits.
            polled = self.connector.is_polled
            again = next_poll(self.connector, after, tx.now, self.collect.chance) if polled else None
            tx.finish_job(self.claim, again)
        return Reading(self.connector, after, stored[: len(items)], finished=self.claim is not None)

    def _of_health(self, tx: Transaction, health: ConnectorHealth) -> Observation:
        """Return the connector's word about itself."""
        connector = self.connector
        facts: Mapping[str, object] = {
            "connector": str(self.name),
            "kind": connector.kind,
            "state": health.state,
            "failure": health.failure,
            "problems": list(health.problems),
        }
        return Observation(HEALTH_KIND, facts, tx.now)

    def _own(self, found: Observation) -> EvidenceItem:
        """Return what the server itself says of the service in its environment."""
        connector = self.connector
        subject = Subject(SubjectType.WORKLOAD, f"{connector.service}/{connector.environment}")
        scope = Scope((connector.service,), (connector.environment,))
        return self.collect.observations.item(found, subject, connector.source, scope)


def _known(reader: Reader, name: ConnectorName) -> tuple[Connector, ConnectorHealth, OpenAttempt | None]:
    connector = reader.find_act(Connector, name.connector_id)
    if connector is None:
        raise NotFound("NOT_FOUND", f"there is no connector {name}")
    if connector.delete_time is not None:
        raise Precondition("ALREADY_ENDED", f"{name} was deleted: make another one")
    return connector, _health(reader, name), open_attempt(reader, connector.service, connector.environment)


def _health(reader: Reader, name: ConnectorName) -> ConnectorHealth:
    return reader.find_act(ConnectorHealth, name.connector_id) or ConnectorHealth(name.connector_id)


def open_attempt(reader: Reader, service: str, environment: str) -> OpenAttempt | None:
    """Return the rollout there that began last and has not ended."""
    attempts = reader.open_attempts(service, environment)
    if not attempts:
        return None
    newest = max(attempts, key=lambda one: (one.start_time, one.name))
    release = AttemptName.parse(newest.name).release
    found = reader.find_release(release.service, release.environment, release.version)
    digests = () if found is None else tuple(one.digest for one in found.identity.artifacts)
    return OpenAttempt(newest.name, newest.start_time, digests)


def _subject(tenant: str, connector: Connector, attempt: OpenAttempt | None, found: Observation) -> Subject:
    """Return what an observation is about; raise CollectFailed where that is not the connector's to say."""
    place = (connector.service, connector.environment)
    if found.subject is None:
        if attempt is not None and kind_named(found.kind).attempt_bound:
            return Subject(SubjectType.ATTEMPT, attempt.name)
        return Subject(SubjectType.WORKLOAD, "/".join(place))
    try:
        about = place_of(tenant, found.subject)
    except PassportError as error:
        raise CollectFailed(CollectFailure.ANSWER_BROKEN, "it is about something else") from error
    if about not in (place, ("", "")):
        raise CollectFailed(CollectFailure.ANSWER_BROKEN, "it is about another service")
    return found.subject
