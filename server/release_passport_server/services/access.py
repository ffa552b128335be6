"""Say who may do what: role bindings, and what the server takes a caller for."""

from __future__ import annotations

from dataclasses import dataclass, replace

from release_passport_server.domain.access import PLATFORM, Principal, Verb, platform_principal
from release_passport_server.domain.catalog import RoleBinding
from release_passport_server.domain.errors import NotFound, Precondition
from release_passport_server.domain.ids import RoleBindingName
from release_passport_server.domain.record import Listed, Page
from release_passport_server.ports.access import Authorizer
from release_passport_server.ports.ids import Ids
from release_passport_server.ports.store import Reader, Store, Transaction, Written
from release_passport_server.services.asking import Ask, once, record
from release_passport_server.services.grants import GrantLoader, GuardedStore, grant_of
from release_passport_server.services.reconsider import reconsider_votes

ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the server takes a caller for."""

    principal: Principal
    roles: tuple[str, ...]
    verbs: tuple[str, ...]
    notices: tuple[str, ...]
    server_version: str


@dataclass(frozen=True, slots=True)
class WhoAmI:
    """Tells a caller who it is."""

    access: Authorizer
    loader: GrantLoader
    server_version: str
    notices: tuple[str, ...] = ()

    async def __call__(self, principal: Principal) -> Identity:
        """Return who the caller is and what it may do somewhere, above tenants too."""
        await self.loader.fresh(PLATFORM)
        above = platform_principal(principal)
        notices = self.notices
        if principal.dev:
            notices = (*notices, "this server runs in development mode: its decisions count nowhere else")
        return Identity(
            principal,
            tuple(sorted(self.access.roles(principal) | self.access.roles(above))),
            tuple(sorted(self.access.verbs(principal) | self.access.verbs(above))),
            notices,
            self.server_version,
        )


@dataclass(frozen=True, slots=True)
class RoleBindings:
    """Gives and takes roles; nobody gives more than they have."""

    store: Store
    access: Authorizer
    guarded: GuardedStore
    ids: Ids

    async def create(self, ask: Ask, binding: RoleBinding) -> Written[RoleBinding]:
        """Return the binding; raise Denied where it gives what its maker does not have."""

        def put(tx: Transaction) -> tuple[RoleBinding, str]:
            stored = put_binding(tx, ask, self.ids, binding)
            return stored, stored.binding_id

        def act(tx: Transaction) -> RoleBinding:
            return once(tx, ask, lambda: put(tx), lambda found: _binding(tx, found))[0]

        def allow() -> None:
            self.access.require(ask.principal, Verb.ACCESS)
            self.access.require_grantable(ask.principal, grant_of(binding))

        return await self.guarded.write_access(ask.principal, allow, act)

    async def delete(self, ask: Ask, binding_id: str) -> Written[RoleBinding | None]:
        """Return the binding, None where this was done before; raise Precondition for the last full admin's."""

        def put(tx: Transaction) -> tuple[RoleBinding | None, str]:
            binding = _binding(tx, binding_id)
            if is_full_admin(binding) and not _another_admin(tx, binding_id):
                text = (
                    "this is the last binding that makes an admin of the whole tenant: make another one first"
                )
                raise Precondition("LAST_ADMIN", text)
            tx.delete_role_binding(binding_id)
            name = str(RoleBindingName(tx.tenant, binding_id))
            record(tx, ask, name, principal=binding.principal, role=binding.role)
            # Votes of theirs may count no longer.
            reconsider_votes(tx, binding.services, binding.environments)
            return binding, binding_id

        def act(tx: Transaction) -> RoleBinding | None:
            return once(tx, ask, lambda: put(tx), lambda _: None)[0]

        def allow() -> None:
            self.access.require(ask.principal, Verb.ACCESS)

        return await self.guarded.write_access(ask.principal, allow, act)

    async def list(self, principal: Principal, of: str, page: Page) -> Listed[RoleBinding]:
        """Return bindings, newest first; an empty `of` means those of all principals."""
        self.access.require(principal, Verb.ACCESS)
        return await self.store.read(principal.tenant, lambda reader: reader.list_role_bindings(of, page))


def put_binding(tx: Transaction, ask: Ask, ids: Ids, binding: RoleBinding) -> RoleBinding:
    """Store a binding and the record of it."""
    stored = replace(binding, binding_id=ids.ulid(tx.now), creator=ask.principal.id, create_time=tx.now)
    tx.put_role_binding(stored)
    name = str(RoleBindingName(tx.tenant, stored.binding_id))
    record(
        tx,
        ask,
        name,
        principal=stored.principal,
        role=stored.role,
        services=list(stored.services),
        environments=list(stored.environments),
    )
    return stored


def is_full_admin(binding: RoleBinding) -> bool:
    """Say whether a binding makes its principal an admin of the whole tenant."""
    return binding.role == ADMIN and _everywhere(binding.services) and _everywhere(binding.environments)


def _everywhere(globs: tuple[str, ...]) -> bool:
    return not globs or "*" in globs


def _another_admin(reader: Reader, binding_id: str) -> bool:
    others = (one for one in reader.all_role_bindings() if one.binding_id != binding_id)
    return any(is_full_admin(one) for one in others)


def _binding(reader: Reader, binding_id: str) -> RoleBinding:
    found = reader.find_role_binding(binding_id)
    if found is None:
        raise NotFound("NOT_FOUND", f"there is no role binding {binding_id}")
    return found
