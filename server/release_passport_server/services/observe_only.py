"""Let a service go ahead in an environment while nothing is enforced there: a person's record, with an end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from release_passport_server.domain.access import Principal, Scope, Verb
from release_passport_server.domain.catalog import ObserveOnlyBinding
from release_passport_server.domain.errors import Denied, NotFound, Violation, invalid
from release_passport_server.domain.ids import ObserveOnlyBindingName
from release_passport_server.domain.record import Listed, Page
from release_passport_server.ports.access import Authorizer
from release_passport_server.ports.ids import Ids
from release_passport_server.ports.store import Reader, ReleaseFilter, Store, Transaction, Written
from release_passport_server.services.asking import Ask, once, record
from release_passport_server.services.filling import filled
from release_passport_server.services.grants import GuardedStore
from release_passport_server.services.reconsider import reconsider_places

MAX_DURATION = timedelta(days=90)
_PAGE = 1000


@dataclass(frozen=True, slots=True)
class ObserveOnlyBindings:
    """Makes, shows and ends observe-only bindings."""

    store: Store
    access: Authorizer
    guarded: GuardedStore
    ids: Ids

    async def create(self, ask: Ask, binding: ObserveOnlyBinding) -> Written[ObserveOnlyBinding]:
        """Return the binding; raise Denied for who made a release of the service there."""
        principal = ask.principal
        service, environment = binding.service, binding.environment

        def put(tx: Transaction) -> tuple[ObserveOnlyBinding, str]:
            self._check(tx, principal, binding)
            stored = replace(
                binding, binding_id=self.ids.ulid(tx.now), creator=principal.id, create_time=tx.now
            )
            tx.put_observe_only(stored)
            name = ObserveOnlyBindingName(tx.tenant, service, environment, stored.binding_id)
            record(tx, ask, str(name), owner=binding.owner, reason=binding.reason)
            reconsider_places(tx, [service], [environment])
            return stored, stored.binding_id

        def act(tx: Transaction) -> ObserveOnlyBinding:
            return once(tx, ask, lambda: put(tx), lambda found: _binding(tx, found))[0]

        return await self.guarded.write(principal, lambda: self._allow(principal, service, environment), act)

    async def end(self, ask: Ask, name: ObserveOnlyBindingName) -> Written[ObserveOnlyBinding]:
        """Return the binding, ended now; one that has ended already is returned as it is."""
        principal = ask.principal

        def put(tx: Transaction) -> tuple[ObserveOnlyBinding, str]:
            before = _binding(tx, name.binding_id)
            if (before.service, before.environment) != (name.service, name.environment):
                raise NotFound("NOT_FOUND", f"there is no binding {name}")
            if before.end_time is not None:
                return before, before.binding_id
            stored = replace(before, end_time=tx.now)
            tx.put_observe_only(stored)
            record(tx, ask, str(name))
            reconsider_places(tx, [name.service], [name.environment])
            return stored, stored.binding_id

        def act(tx: Transaction) -> ObserveOnlyBinding:
            return once(tx, ask, lambda: put(tx), lambda found: _binding(tx, found))[0]

        def allow() -> None:
            self._allow(principal, name.service, name.environment)

        return await self.guarded.write(principal, allow, act)

    async def list(self, principal: Principal, page: Page) -> Listed[ObserveOnlyBinding]:
        """Return the bindings that the asker may see, newest first, ended ones included."""
        self.access.require_somewhere(principal, Verb.READ)
        scopes = self.access.allowed_scopes(principal, Verb.READ)

        def shown(one: ObserveOnlyBinding) -> ObserveOnlyBinding | None:
            seen = any(scope.covers(one.service, one.environment) for scope in scopes)
            return one if seen else None

        def act(reader: Reader) -> Listed[ObserveOnlyBinding]:
            return filled(lambda part: reader.list_observe_only(part, scopes=scopes), page, shown)

        return await self.store.read(principal.tenant, act)

    def _allow(self, principal: Principal, service: str, environment: str) -> None:
        self.access.require(principal, Verb.OBSERVE_ONLY, service=service, environment=environment)

    def _check(self, tx: Transaction, principal: Principal, binding: ObserveOnlyBinding) -> None:
        if not tx.now < binding.expire_time <= tx.now + MAX_DURATION:
            raise invalid([Violation("binding.expire_time", "must be in the future, at most 90 days ahead")])
        if tx.find_service(binding.service) is None:
            raise NotFound("NOT_FOUND", f"there is no service {binding.service}")
        if tx.find_environment(binding.environment) is None:
            raise NotFound("NOT_FOUND", f"there is no environment {binding.environment}")
        if _made_a_release(tx, principal.id, binding.service, binding.environment):
            text = (
                f"{principal.id} made releases of {binding.service} in {binding.environment}: "
                "somebody else has to decide that nothing is enforced there"
            )
            raise Denied("ACCESS_DENIED", text)


def _made_a_release(reader: Reader, principal: str, service: str, environment: str) -> bool:
    wanted = ReleaseFilter((Scope(),), service, environment)
    page = Page(_PAGE)
    while True:
        listed = reader.list_releases(wanted, page)
        if any(release.creator == principal for release in listed.items):
            return True
        if not listed.next_after:
            return False
        page = Page(_PAGE, listed.next_after)


def _binding(reader: Reader, binding_id: str) -> ObserveOnlyBinding:
    found = reader.find_observe_only(binding_id)
    if found is None:
        raise NotFound("NOT_FOUND", f"there is no observe-only binding {binding_id}")
    return found
