"""Register services and environments, whose labels policies see."""

from __future__ import annotations

from dataclasses import dataclass, replace

from release_passport_server.domain.access import Principal, Verb
from release_passport_server.domain.catalog import Environment, Service
from release_passport_server.domain.errors import AlreadyExists, Denied, NotFound, Violation, invalid
from release_passport_server.domain.etags import environment_etag, require_etag, service_etag
from release_passport_server.domain.glob import any_matches
from release_passport_server.domain.record import Listed, Page
from release_passport_server.ports.access import Authorizer
from release_passport_server.ports.attestations import AttestationVerifier
from release_passport_server.ports.store import Reader, Store, Transaction, Written
from release_passport_server.services.asking import Ask, once, record
from release_passport_server.services.grants import GuardedStore
from release_passport_server.services.reconsider import reconsider_places


@dataclass(frozen=True, slots=True)
class Services:
    """Registers services, and shows those in which the asker may read something."""

    store: Store
    access: Authorizer
    guarded: GuardedStore
    verifier: AttestationVerifier

    async def create(self, ask: Ask, service: Service) -> Written[Service]:
        """Return the new service; raise AlreadyExists where the id is taken."""
        self._check_signers(service)

        def put(tx: Transaction) -> tuple[Service, str]:
            if tx.find_service(service.service_id) is not None:
                raise _taken("service", service.service_id)
            stored = replace(service, create_time=tx.now, update_time=tx.now)
            tx.put_service(stored)
            record(tx, ask, f"services/{service.service_id}")
            reconsider_places(tx, [service.service_id], [])
            return stored, service.service_id

        def act(tx: Transaction) -> Service:
            return once(tx, ask, lambda: put(tx), lambda found: _service(tx, found))[0]

        return await self.guarded.write(ask.principal, lambda: self._allow(ask, service.service_id), act)

    async def update(self, ask: Ask, service: Service, etag: str) -> Written[Service]:
        """Return the service with everything replaced; raise Conflict where it was changed meanwhile."""
        self._check_signers(service)

        def put(tx: Transaction) -> tuple[Service, str]:
            before = _service(tx, service.service_id)
            require_etag(etag, service_etag(before), f"service {service.service_id}")
            stored = replace(service, create_time=before.create_time, update_time=tx.now)
            tx.put_service(stored)
            record(tx, ask, f"services/{service.service_id}", labels=dict(service.labels or {}))
            reconsider_places(tx, [service.service_id], [])
            return stored, service.service_id

        def act(tx: Transaction) -> Service:
            return once(tx, ask, lambda: put(tx), lambda found: _service(tx, found))[0]

        return await self.guarded.write(ask.principal, lambda: self._allow(ask, service.service_id), act)

    async def get(self, principal: Principal, service_id: str) -> Service:
        """Return a service in which the asker may read something."""
        if not self._sees(principal, service_id):
            raise Denied("ACCESS_DENIED", f"{principal.id} may not read in service {service_id}")
        return await self.store.read(principal.tenant, lambda reader: _service(reader, service_id))

    async def list(self, principal: Principal, page: Page) -> Listed[Service]:
        """Return services by id, those in which the asker may read something; a page may hold fewer than asked."""
        self.access.require_somewhere(principal, Verb.READ)
        listed = await self.store.read(principal.tenant, lambda reader: reader.list_services(page))
        seen = tuple(one for one in listed.items if self._sees(principal, one.service_id))
        return Listed(seen, listed.next_after)

    def _allow(self, ask: Ask, service_id: str) -> None:
        self.access.require(ask.principal, Verb.CATALOG, service=service_id)

    def _sees(self, principal: Principal, service_id: str) -> bool:
        scopes = self.access.allowed_scopes(principal, Verb.READ)
        return any(any_matches(scope.services, service_id) for scope in scopes)

    def _check_signers(self, service: Service) -> None:
        problems = [(index, self.verifier.key_problem(key)) for index, key in enumerate(service.signers)]
        wrong = [Violation(f"service.signers[{index}]", text) for index, text in problems if text]
        if wrong:
            raise invalid(wrong)


@dataclass(frozen=True, slots=True)
class Environments:
    """Registers environments, and shows those in which the asker may read something."""

    store: Store
    access: Authorizer
    guarded: GuardedStore

    async def create(self, ask: Ask, environment: Environment) -> Written[Environment]:
        """Return the new environment; raise AlreadyExists where the id is taken."""

        def put(tx: Transaction) -> tuple[Environment, str]:
            if tx.find_environment(environment.environment_id) is not None:
                raise _taken("environment", environment.environment_id)
            stored = replace(environment, create_time=tx.now, update_time=tx.now)
            tx.put_environment(stored)
            record(tx, ask, f"environments/{environment.environment_id}")
            reconsider_places(tx, [], [environment.environment_id])
            return stored, environment.environment_id

        def act(tx: Transaction) -> Environment:
            return once(tx, ask, lambda: put(tx), lambda found: _environment(tx, found))[0]

        return await self.guarded.write(ask.principal, lambda: self._allow(ask, environment), act)

    async def update(self, ask: Ask, environment: Environment, etag: str) -> Written[Environment]:
        """Return the environment with everything replaced; raise Conflict where it was changed meanwhile."""

        def put(tx: Transaction) -> tuple[Environment, str]:
            before = _environment(tx, environment.environment_id)
            require_etag(etag, environment_etag(before), f"environment {environment.environment_id}")
            stored = replace(environment, create_time=before.create_time, update_time=tx.now)
            tx.put_environment(stored)
            required = list(environment.required_policies)
            record(tx, ask, f"environments/{environment.environment_id}", requiredPolicies=required)
            reconsider_places(tx, [], [environment.environment_id])
            return stored, environment.environment_id

        def act(tx: Transaction) -> Environment:
            return once(tx, ask, lambda: put(tx), lambda found: _environment(tx, found))[0]

        return await self.guarded.write(ask.principal, lambda: self._allow(ask, environment), act)

    async def get(self, principal: Principal, environment_id: str) -> Environment:
        """Return an environment in which the asker may read something."""
        if not self._sees(principal, environment_id):
            raise Denied("ACCESS_DENIED", f"{principal.id} may not read in environment {environment_id}")
        return await self.store.read(principal.tenant, lambda reader: _environment(reader, environment_id))

    async def list(self, principal: Principal, page: Page) -> Listed[Environment]:
        """Return environments by id, those in which the asker may read something; a page may hold fewer."""
        self.access.require_somewhere(principal, Verb.READ)
        listed = await self.store.read(principal.tenant, lambda reader: reader.list_environments(page))
        seen = tuple(one for one in listed.items if self._sees(principal, one.environment_id))
        return Listed(seen, listed.next_after)

    def _allow(self, ask: Ask, environment: Environment) -> None:
        self.access.require(ask.principal, Verb.CATALOG, environment=environment.environment_id)

    def _sees(self, principal: Principal, environment_id: str) -> bool:
        scopes = self.access.allowed_scopes(principal, Verb.READ)
        return any(any_matches(scope.environments, environment_id) for scope in scopes)


def _service(reader: Reader, service_id: str) -> Service:
    found = reader.find_service(service_id)
    if found is None:
        raise NotFound(
            "NOT_FOUND", f"there is no service {service_id}: `passport service create` registers it"
        )
    return found


def _environment(reader: Reader, environment_id: str) -> Environment:
    found = reader.find_environment(environment_id)
    if found is None:
        text = f"there is no environment {environment_id}: `passport environment create` registers it"
        raise NotFound("NOT_FOUND", text)
    return found


def _taken(what: str, name: str) -> AlreadyExists:
    return AlreadyExists("ALREADY_EXISTS", f"there is a {what} {name} already: read it and update it")
