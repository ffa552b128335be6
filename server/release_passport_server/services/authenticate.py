"""Find out who asks."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from release_passport_server.domain.access import PLATFORM, Principal, Proof, Verb, platform_principal
from release_passport_server.domain.catalog import APIToken, Tenant
from release_passport_server.domain.errors import Denied, Unauthenticated
from release_passport_server.domain.identity import identify, not_accepted
from release_passport_server.ports.access import Authorizer
from release_passport_server.ports.clock import Clock
from release_passport_server.ports.identity import CertificateReader, TokenVerifier, Vouched
from release_passport_server.ports.store import Reader, Store
from release_passport_server.ports.tokens import Tokens
from release_passport_server.services.grants import GrantLoader, is_banned

MAX_KNOWN = 10_000
# What somebody else vouches for is verified again so often: an issuer may have taken a key away.
REMEMBERED = timedelta(seconds=60)
# What a token that does not exist is compared with, so that it takes as long as one that does.
_NO_SECRET = bytes(32)
_NEVER = -2
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Known:
    """A credential that was good at a generation of its tenant's rights, until a moment."""

    principal: Principal
    generation: int
    until: datetime
    # A clock that was set back must not let what is verified anew be remembered for longer.
    since: datetime = _LONG_AGO


@dataclass(frozen=True, slots=True)
class Vouchers:
    """Those whose word about others counts."""

    tokens: TokenVerifier | None = None
    certificates: CertificateReader | None = None


@dataclass(slots=True)
class Authenticate:
    """Turns credentials into principals; what was found good counts until the tenant's rights change."""

    store: Store
    tokens: Tokens
    access: Authorizer
    loader: GrantLoader
    clock: Clock
    dev: bool = False
    vouchers: Vouchers = Vouchers()
    _known: OrderedDict[bytes, _Known] = field(default_factory=OrderedDict)

    async def authenticate(self, bearer: str | None, certificate: bytes = b"") -> Principal:
        """Return whose credential it is; raise Unauthenticated, or Denied where the tenant is suspended.

        The certificate is that of the connection's TLS handshake. It counts where no token is shown; a token that is
        no good is never made good by it.
        """
        if bearer:
            key = hashlib.sha256(bearer.encode("utf-8", "surrogatepass")).digest()
        elif certificate and self.vouchers.certificates is not None:
            key = certificate
        else:
            text = (
                "send a token: `authorization: Bearer` and the token; `passport login` signs a person in, "
                "`passport token create` makes one for a machine"
            )
            raise Unauthenticated("CREDENTIAL_MISSING", text)
        known = self._known.get(key)
        if known is not None:
            generation = await self.loader.fresh(known.principal.tenant)
            if generation == known.generation and known.since <= self.clock.now() < known.until:
                return known.principal
            self._known.pop(key, None)
        found = await (self._look_up(bearer) if bearer else self._of_certificate(certificate))
        self._known[key] = found
        while len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)
        return found.principal

    async def _look_up(self, bearer: str) -> _Known:
        token_id = self.tokens.token_id(bearer)
        if token_id is not None:
            return await self._of_api_token(bearer, token_id)
        issued = self.vouchers.tokens
        if issued is None or not issued.may_be_token(bearer):
            raise _refused()
        return await self._of_vouched(await issued.verify(bearer), Proof.ISSUED)

    async def _of_certificate(self, certificate: bytes) -> _Known:
        assert self.vouchers.certificates is not None
        return await self._of_vouched(self.vouchers.certificates.read(certificate), Proof.CERTIFICATE)

    async def _of_api_token(self, bearer: str, token_id: str) -> _Known:
        tenant_id = await self.store.tenant_of_token(token_id)
        if tenant_id is None:
            self.tokens.matches(bearer, _NO_SECRET)
            raise _refused()
        generation = await self.loader.fresh(tenant_id)

        def act(reader: Reader) -> tuple[APIToken | None, Tenant | None, bool]:
            token = reader.find_token(token_id)
            banned = token is not None and is_banned(reader, token.principal, token_id)
            return token, reader.find_tenant(), banned

        token, tenant, banned = await self.store.read(tenant_id, act)
        if token is None or tenant is None or not self.tokens.matches(bearer, token.secret_hash):
            raise _refused()
        if banned or token.revoke_time is not None or token.expire_time <= self.clock.now():
            raise _refused()
        principal = Principal(token.principal, tenant_id, token.expire_time, token.token_id, self.dev)
        return await self._admitted(principal, tenant, generation)

    async def _of_vouched(self, vouched: Vouched, proof: Proof) -> _Known:
        found = identify(vouched.source, vouched.claims)
        principal = Principal(
            found.principal,
            found.tenant,
            vouched.expire_time,
            vouched.credential,
            self.dev,
            found.groups,
            found.identities,
            proof,
        )
        generation = await self.loader.fresh(found.tenant)

        def act(reader: Reader) -> tuple[bool, Tenant | None]:
            return is_banned(reader, principal.id, principal.credential), reader.find_tenant()

        banned, tenant = await self.store.read(found.tenant, act)
        if banned:
            raise not_accepted("it was banned")
        if tenant is None:
            raise not_accepted("the tenant that it is for does not exist")
        known = await self._admitted(principal, tenant, generation)
        now = self.clock.now()
        return replace(known, until=min(known.until, now + REMEMBERED), since=now)

    async def _admitted(self, principal: Principal, tenant: Tenant, generation: int) -> _Known:
        if tenant.suspended:
            await self._require_tenant_administrator(principal)
            # Rights above the tenant have a generation of their own: look again every time.
            generation = _NEVER
        return _Known(principal, generation, principal.expire_time)

    async def _require_tenant_administrator(self, principal: Principal) -> None:
        await self.loader.fresh(PLATFORM)
        if Verb.TENANTS not in self.access.verbs(platform_principal(principal)):
            text = f"tenant {principal.tenant} is suspended: ask the administrators of this server"
            raise Denied("TENANT_SUSPENDED", text)


def _refused() -> Unauthenticated:
    text = "the token is unknown, expired or revoked: ask an administrator for a new one"
    return Unauthenticated("CREDENTIAL_INVALID", text)
