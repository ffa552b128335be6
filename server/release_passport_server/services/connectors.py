"""Keep the connectors: make, show, change, try, read now and delete them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from release_passport_server.domain.access import Principal, Verb
from release_passport_server.domain.connector import (
    COLLECT,
    FOLLOW,
    MAX_CONNECTORS,
    CollectFailure,
    Connector,
    ConnectorHealth,
    ConnectorName,
    WantedConnector,
)
from release_passport_server.domain.errors import NotFound, PassportError, Precondition, Violation, invalid
from release_passport_server.domain.etags import connector_etag, require_etag
from release_passport_server.domain.job import LeaseLost, Timer
from release_passport_server.domain.record import Listed, Page
from release_passport_server.ports.access import Authorizer
from release_passport_server.ports.connector import (
    CollectFailed,
    FollowingConnector,
    Probe,
    SettingsRefused,
)
from release_passport_server.ports.ids import Ids
from release_passport_server.ports.store import Reader, Store, Transaction, Written
from release_passport_server.services.asking import Ask, once, record
from release_passport_server.services.collect_evidence import CollectEvidence, Reading, open_attempt
from release_passport_server.services.filling import filled
from release_passport_server.services.grants import GuardedStore

_EVERY = Page(MAX_CONNECTORS)
# Whoever wakes a connector as often as they can has it read once in so long.
WAKES_APART = timedelta(seconds=1)
# What cannot be changed: what it found would be about something else, or could not be read as what it was.
_FIXED = ("kind", "service", "environment")


@dataclass(frozen=True, slots=True)
class ShownConnector:
    """A connector and how it is."""

    connector: Connector
    health: ConnectorHealth


@dataclass(frozen=True, slots=True)
class Tried:
    """What a connector can see, or why it can see nothing."""

    probe: Probe
    failure: str = ""
    message: str = ""

    @property
    def ready(self) -> bool:
        """Say whether the source can be read and nothing is missing."""
        return not self.failure and not self.probe.missing


@dataclass(frozen=True, slots=True)
class Connectors:
    """The connectors of a tenant; whoever has `connectors` for a place keeps those of that place."""

    store: Store
    access: Authorizer
    guarded: GuardedStore
    collect: CollectEvidence
    ids: Ids

    async def create(self, ask: Ask, wanted: WantedConnector) -> Written[ShownConnector]:
        """Return the new connector, which reads for the first time at once.

        Raises Invalid for a kind, settings, an endpoint or a credential that cannot be used, and NotFound for a
        service or environment that nobody registered.
        """

        def put(tx: Transaction) -> tuple[ShownConnector, str]:
            if tx.find_service(wanted.service) is None:
                raise NotFound("NOT_FOUND", f"there is no service {wanted.service}")
            if tx.find_environment(wanted.environment) is None:
                raise NotFound("NOT_FOUND", f"there is no environment {wanted.environment}")
            if (
                sum(one.delete_time is None for one in tx.list_acts(Connector, _EVERY).items)
                >= MAX_CONNECTORS
            ):
                text = f"would be one more than {MAX_CONNECTORS}, which are the most: delete one"
                raise invalid([Violation("connector", text)])
            connector = Connector(
                connector_id=self.ids.ulid(tx.now),
                **_settings(wanted),
                creator=ask.principal.id,
                create_time=tx.now,
                update_time=tx.now,
            )
            self._put(tx, ask, connector)
            health = ConnectorHealth(connector.connector_id, change_time=tx.now)
            tx.put_connector_health(health)
            return ShownConnector(connector, health), connector.connector_id

        def act(tx: Transaction) -> ShownConnector:
            def again(connector_id: str) -> ShownConnector:
                return _shown(tx, _connector(tx, ConnectorName(tx.tenant, connector_id)))

            return once(tx, ask, lambda: put(tx), again)[0]

        def allow() -> None:
            self._allow(ask.principal, wanted)
            # Whoever may not make one learns nothing of what the server could read.
            self._check(ask.principal.tenant, wanted)

        return await self.guarded.write(ask.principal, allow, act)

    async def update(
        self, ask: Ask, name: ConnectorName, wanted: WantedConnector, etag: str
    ) -> Written[ShownConnector]:
        """Return the connector with its settings replaced, which reads at once; what it is for stays."""

        def put(tx: Transaction) -> tuple[ShownConnector, str]:
            before = self._mine(tx, ask.principal, name)
            if before.delete_time is not None:
                raise Precondition("ALREADY_ENDED", f"{name} was deleted: make another one")
            require_etag(etag, connector_etag(before), str(name))
            _require_same(before, wanted)
            connector = replace(before, **_settings(wanted), update_time=tx.now)
            self._put(tx, ask, connector)
            # What rested may be read again: something was done about it.
            health = replace(_health(tx, connector), rest_until=None)
            tx.put_connector_health(health)
            return ShownConnector(connector, health), name.connector_id

        def act(tx: Transaction) -> ShownConnector:
            return once(tx, ask, lambda: put(tx), lambda _: _shown(tx, _connector(tx, name)))[0]

        def allow() -> None:
            self._allow(ask.principal, wanted)
            self._check(ask.principal.tenant, wanted)

        return await self.guarded.write(ask.principal, allow, act)

    async def delete(self, ask: Ask, name: ConnectorName) -> Written[ShownConnector]:
        """Return the connector, which reads nothing any more; what it found goes stale."""

        def put(tx: Transaction) -> tuple[ShownConnector, str]:
            before = self._mine(tx, ask.principal, name)
            if before.delete_time is not None:
                return _shown(tx, before), name.connector_id
            connector = replace(before, delete_time=tx.now, update_time=tx.now)
            self._put(tx, ask, connector)
            return _shown(tx, connector), name.connector_id

        def act(tx: Transaction) -> ShownConnector:
            return once(tx, ask, lambda: put(tx), lambda _: _shown(tx, _connector(tx, name)))[0]

        def allow() -> None:
            self.access.require_somewhere(ask.principal, Verb.CONNECTORS)

        return await self.guarded.write(ask.principal, allow, act)

    async def get(self, principal: Principal, name: ConnectorName) -> ShownConnector:
        """Return a connector of a place where the asker may read."""
        self.access.require_somewhere(principal, Verb.READ)

        def act(reader: Reader) -> ShownConnector:
            return _shown(reader, self._found(reader, principal, name, Verb.READ))

        return await self.store.read(principal.tenant, act)

    async def list(self, principal: Principal, page: Page) -> Listed[ShownConnector]:
        """Return the connectors of places where the asker may read, newest first."""
        self.access.require_somewhere(principal, Verb.READ)
        scopes = self.access.allowed_scopes(principal, Verb.READ)

        def act(reader: Reader) -> Listed[ShownConnector]:
            def shown(one: Connector) -> ShownConnector | None:
                seen = any(scope.covers(one.service, one.environment) for scope in scopes)
                return _shown(reader, one) if seen and one.delete_time is None else None

            return filled(lambda part: reader.list_acts(Connector, part, scopes=scopes), page, shown)

        return await self.store.read(principal.tenant, act)

    async def try_out(self, principal: Principal, what: ConnectorName | WantedConnector) -> Tried:
        """Return what a connector can see and what it is missing; nothing is kept of it."""
        self.access.require_somewhere(principal, Verb.CONNECTORS)
        if isinstance(what, ConnectorName):
            connector = await self.store.read(
                principal.tenant, lambda reader: self._mine(reader, principal, what)
            )
        else:
            self._allow(principal, what)
            self._check(principal.tenant, what)
            now = self.collect.clock.now()
            connector = Connector("", **_settings(what), creator="", create_time=now, update_time=now)
        attempt = await self.store.read(
            principal.tenant, lambda reader: open_attempt(reader, connector.service, connector.environment)
        )
        reading = self.collect.reading
        try:
            async with asyncio.timeout(reading.seconds):
                target = await reading.target(principal.tenant, connector, attempt)
                return Tried(await reading.kind_of(connector.kind).probe(target))
        except TimeoutError:
            text = f"reading took longer than {reading.seconds:g} s"
            return Tried(Probe(()), CollectFailure.SOURCE_TIMED_OUT.value, text)
        except CollectFailed as error:
            return Tried(Probe(()), error.failure.value, error.text)
        except PassportError as error:
            return Tried(Probe(()), CollectFailure.SOURCE_FAILED.value, error.message)

    async def collect_now(self, principal: Principal, name: ConnectorName) -> Reading:
        """Return what came of reading a connector now, or a moment ago; a source that cannot be read is no error."""
        self.access.require_somewhere(principal, Verb.CONNECTORS)
        await self.store.read(principal.tenant, lambda reader: self._mine(reader, principal, name))
        try:
            return await self.collect(name)
        except LeaseLost:
            # It was read for a job that somebody else has by now.
            return await self.collect(name)

    async def wake(self, principal: Principal, name: ConnectorName) -> datetime | None:
        """Return when a connector of a place where the asker may read is read next, soon; None where it is paused.

        Whoever asks says only that there is something to see. Many who ask are one reading, a source that is left
        alone is left alone, and nothing is kept of who asked.
        """

        def act(tx: Transaction) -> datetime | None:
            connector = self._found(tx, principal, name, Verb.READ)
            if not connector.is_polled:
                return None
            health = _health(tx, connector)
            rested = None if health.attempt_time is None else health.attempt_time + WAKES_APART
            due = max(time for time in (tx.now, rested, health.rest_until) if time is not None)
            tx.schedule(Timer(COLLECT, connector.connector_id, due))
            return due

        def allow() -> None:
            self.access.require_somewhere(principal, Verb.READ)

        return (await self.guarded.write(principal, allow, act)).value

    def _put(self, tx: Transaction, ask: Ask, connector: Connector) -> None:
        tx.put_act(connector)
        kinds = [COLLECT]
        if isinstance(self.collect.reading.kinds.get(connector.kind), FollowingConnector):
            kinds.append(FOLLOW)
        for kind in kinds:
            if connector.is_polled:
                tx.schedule(Timer(kind, connector.connector_id, tx.now))
            else:
                tx.unschedule(kind, connector.connector_id)
        place = f"workload:{connector.service}/{connector.environment}"
        told = {"kind": connector.kind, "endpoint": connector.endpoint, "credential": connector.credential}
        record(tx, ask, str(ConnectorName(tx.tenant, connector.connector_id)), (place,), **told)

    def _check(self, tenant: str, wanted: WantedConnector) -> None:
        """Raise Invalid for what could never be read."""
        reading, found = self.collect.reading, []
        kind = reading.kinds.get(wanted.kind)
        if kind is None:
            text = f"is not known here: use one of {', '.join(sorted(reading.kinds))}"
            raise invalid([Violation("connector.kind", text)])
        try:
            kind.settings(wanted.settings)
        except SettingsRefused as error:
            found += [
                Violation(f"connector.settings.{one.field}", one.description) for one in error.violations
            ]
        if not kind.has_endpoint:
            for field in ("endpoint", "credential"):
                if getattr(wanted, field):
                    found.append(Violation(f"connector.{field}", f"is for other kinds than {kind.kind}"))
        elif not wanted.endpoint:
            found.append(Violation("connector.endpoint", f"required: where the {kind.kind} is"))
        elif problem := reading.sources.problem(tenant, wanted.endpoint, wanted.credential):
            found.append(Violation(f"connector.{problem.field}", problem.description))
        if found:
            raise invalid(found)

    def _allow(self, principal: Principal, wanted: WantedConnector) -> None:
        self.access.require(
            principal, Verb.CONNECTORS, service=wanted.service, environment=wanted.environment
        )

    def _mine(self, reader: Reader, principal: Principal, name: ConnectorName) -> Connector:
        return self._found(reader, principal, name, Verb.CONNECTORS)

    def _found(self, reader: Reader, principal: Principal, name: ConnectorName, verb: Verb) -> Connector:
        """Return a connector; one of a place where the asker may not is as absent as none."""
        found = _connector(reader, name)
        scopes = self.access.allowed_scopes(principal, verb)
        if not any(scope.covers(found.service, found.environment) for scope in scopes):
            raise _none(name)
        return found


def _settings(wanted: WantedConnector) -> dict[str, Any]:
    named = {field: getattr(wanted, field) for field in WantedConnector.__dataclass_fields__}
    return {**named, "settings": dict(wanted.settings)}


def _require_same(before: Connector, wanted: WantedConnector) -> None:
    fixed = [
        Violation(f"connector.{field}", f"is {getattr(before, field)} for good: make another connector")
        for field in _FIXED
        if getattr(before, field) != getattr(wanted, field)
    ]
    if fixed:
        raise invalid(fixed)


def _shown(reader: Reader, connector: Connector) -> ShownConnector:
    return ShownConnector(connector, _health(reader, connector))


def _health(reader: Reader, connector: Connector) -> ConnectorHealth:
    found = reader.find_act(ConnectorHealth, connector.connector_id)
    return found or ConnectorHealth(connector.connector_id)


def _connector(reader: Reader, name: ConnectorName) -> Connector:
    found = reader.find_act(Connector, name.connector_id)
    if found is None:
        raise _none(name)
    return found


def _none(name: ConnectorName) -> NotFound:
    return NotFound("NOT_FOUND", f"there is no connector {name}")
