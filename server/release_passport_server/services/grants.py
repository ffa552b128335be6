"""Keep the authorizer's grants as the store has them."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from release_passport_server.domain.access import Grant, Principal, Proof, Scope
from release_passport_server.domain.catalog import RoleBinding
from release_passport_server.domain.errors import Denied, Unauthenticated, Unavailable
from release_passport_server.ports.access import Authorizer, Grants
from release_passport_server.ports.clock import Clock
from release_passport_server.ports.store import Reader, Store, Transaction, Written

T = TypeVar("T")

FRESH = timedelta(seconds=1)
_ATTEMPTS = 3


class _RightsChanged(Exception):
    """The rights that were looked at are no longer those of the store."""


@dataclass(slots=True)
class GrantLoader:
    """Loads a tenant's grants when its access generation has changed, and asks for it once a second at most."""

    store: Store
    grants: Grants
    access: Authorizer
    clock: Clock
    _read_times: dict[str, datetime] = field(default_factory=dict)
    _locks: defaultdict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))

    async def fresh(self, tenant: str) -> int:
        """Return the generation of the grants that are loaded, at most a second behind the store."""
        if not self._is_fresh(tenant):
            async with self._locks[tenant]:
                if not self._is_fresh(tenant):
                    await self._load(tenant)
        return self.access.generation(tenant)

    async def reload(self, tenant: str) -> int:
        """Return the generation of the grants that are loaded, as the store has it now."""
        async with self._locks[tenant]:
            await self._load(tenant)
        return self.access.generation(tenant)

    def _is_fresh(self, tenant: str) -> bool:
        read = self._read_times.get(tenant)
        # A clock that was set back must not keep old grants alive.
        return read is not None and timedelta(0) <= self.clock.now() - read < FRESH

    async def _load(self, tenant: str) -> None:
        asked = self.clock.now()

        def act(reader: Reader) -> None:
            generation = reader.access_generation()
            known = self.access.generation(tenant)
            if generation == known:
                return
            if generation < known:
                self.grants.forget(tenant)
            self.grants.replace(tenant, generation, [grant_of(one) for one in reader.all_role_bindings()])

        await self.store.read(tenant, act)
        self._read_times[tenant] = asked


@dataclass(frozen=True, slots=True)
class GuardedStore:
    """Writes what needs rights that nobody may have lost meanwhile: they are checked in the write's transaction."""

    store: Store
    access: Authorizer
    loader: GrantLoader

    async def write(
        self, principal: Principal, allow: Callable[[], None], act: Callable[[Transaction], T]
    ) -> Written[T]:
        """Run `act` if `allow` raises nothing and the principal's token stands, under the rights of that moment."""
        allow()

        def guarded(tx: Transaction) -> T:
            if tx.access_generation() != self.access.generation(principal.tenant):
                raise _RightsChanged
            _require_credential(tx, principal)
            allow()
            return act(tx)

        for _ in range(_ATTEMPTS):
            try:
                return await self.store.write(principal.tenant, guarded)
            except _RightsChanged:
                await self.loader.reload(principal.tenant)
        text = "the rights in this tenant are changing right now, nothing was done: retry"
        raise Unavailable("OVERLOADED", text, retry_after=0.5)

    async def write_access(
        self, principal: Principal, allow: Callable[[], None], act: Callable[[Transaction], T]
    ) -> Written[T]:
        """Write what changes rights; it counts here from the moment that this returns."""
        written = await self.write(principal, allow, act)
        await self.loader.reload(principal.tenant)
        return written


def grant_of(binding: RoleBinding) -> Grant:
    """Return what a role binding gives; no globs mean everywhere."""
    scope = Scope(binding.services or ("*",), binding.environments or ("*",))
    return Grant(binding.principal, binding.role, scope, binding.evidence_kinds)


def _require_credential(tx: Transaction, principal: Principal) -> None:
    if principal.proof is Proof.OWN:
        _require_own_token(tx, principal)
    elif principal.expire_time <= tx.now:
        raise Unauthenticated("CREDENTIAL_INVALID", "the credential has expired: sign in again")
    if is_banned(tx, principal.id, principal.credential):
        raise Unauthenticated("CREDENTIAL_INVALID", "the principal or its credential was banned")
    tenant = tx.find_tenant()
    if tenant is None or tenant.suspended:
        raise Denied(
            "TENANT_SUSPENDED", f"tenant {principal.tenant} is suspended: nothing can be changed in it"
        )


def is_banned(reader: Reader, principal: str, credential: str) -> bool:
    """Say whether a principal is refused, with that credential or altogether."""
    return any(ban.holds(credential) for ban in reader.bans_of(principal))


def _require_own_token(tx: Transaction, principal: Principal) -> None:
    token = tx.find_token(principal.credential)
    if token is None or token.revoke_time is not None or token.expire_time <= tx.now:
        raise Unauthenticated("CREDENTIAL_INVALID", "the token was revoked or has expired")
    if token.principal != principal.id:
        raise Denied("ACCESS_DENIED", "the token belongs to another principal")
