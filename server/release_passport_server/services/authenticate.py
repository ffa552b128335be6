"""Find out who asks."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass, field

from release_passport_server.domain.access import PLATFORM, Principal, Verb, platform_principal
from release_passport_server.domain.catalog import APIToken, Tenant
from release_passport_server.domain.errors import Denied, Unauthenticated
from release_passport_server.ports.access import Authorizer
from release_passport_server.ports.clock import Clock
from release_passport_server.ports.store import Reader, Store
from release_passport_server.ports.tokens import Tokens
from release_passport_server.services.grants import GrantLoader

MAX_KNOWN = 10_000
# What a token that does not exist is compared with, so that it takes as long as one that does.
_NO_SECRET = bytes(32)
_NEVER = -2


@dataclass(frozen=True, slots=True)
class _Known:
    """A token that was good at a generation of its tenant's rights."""

    principal: Principal
    generation: int


@dataclass(slots=True)
class Authenticate:
    """Turns bearer tokens into principals; what was found good counts until the tenant's rights change."""

    store: Store
    tokens: Tokens
    access: Authorizer
    loader: GrantLoader
    clock: Clock
    dev: bool = False
    _known: OrderedDict[bytes, _Known] = field(default_factory=OrderedDict)

    async def authenticate(self, bearer: str | None) -> Principal:
        """Return whose token it is; raise Unauthenticated, or Denied where the tenant is suspended."""
        if not bearer:
            text = "send a token: `authorization: Bearer` and the token; `passport token create` makes one"
            raise Unauthenticated("CREDENTIAL_MISSING", text)
        key = hashlib.sha256(bearer.encode("utf-8", "surrogatepass")).digest()
        known = self._known.get(key)
        if known is not None:
            generation = await self.loader.fresh(known.principal.tenant)
            if generation == known.generation and self.clock.now() < known.principal.expire_time:
                return known.principal
            self._known.pop(key, None)
        found = await self._look_up(bearer)
        self._known[key] = found
        while len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)
        return found.principal

    async def _look_up(self, bearer: str) -> _Known:
        token_id = self.tokens.token_id(bearer)
        if token_id is None:
            raise _refused()
        tenant_id = await self.store.tenant_of_token(token_id)
        if tenant_id is None:
            self.tokens.matches(bearer, _NO_SECRET)
            raise _refused()
        generation = await self.loader.fresh(tenant_id)

        def act(reader: Reader) -> tuple[APIToken | None, Tenant | None]:
            return reader.find_token(token_id), reader.find_tenant()

        token, tenant = await self.store.read(tenant_id, act)
        if token is None or tenant is None or not self.tokens.matches(bearer, token.secret_hash):
            raise _refused()
        if token.revoke_time is not None or token.expire_time <= self.clock.now():
            raise _refused()
        principal = Principal(token.principal, tenant_id, token.expire_time, token.token_id, self.dev)
        if tenant.suspended:
            await self._require_tenant_administrator(principal)
            # Rights above the tenant have a generation of their own: look again every time.
            generation = _NEVER
        return _Known(principal, generation)

    async def _require_tenant_administrator(self, principal: Principal) -> None:
        await self.loader.fresh(PLATFORM)
        if Verb.TENANTS not in self.access.verbs(platform_principal(principal)):
            text = f"tenant {principal.tenant} is suspended: ask the administrators of this server"
            raise Denied("TENANT_SUSPENDED", text)


def _refused() -> Unauthenticated:
    text = "the token is unknown, expired or revoked: ask an administrator for a new one"
    return Unauthenticated("CREDENTIAL_INVALID", text)
