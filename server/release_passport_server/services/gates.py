"""Keep the gates that controllers ask at."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from release_passport_server.domain.access import Principal, Verb
from release_passport_server.domain.errors import AlreadyExists, NotFound, Precondition, Violation, invalid
from release_passport_server.domain.etags import gate_etag, require_etag
from release_passport_server.domain.gate import Gate, GateAnswer, GateName, WantedGate
from release_passport_server.domain.outcome import Reason
from release_passport_server.domain.record import Listed, Page
from release_passport_server.domain.release import Attempt
from release_passport_server.ports.access import Authorizer
from release_passport_server.ports.ids import Ids
from release_passport_server.ports.store import Reader, ReleaseFilter, Store, Transaction, Written
from release_passport_server.ports.tokens import Tokens
from release_passport_server.ports.workloads import ClusterObjects
from release_passport_server.services.asking import Ask, once, record
from release_passport_server.services.filling import filled
from release_passport_server.services.grants import GuardedStore

_HEALTH_PAGE = Page(100)


@dataclass(frozen=True, slots=True)
class NewGate:
    """A gate, and its credential where one was made just now."""

    gate: Gate
    credential: str = ""


# A hook that counts failed checks was asked where few of them roll back.
THRESHOLD_LOW = "THRESHOLD_LOW"


@dataclass(frozen=True, slots=True)
class GateHealth:
    """What a gate was asked and answered, and the rollouts that were seen since it was made."""

    gate: Gate
    answers: tuple[GateAnswer, ...]
    rollouts: tuple[tuple[Attempt, bool], ...]

    @property
    def problems(self) -> tuple[str, ...]:
        """Return what is wrong, in words."""
        found = [
            f"{attempt.name} was not asked about here: look whether the hooks are still in the object"
            for attempt, asked in self.rollouts
            if not asked
        ]
        for reason in ("GATE_MISWIRED", "OBJECT_MISMATCH", "HOOK_NOT_ALLOWED"):
            hooks = sorted({one.hook for one in self.answers if reason in one.reasons})
            found += [f"{hook} is refused with {reason}" for hook in hooks]
        if any(Reason.NOTHING_WATCHED in one.reasons for one in self.answers):
            text = "no rule watches what goes through here: its steps and promotions wait for nothing"
            found.append(f"{text}; add rules for stage WATCH")
        counted = sorted({one.hook for one in self.answers if THRESHOLD_LOW in one.reasons})
        found += [
            f"{hook} counts as a check, and the Canary rolls back after fewer than 5 failed ones: raise `threshold`"
            for hook in counted
        ]
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Gates:
    """Makes, shows, changes and deletes gates; a credential is shown once and never kept."""

    store: Store
    access: Authorizer
    guarded: GuardedStore
    ids: Ids
    tokens: Tokens
    # None where this process was given no clusters: it cannot tell which there are.
    clusters: ClusterObjects | None = None

    async def create(self, ask: Ask, wanted: WantedGate) -> Written[NewGate]:
        """Return the new gate; raise NotFound for a service or environment that nobody registered."""

        def put(tx: Transaction) -> tuple[NewGate, str]:
            if tx.find_service(wanted.service) is None:
                raise NotFound("NOT_FOUND", f"there is no service {wanted.service}")
            if tx.find_environment(wanted.environment) is None:
                raise NotFound("NOT_FOUND", f"there is no environment {wanted.environment}")
            gate_id = self.ids.ulid(tx.now)
            credential, secret_hash = self.tokens.issue(gate_id)
            gate = Gate(
                gate_id=gate_id,
                **_settings(wanted),
                secret_hash=secret_hash,
                creator=ask.principal.id,
                create_time=tx.now,
                update_time=tx.now,
            )
            _put(tx, ask, gate)
            return NewGate(gate, credential), str(GateName(tx.tenant, gate_id))

        def act(tx: Transaction) -> NewGate:
            return once(tx, ask, lambda: put(tx), _shown_once)[0]

        return await self.guarded.write(ask.principal, lambda: self._allow(ask.principal, wanted), act)

    async def update(
        self, ask: Ask, name: GateName, wanted: WantedGate, etag: str, *, new_credential: bool
    ) -> Written[NewGate]:
        """Return the gate with its settings replaced; what it is for stays."""

        def put(tx: Transaction) -> tuple[NewGate, str]:
            before = self._mine(tx, ask.principal, name)
            if before.delete_time is not None:
                raise Precondition("ALREADY_ENDED", f"{name} was deleted: make another one")
            require_etag(etag, gate_etag(before), str(name))
            _require_same(before, wanted)
            credential, secret_hash = "", before.secret_hash
            if new_credential:
                credential, secret_hash = self.tokens.issue(before.gate_id)
            gate = replace(before, **_settings(wanted), secret_hash=secret_hash, update_time=tx.now)
            _put(tx, ask, gate)
            return NewGate(gate, credential), name.gate_id

        def act(tx: Transaction) -> NewGate:
            def again(_: str) -> NewGate:
                return _shown_once(str(name)) if new_credential else NewGate(_gate(tx, name))

            return once(tx, ask, lambda: put(tx), again)[0]

        return await self.guarded.write(ask.principal, lambda: self._allow(ask.principal, wanted), act)

    async def delete(self, ask: Ask, name: GateName) -> Written[Gate]:
        """Return the gate, at which everybody is refused from now on."""

        def put(tx: Transaction) -> tuple[Gate, str]:
            before = self._mine(tx, ask.principal, name)
            if before.delete_time is not None:
                return before, name.gate_id
            gate = replace(before, delete_time=tx.now, update_time=tx.now)
            _put(tx, ask, gate)
            return gate, name.gate_id

        def act(tx: Transaction) -> Gate:
            return once(tx, ask, lambda: put(tx), lambda _: _gate(tx, name))[0]

        def allow() -> None:
            self.access.require_somewhere(ask.principal, Verb.GATE)

        return await self.guarded.write(ask.principal, allow, act)

    async def get(self, principal: Principal, name: GateName) -> Gate:
        """Return a gate of a place where the asker may read."""
        self.access.require_somewhere(principal, Verb.READ)
        return await self.store.read(principal.tenant, lambda reader: self._seen(reader, principal, name))

    async def list(self, principal: Principal, page: Page) -> Listed[Gate]:
        """Return the gates that the asker may see, newest first."""
        self.access.require_somewhere(principal, Verb.READ)
        scopes = self.access.allowed_scopes(principal, Verb.READ)

        def shown(one: Gate) -> Gate | None:
            seen = any(scope.covers(one.service, one.environment) for scope in scopes)
            return one if seen and one.delete_time is None else None

        def act(reader: Reader) -> Listed[Gate]:
            return filled(lambda part: reader.list_acts(Gate, part, scopes=scopes), page, shown)

        return await self.store.read(principal.tenant, act)

    async def health(self, principal: Principal, name: GateName) -> GateHealth:
        """Return what the gate was asked, beside the rollouts that were seen."""
        self.access.require_somewhere(principal, Verb.READ)
        scopes = self.access.allowed_scopes(principal, Verb.READ)

        def act(reader: Reader) -> GateHealth:
            gate = self._seen(reader, principal, name)
            answers = reader.list_acts(GateAnswer, _HEALTH_PAGE, key=gate.gate_id).items
            asked = {one.release for one in answers if one.release}
            wanted = ReleaseFilter(scopes, gate.service, gate.environment)
            rollouts = [
                (attempt, release.name in asked)
                for release in reader.list_releases(wanted, _HEALTH_PAGE).items
                for attempt in reader.attempts(release.name)
                if attempt.start_time >= gate.create_time
            ]
            newest = sorted(rollouts, key=lambda one: one[0].start_time, reverse=True)[: _HEALTH_PAGE.size]
            ordered = sorted(answers, key=lambda one: one.change_time, reverse=True)
            return GateHealth(gate, tuple(ordered), tuple(newest))

        return await self.store.read(principal.tenant, act)

    def _allow(self, principal: Principal, wanted: WantedGate) -> None:
        self.access.require(principal, Verb.GATE, service=wanted.service, environment=wanted.environment)
        if self.clusters is not None and not self.clusters.knows(principal.tenant, wanted.cluster):
            text = "is no cluster of this server: whoever runs it puts one of that name into its folder of clusters"
            raise invalid([Violation("gate.cluster", text)])

    def _mine(self, reader: Reader, principal: Principal, name: GateName) -> Gate:
        """Return a gate that the asker may change; one that they may not is as absent as none."""
        gate = _gate(reader, name)
        scopes = self.access.allowed_scopes(principal, Verb.GATE)
        if not any(scope.covers(gate.service, gate.environment) for scope in scopes):
            raise _none(name)
        return gate

    def _seen(self, reader: Reader, principal: Principal, name: GateName) -> Gate:
        gate = _gate(reader, name)
        scopes = self.access.allowed_scopes(principal, Verb.READ)
        if not any(scope.covers(gate.service, gate.environment) for scope in scopes):
            raise _none(name)
        return gate


def _settings(wanted: WantedGate) -> dict[str, Any]:
    return {field: getattr(wanted, field) for field in WantedGate.__dataclass_fields__}


def _require_same(before: Gate, wanted: WantedGate) -> None:
    fixed = [
        Violation(f"gate.{field}", f"is {getattr(before, field)} for good: make another gate")
        for field in ("controller", "service", "environment")
        if getattr(before, field) != getattr(wanted, field)
    ]
    if fixed:
        raise invalid(fixed)


def _put(tx: Transaction, ask: Ask, gate: Gate) -> None:
    tx.put_act(gate)
    place = f"workload:{gate.service}/{gate.environment}"
    name = str(GateName(tx.tenant, gate.gate_id))
    told = {"hooks": list(gate.hooks), "onRollback": gate.on_rollback}
    told |= {"onSkip": gate.on_skip, "trust": gate.trust}
    record(tx, ask, name, (place,), place=gate.place, **told)


def _gate(reader: Reader, name: GateName) -> Gate:
    found = reader.find_act(Gate, name.gate_id)
    if found is None:
        raise _none(name)
    return found


def _none(name: GateName) -> NotFound:
    return NotFound("NOT_FOUND", f"there is no gate {name}")


def _shown_once(name: str) -> NewGate:
    text = f"this request made the credential of {name} before, which is not kept: ask for a new one"
    raise AlreadyExists("ALREADY_EXISTS", text, metadata={"gate": name})
