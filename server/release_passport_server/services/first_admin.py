"""Let the first person in: a new store knows nobody who could."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from release_passport_server.domain.access import PLATFORM, Principal, platform_principal
from release_passport_server.domain.catalog import APIToken, RoleBinding, Tenant
from release_passport_server.domain.errors import AlreadyExists, Violation, invalid
from release_passport_server.domain.ids import SLUG_RULE, is_slug
from release_passport_server.domain.record import AuditEntry, FeedEvent, Page
from release_passport_server.ports.clock import Clock
from release_passport_server.ports.ids import Ids
from release_passport_server.ports.store import Store, Transaction
from release_passport_server.ports.tokens import Tokens

CREATOR = "system:init"
LIFETIME = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class FirstAdmin:
    """Makes the first tenant with an administrator, who is the platform's too."""

    store: Store
    tokens: Tokens
    ids: Ids
    clock: Clock

    async def __call__(self, tenant: str, principal: str) -> str:
        """Return the administrator's token; raise AlreadyExists where there is a tenant."""
        _check(tenant, principal)
        if (await self.store.list_tenants(Page(1))).items:
            raise _initialised()
        above = platform_principal(Principal(principal, tenant, self.clock.now() + LIFETIME))
        await self.store.write(PLATFORM, lambda tx: self._bind(tx, above.id, "platform-admin"))

        def act(tx: Transaction) -> str:
            if tx.find_tenant() is not None:
                raise _initialised()
            tx.put_tenant(Tenant(tenant, tenant, tx.now))
            self._record(tx, "Init", f"tenants/{tenant}")
            self._bind(tx, principal, "admin")
            return self._token(tx, principal)

        return (await self.store.write(tenant, act)).value

    async def another_token(self, tenant: str, principal: str, *, lifetime: timedelta) -> str:
        """Return a new token for somebody who has their roles already."""
        return (await self.store.write(tenant, lambda tx: self._token(tx, principal, lifetime))).value

    def _bind(self, tx: Transaction, principal: str, role: str) -> None:
        binding = RoleBinding(self.ids.ulid(tx.now), principal, role, tx.now, CREATOR)
        tx.put_role_binding(binding)
        self._record(tx, "CreateRoleBinding", f"tenants/{tx.tenant}/roleBindings/{binding.binding_id}")

    def _token(self, tx: Transaction, principal: str, lifetime: timedelta = LIFETIME) -> str:
        token_id = self.ids.ulid(tx.now)
        text, secret_hash = self.tokens.issue(token_id)
        tx.put_token(
            APIToken(token_id, "first token", principal, secret_hash, tx.now, tx.now + lifetime, CREATOR)
        )
        self._record(tx, "CreateAPIToken", f"tenants/{tx.tenant}/apiTokens/{token_id}")
        return text

    def _record(self, tx: Transaction, method: str, subject: str) -> None:
        tx.emit(FeedEvent(method, subject, ("tenant",)))
        tx.audit(AuditEntry(CREATOR, method, subject, {}))


def _check(tenant: str, principal: str) -> None:
    kind, _, name = principal.partition(":")
    violations = []
    if not is_slug(tenant):
        violations.append(Violation("tenant", SLUG_RULE))
    if kind not in {"user", "sa"} or not is_slug(name):
        violations.append(Violation("principal", f"user: or sa: and a name: {SLUG_RULE}"))
    if violations:
        raise invalid(violations)


def _initialised() -> AlreadyExists:
    return AlreadyExists(
        "ALREADY_EXISTS",
        "this store has a tenant already; its administrators make tokens: passport token create",
    )
