"""Refuse principals, and single credentials that others have issued, before their time is up."""

from __future__ import annotations

from dataclasses import dataclass, replace

from release_passport_server.domain.access import Principal, Verb
from release_passport_server.domain.catalog import Ban
from release_passport_server.domain.errors import NotFound, Precondition
from release_passport_server.domain.ids import BanName
from release_passport_server.domain.record import Listed, Page
from release_passport_server.ports.access import Authorizer
from release_passport_server.ports.ids import Ids
from release_passport_server.ports.store import Reader, Store, Transaction, Written
from release_passport_server.services.asking import Ask, once, record
from release_passport_server.services.grants import GuardedStore
from release_passport_server.services.reconsider import reconsider_votes


@dataclass(frozen=True, slots=True)
class Bans:
    """Makes, ends and lists bans."""

    store: Store
    access: Authorizer
    guarded: GuardedStore
    ids: Ids

    async def create(self, ask: Ask, wanted: Ban) -> Written[Ban]:
        """Return the ban, which counts from now on; raise Precondition for whoever would shut themselves out."""
        if wanted.principal == ask.principal.id and wanted.credential in {"", ask.principal.credential}:
            text = "this would refuse you yourself: ask another admin of this tenant"
            raise Precondition("SELF_BAN", text)

        def put(tx: Transaction) -> tuple[Ban, str]:
            made = replace(wanted, ban_id=self.ids.ulid(tx.now), creator=ask.principal.id, create_time=tx.now)
            tx.put_ban(made)
            # Votes of theirs count no longer.
            reconsider_votes(tx, ("*",), ("*",))
            name = str(BanName(tx.tenant, made.ban_id))
            record(tx, ask, name, principal=made.principal, credential=made.credential, reason=made.reason)
            return made, made.ban_id

        def act(tx: Transaction) -> Ban:
            return once(tx, ask, lambda: put(tx), lambda found: _ban(tx, found))[0]

        return await self.guarded.write_access(ask.principal, lambda: self._allow(ask.principal), act)

    async def end(self, ask: Ask, ban_id: str) -> Written[Ban]:
        """Return the ban, which counts no longer; raise Precondition where that was so before."""

        def put(tx: Transaction) -> tuple[Ban, str]:
            before = _ban(tx, ban_id)
            if before.end_time is not None:
                raise Precondition("ALREADY_ENDED", f"ban {ban_id} was ended at {before.end_time}")
            ended = replace(before, end_time=tx.now)
            tx.put_ban(ended)
            reconsider_votes(tx, ("*",), ("*",))
            record(tx, ask, str(BanName(tx.tenant, ban_id)), principal=ended.principal)
            return ended, ban_id

        def act(tx: Transaction) -> Ban:
            return once(tx, ask, lambda: put(tx), lambda found: _ban(tx, found))[0]

        return await self.guarded.write_access(ask.principal, lambda: self._allow(ask.principal), act)

    async def list(self, principal: Principal, of: str, page: Page) -> Listed[Ban]:
        """Return bans, newest first; an empty `of` means those of all principals."""
        self._allow(principal)
        return await self.store.read(principal.tenant, lambda reader: reader.list_bans(of, page))

    def _allow(self, principal: Principal) -> None:
        self.access.require(principal, Verb.ACCESS)


def _ban(reader: Reader, ban_id: str) -> Ban:
    found = reader.find_ban(ban_id)
    if found is None:
        raise NotFound("NOT_FOUND", f"there is no ban {ban_id}")
    return found
