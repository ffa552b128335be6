"""Keep the groups that vote together."""

from __future__ import annotations

from dataclasses import dataclass, replace

from release_passport_server.domain.access import Principal, Verb
from release_passport_server.domain.act_names import GroupName
from release_passport_server.domain.acts import Group
from release_passport_server.domain.errors import NotFound
from release_passport_server.domain.record import Listed, Page
from release_passport_server.ports.access import Authorizer
from release_passport_server.ports.store import Reader, Store, Transaction, Written
from release_passport_server.services.asking import Ask, once, record
from release_passport_server.services.grants import GuardedStore
from release_passport_server.services.reconsider import reconsider_tenant


@dataclass(frozen=True, slots=True)
class Groups:
    """Makes, changes, deletes and lists groups; whoever may give roles may say who votes."""

    store: Store
    access: Authorizer
    guarded: GuardedStore

    async def put(self, ask: Ask, group: Group) -> Written[Group]:
        """Return the group, with its members as given; votes of who is no member any more count no longer."""

        def put(tx: Transaction) -> tuple[Group, str]:
            before = tx.find_act(Group, group.group_id)
            made = tx.now if before is None else before.create_time
            stored = replace(group, create_time=made, update_time=tx.now)
            tx.put_act(stored)
            record(tx, ask, str(GroupName(tx.tenant, group.group_id)), members=list(group.members))
            reconsider_tenant(tx)
            return stored, group.group_id

        def act(tx: Transaction) -> Group:
            return once(tx, ask, lambda: put(tx), lambda found: _group(tx, found))[0]

        return await self.guarded.write(ask.principal, lambda: self._allow(ask.principal), act)

    async def delete(self, ask: Ask, name: GroupName) -> Written[None]:
        """Delete a group; raise NotFound."""

        def put(tx: Transaction) -> tuple[None, str]:
            _group(tx, name.group_id)
            tx.delete_group(name.group_id)
            record(tx, ask, str(name))
            reconsider_tenant(tx)
            return None, name.group_id

        def act(tx: Transaction) -> None:
            return once(tx, ask, lambda: put(tx), lambda _: None)[0]

        return await self.guarded.write(ask.principal, lambda: self._allow(ask.principal), act)

    async def list(self, principal: Principal, page: Page) -> Listed[Group]:
        """Return groups; whoever may read anything may know who is asked."""
        self.access.require_somewhere(principal, Verb.READ)
        return await self.store.read(principal.tenant, lambda reader: reader.list_acts(Group, page))

    def _allow(self, principal: Principal) -> None:
        self.access.require(principal, Verb.ACCESS)


def _group(reader: Reader, group_id: str) -> Group:
    found = reader.find_act(Group, group_id)
    if found is None:
        raise NotFound("NOT_FOUND", f"there is no group {group_id}")
    return found
