"""Make and suspend tenants, from above them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from release_passport_server.domain.access import PLATFORM, Principal, Verb, platform_principal
from release_passport_server.domain.catalog import RoleBinding, Tenant
from release_passport_server.domain.errors import AlreadyExists, NotFound
from release_passport_server.domain.ids import APITokenName, TenantName
from release_passport_server.domain.record import Listed, Page
from release_passport_server.ports.access import Authorizer
from release_passport_server.ports.ids import Ids
from release_passport_server.ports.store import Reader, Store, Transaction
from release_passport_server.ports.tokens import Tokens
from release_passport_server.services.access import ADMIN, put_binding
from release_passport_server.services.asking import Ask, once, record
from release_passport_server.services.grants import GrantLoader
from release_passport_server.services.tokens import TokenOrder, issue, shown_once

PLATFORM_ADMIN = "platform-admin"
FIRST_ADMIN = "user:admin"
# Who acts before there is anybody.
_SETUP = "server:init"
_UNSET = datetime.min.replace(tzinfo=UTC)
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Tenants:
    """Makes, shows, changes and suspends tenants for those who have the verb above them."""

    store: Store
    access: Authorizer
    loader: GrantLoader
    ids: Ids
    tokens: Tokens

    async def create(self, ask: Ask, tenant_id: str, title: str) -> tuple[Tenant, str]:
        """Return the new tenant and the secret of its first admin's token, which is shown once."""
        above = await self._allowed(ask.principal)
        asked = replace(ask, principal=above)

        def act(tx: Transaction) -> tuple[Tenant, str]:
            return once(
                tx,
                asked,
                lambda: _put_tenant(tx, asked, self.ids, self.tokens, title),
                lambda name: (_tenant(tx), shown_once(name).secret),
            )[0]

        return (await self.store.write(tenant_id, act)).value

    async def get(self, principal: Principal, tenant_id: str) -> Tenant:
        """Return one tenant."""
        await self._allowed(principal)
        return await self.store.read(tenant_id, _tenant)

    async def list(self, principal: Principal, page: Page) -> Listed[Tenant]:
        """Return tenants by id."""
        await self._allowed(principal)
        return await self.store.list_tenants(page)

    async def suspend(self, ask: Ask, tenant_id: str, *, lift: bool) -> Tenant:
        """Return the tenant, suspended or with the suspension lifted; its tokens are refused from now on."""
        above = await self._allowed(ask.principal)
        asked = replace(ask, principal=above)

        def act(tx: Transaction) -> Tenant:
            before = _tenant(tx)
            if before.suspended is not lift:
                return before
            stored = replace(before, suspended=not lift)
            tx.put_tenant(stored)
            record(tx, asked, str(TenantName(tenant_id)), suspended=stored.suspended)
            return stored

        tenant = (await self.store.write(tenant_id, act)).value
        await self.loader.reload(tenant_id)
        return tenant

    async def update(self, ask: Ask, tenant_id: str, title: str, *, second_person: bool) -> Tenant:
        """Return the tenant with its title and settings replaced."""
        above = await self._allowed(ask.principal)
        asked = replace(ask, principal=above)

        def act(tx: Transaction) -> Tenant:
            before = _tenant(tx)
            stored = replace(before, title=title, second_person=second_person)
            if stored != before:
                tx.put_tenant(stored)
                record(tx, asked, str(TenantName(tenant_id)), title=title, secondPerson=second_person)
            return stored

        return (await self.store.write(tenant_id, act)).value

    async def _allowed(self, principal: Principal) -> Principal:
        """Return who the principal is above tenants; raise Denied unless it may administer them."""
        above = platform_principal(principal)
        await self.loader.reload(PLATFORM)
        self.access.require(above, Verb.TENANTS)
        return above


async def bootstrap_tenant(
    store: Store, ids: Ids, tokens: Tokens, tenant_id: str, *, title: str = ""
) -> tuple[Tenant, str]:
    """Return a server's first tenant and the secret of its admin, who administers tenants too.

    Raises AlreadyExists for a tenant that is there: nobody gets a second first admin.
    """
    setup = Principal(_SETUP, PLATFORM, _NEVER)
    ask = Ask(setup, "Init")

    def above(tx: Transaction) -> None:
        wanted = _binding(f"{tenant_id}/{FIRST_ADMIN}", PLATFORM_ADMIN)
        if not any(one.principal == wanted.principal for one in tx.all_role_bindings()):
            put_binding(tx, ask, ids, wanted)

    if await store.read(tenant_id, lambda reader: reader.find_tenant()) is not None:
        raise _taken(tenant_id)
    # The right above comes first: without the tenant it is nobody's, and a second try finds it.
    await store.write(PLATFORM, above)
    written = await store.write(tenant_id, lambda tx: _put_tenant(tx, ask, ids, tokens, title)[0])
    return written.value


def _put_tenant(
    tx: Transaction, ask: Ask, ids: Ids, tokens: Tokens, title: str
) -> tuple[tuple[Tenant, str], str]:
    if tx.find_tenant() is not None:
        raise _taken(tx.tenant)
    tenant = Tenant(tx.tenant, title, tx.now)
    tx.put_tenant(tenant)
    put_binding(tx, ask, ids, _binding(FIRST_ADMIN, ADMIN))
    order = TokenOrder(FIRST_ADMIN, "first admin")
    new = issue(tx, ids, tokens, order, ask.principal.id)
    name = str(APITokenName(tx.tenant, new.token.token_id))
    record(tx, ask, str(TenantName(tx.tenant)), apiToken=name)
    return (tenant, new.secret), name


def _binding(principal: str, role: str) -> RoleBinding:
    return RoleBinding("", principal, role, _UNSET, "")


def _tenant(reader: Reader) -> Tenant:
    found = reader.find_tenant()
    if found is None:
        raise NotFound("NOT_FOUND", f"there is no tenant {reader.tenant}")
    return found


def _taken(tenant_id: str) -> AlreadyExists:
    return AlreadyExists("ALREADY_EXISTS", f"there is a tenant {tenant_id} already")
