"""Show the audit log, and prove what is in it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from release_passport_server.domain.access import Principal, Verb
from release_passport_server.domain.errors import NotFound, Precondition
from release_passport_server.domain.record import Listed, LoggedEntry, Page
from release_passport_server.domain.signing_key import key_set_document
from release_passport_server.ports.access import Authorizer
from release_passport_server.ports.log import LogBroken, LogIdentity, LogReader, SignedTreeHead
from release_passport_server.ports.signing import Signer
from release_passport_server.ports.store import AuditFilter, Store

T = TypeVar("T")
CHECKPOINT = "checkpoint"
# The logs are looked at every other second.
RETRY_AFTER = 2.0
# Followers of a tenant's entries share one look for new ones, and hear so often that they are still connected.
LOOK_SECONDS = 0.5
HEARTBEAT_LOOKS = 20
FOLLOWED_AT_ONCE = 100


class Blocking(Protocol):
    """Runs what blocks beside the loop."""

    def __call__(self, act: Callable[[], T], /) -> Awaitable[T]: ...


@dataclass(frozen=True, slots=True)
class Standing:
    """The checkpoint that stands, and how many entries are not in it yet."""

    note: str
    origin: str
    size: int
    pending: int


@dataclass(frozen=True, slots=True)
class Audit:
    """Reads the audit log and its tree, for those who have the verb in the whole tenant."""

    store: Store
    access: Authorizer
    log: LogReader
    signer: Signer
    issuer: str
    identity: Callable[[str], LogIdentity]
    blocking: Blocking
    _looks: dict[str, asyncio.Task[int]] = field(default_factory=dict, init=False, compare=False)

    async def follow(
        self, principal: Principal, from_leaf: int
    ) -> AsyncGenerator[tuple[tuple[LoggedEntry, ...], int], None]:
        """Yield entries from a leaf on with the leaf to go on from, for ever; none at all as a sign of life."""
        quiet, leaf, page = 0, from_leaf, Page(FOLLOWED_AT_ONCE)
        while True:
            found = (await self.entries(principal, AuditFilter(from_leaf=leaf), page)).items
            if found:
                leaf = found[-1].leaf_index + 1
            if found or quiet >= HEARTBEAT_LOOKS:
                quiet = 0
                yield found, leaf
            while len(found) < FOLLOWED_AT_ONCE and quiet < HEARTBEAT_LOOKS:
                quiet += 1
                if await self._look(principal.tenant) > leaf:
                    break

    async def _look(self, tenant: str) -> int:
        """Return how many entries there are in a moment."""
        if tenant not in self._looks:
            look = asyncio.create_task(self._looked(tenant), name="look for audit entries")
            self._looks[tenant] = look
            look.add_done_callback(lambda _: self._looks.pop(tenant))
        # One who leaves does not take the look away from the others.
        return await asyncio.shield(self._looks[tenant])

    async def _looked(self, tenant: str) -> int:
        await asyncio.sleep(LOOK_SECONDS)
        return await self.store.read(tenant, lambda reader: reader.leaf_count())

    async def entries(self, principal: Principal, wanted: AuditFilter, page: Page) -> Listed[LoggedEntry]:
        """Return entries by leaf, oldest first."""
        self._may_audit(principal)
        return await self.store.read(principal.tenant, lambda reader: reader.list_audit(wanted, page))

    async def standing(self, principal: Principal) -> Standing:
        """Return the newest checkpoint; raise Precondition where there is none yet."""
        self._may_audit(principal)
        head = await self._head(principal)
        written = await self.store.read(principal.tenant, lambda reader: reader.leaf_count())
        log, size = self.identity(principal.tenant), head.checkpoint.size
        return Standing(head.note, log.origin, size, max(0, written - log.first_leaf - size))

    async def inclusion(self, principal: Principal, leaf_index: int) -> str:
        """Return the tlog-proof of an entry; raise Precondition for one that is in no checkpoint yet."""
        self._may_audit(principal)
        log = self.identity(principal.tenant)
        written = await self.store.read(principal.tenant, lambda reader: reader.leaf_count())
        if not log.first_leaf <= leaf_index < written:
            raise NotFound("NOT_FOUND", f"there is no entry {leaf_index} in this log")
        try:
            return await self.asked(lambda: self.log.inclusion(log, leaf_index))
        except NotFound as error:
            raise not_logged_yet(f"entry {leaf_index}") from error

    async def consistency(self, principal: Principal, size: int) -> tuple[list[bytes], str]:
        """Return the proof from the tree of a size to the newest one, and the newest checkpoint."""
        self._may_audit(principal)
        head, log = await self._head(principal), self.identity(principal.tenant)
        newer = head.checkpoint.size
        return await self.asked(lambda: self.log.consistency(log, size, newer)), head.note

    async def files(self, principal: Principal, paths: Sequence[str]) -> Mapping[str, bytes]:
        """Return those files of the log that there are."""
        self._may_audit(principal)
        log = self.identity(principal.tenant)

        def act() -> dict[str, bytes]:
            found = {path: self.log.file(log, path) for path in paths}
            return {path: content for path, content in found.items() if content is not None}

        return await self.blocking(act)

    async def asked(self, act: Callable[[], T]) -> T:
        """Run what reads the log; raise Precondition where it contradicts itself."""
        try:
            return await self.blocking(act)
        except LogBroken as error:
            raise Precondition("LOG_BROKEN", f"the log is broken: {error}") from error

    def key_set(self) -> dict[str, object]:
        """Return the public keys as they are published: no secret, for everybody."""
        return key_set_document(self.issuer, self.signer.public_keys())

    async def _head(self, principal: Principal) -> SignedTreeHead:
        try:
            return await self.asked(lambda: self.log.checkpoint(self.identity(principal.tenant)))
        except NotFound as error:
            raise not_logged_yet("what was done") from error

    def _may_audit(self, principal: Principal) -> None:
        self.access.require(principal, Verb.AUDIT)


def not_logged_yet(what: str) -> Precondition:
    """Return the error for what is in no checkpoint yet."""
    text = f"{what} is in no checkpoint yet: ask again in a few seconds"
    return Precondition("NOT_LOGGED_YET", text, retry_after=RETRY_AFTER)
