"""Make, show and revoke API tokens; a secret is shown once and never kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from release_passport_server.domain.access import PLATFORM, Principal, Verb, platform_principal
from release_passport_server.domain.catalog import APIToken, RoleBinding
from release_passport_server.domain.errors import (
    AlreadyExists,
    Denied,
    NotFound,
    Precondition,
    Violation,
    invalid,
)
from release_passport_server.domain.ids import APITokenName
from release_passport_server.domain.record import Listed, Page
from release_passport_server.ports.access import Authorizer
from release_passport_server.ports.ids import Ids
from release_passport_server.ports.store import Reader, Store, Transaction, Written
from release_passport_server.ports.tokens import Tokens
from release_passport_server.services.access import put_binding
from release_passport_server.services.asking import Ask, once, record
from release_passport_server.services.grants import GrantLoader, GuardedStore, grant_of

DEFAULT_LIFE = timedelta(days=90)
MAX_LIFE = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class TokenOrder:
    """What a token is to be; without an end it has the usual life."""

    principal: str
    title: str = ""
    expire_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token with the text that is shown once."""

    token: APIToken
    secret: str


@dataclass(frozen=True, slots=True)
class APITokens:
    """Makes tokens with roles, lists and revokes them."""

    store: Store
    access: Authorizer
    guarded: GuardedStore
    loader: GrantLoader
    ids: Ids
    tokens: Tokens

    async def create(
        self, ask: Ask, wanted: TokenOrder, bindings: Sequence[RoleBinding]
    ) -> Written[NewToken]:
        """Return the new token.

        A token speaks for its principal, so its maker must have all that the principal has. Raises AlreadyExists
        for a request id that was used before, because the secret is gone.
        """
        principal = ask.principal
        await self._require_as_much_above(principal, wanted.principal)

        def put(tx: Transaction) -> tuple[NewToken, str]:
            for held in tx.all_role_bindings():
                if held.principal == wanted.principal:
                    self.access.require_grantable(principal, grant_of(held))
            new = issue(tx, self.ids, self.tokens, wanted, principal.id)
            for binding in bindings:
                put_binding(tx, ask, self.ids, binding)
            name = str(APITokenName(tx.tenant, new.token.token_id))
            record(tx, ask, name, principal=wanted.principal, title=wanted.title)
            return new, name

        def act(tx: Transaction) -> NewToken:
            return once(tx, ask, lambda: put(tx), shown_once)[0]

        def allow() -> None:
            self.access.require(principal, Verb.ACCESS)
            for binding in bindings:
                self.access.require_grantable(principal, grant_of(binding))

        return await self.guarded.write_access(principal, allow, act)

    async def revoke(self, ask: Ask, token_id: str) -> Written[APIToken]:
        """Return the token, which counts no longer from now on."""

        def put(tx: Transaction) -> tuple[APIToken, str]:
            before = _token(tx, token_id)
            if before.revoke_time is not None:
                raise Precondition("ALREADY_REVOKED", f"token {token_id} was revoked at {before.revoke_time}")
            stored = replace(before, revoke_time=tx.now)
            tx.put_token(stored)
            record(tx, ask, str(APITokenName(tx.tenant, token_id)), principal=before.principal)
            return stored, token_id

        def act(tx: Transaction) -> APIToken:
            return once(tx, ask, lambda: put(tx), lambda found: _token(tx, found))[0]

        def allow() -> None:
            self.access.require(ask.principal, Verb.ACCESS)

        return await self.guarded.write_access(ask.principal, allow, act)

    async def list(self, principal: Principal, page: Page) -> Listed[APIToken]:
        """Return tokens, newest first; nothing of their secrets."""
        self.access.require(principal, Verb.ACCESS)
        return await self.store.read(principal.tenant, lambda reader: reader.list_tokens(page))

    async def _require_as_much_above(self, principal: Principal, wanted: str) -> None:
        """Raise Denied where the token's principal has roles above tenants that its maker has not."""
        await self.loader.fresh(PLATFORM)
        above = self.access.roles(platform_principal(replace(principal, id=wanted)))
        if not above <= self.access.roles(platform_principal(principal)):
            text = f"{wanted} has roles above tenants that {principal.id} does not have: ask one who has them"
            raise Denied("ACCESS_DENIED", text)


def issue(tx: Transaction, ids: Ids, tokens: Tokens, wanted: TokenOrder, creator: str) -> NewToken:
    """Store a new token and return it with its secret; raise Invalid for an end that is past or too far."""
    expire_time = wanted.expire_time or tx.now + DEFAULT_LIFE
    if not tx.now < expire_time <= tx.now + MAX_LIFE:
        text = f"must be in the future, at most {MAX_LIFE.days} days ahead"
        raise invalid([Violation("api_token.expire_time", text)])
    token_id = ids.ulid(tx.now)
    secret, secret_hash = tokens.issue(token_id)
    token = APIToken(token_id, wanted.title, wanted.principal, secret_hash, tx.now, expire_time, creator)
    tx.put_token(token)
    return NewToken(token, secret)


def shown_once(name: str) -> NewToken:
    """Raise the error for a request that made a token before: there is no second look at a secret."""
    text = (
        f"this request made {name} before, and its secret was shown then and is not kept: "
        "revoke it and make a new one with another request_id"
    )
    raise AlreadyExists("ALREADY_EXISTS", text, metadata={"apiToken": name})


def _token(reader: Reader, token_id: str) -> APIToken:
    found = reader.find_token(token_id)
    if found is None:
        raise NotFound("NOT_FOUND", f"there is no token {token_id}")
    return found
