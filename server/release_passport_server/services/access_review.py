"""Answer whether somebody may do something and why, and list who may do what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from release_passport_server.domain.access import Principal, Verb
from release_passport_server.domain.access_review import (
    AccessAnswer,
    AccessEntry,
    AccessQuestion,
    BindingRuling,
    live_tokens,
)
from release_passport_server.domain.catalog import RoleBinding
from release_passport_server.domain.record import Listed, Page
from release_passport_server.ports.access import Authorizer
from release_passport_server.ports.clock import Clock
from release_passport_server.ports.store import Reader, Store
from release_passport_server.services.grants import grant_of, is_banned

_BINDINGS = 1000


@dataclass(frozen=True, slots=True)
class AccessReview:
    """Tells who may do what, from the bindings as they are stored now."""

    store: Store
    access: Authorizer
    clock: Clock

    async def check(
        self, asker: Principal, of: str, groups: tuple[str, ...], question: AccessQuestion
    ) -> AccessAnswer:
        """Return the answer with what each binding says to it, those that allow it first.

        An empty `of` means the asker, with the groups of its credential. Raises Denied for a question about others, or
        about groups, from who does not have the verb `access` in the whole tenant.
        """
        if of in {"", asker.id} and not groups:
            names = (asker.id, *asker.groups)
        else:
            self.access.require(asker, Verb.ACCESS)
            names = (of or asker.id, *groups)

        def act(reader: Reader) -> AccessAnswer:
            rulings = [
                BindingRuling(one, self.access.ruling(reader.tenant, grant_of(one), question))
                for name in dict.fromkeys(names)
                for one in _bindings_of(reader, name)
            ]
            rulings.sort(key=lambda one: not one.allows)
            return AccessAnswer(names[0], is_banned(reader, names[0], ""), tuple(rulings))

        return await self.store.read(asker.tenant, act)

    async def review(self, asker: Principal, of: str, page: Page) -> Listed[AccessEntry]:
        """Return who may do what, newest binding first; an empty `of` means everybody."""
        self.access.require(asker, Verb.AUDIT)

        def act(reader: Reader) -> Listed[AccessEntry]:
            found = reader.list_role_bindings(of, page)
            return Listed(tuple(self._entry(reader, one) for one in found.items), found.next_after)

        return await self.store.read(asker.tenant, act)

    def _entry(self, reader: Reader, binding: RoleBinding) -> AccessEntry:
        rights = self.access.role_rights(reader.tenant, binding.role)
        live = live_tokens(reader.tokens_of(binding.principal), self.clock.now())
        return AccessEntry(
            binding,
            tuple(sorted(rights)),
            tuple(dict.fromkeys(rights.get(Verb.SUBMIT, ()))),
            is_banned(reader, binding.principal, ""),
            len(live),
            max((one.expire_time for one in live), default=None),
        )


def _bindings_of(reader: Reader, name: str) -> Iterator[RoleBinding]:
    page = Page(_BINDINGS)
    while True:
        listed = reader.list_role_bindings(name, page)
        yield from listed.items
        if not listed.next_after:
            return
        page = Page(_BINDINGS, listed.next_after)
