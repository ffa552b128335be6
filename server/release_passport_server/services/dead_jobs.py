"""Show what the worker has given up, have it tried again, or say that it need not be done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from release_passport_server.domain.access import Principal, Verb
from release_passport_server.domain.errors import NotFound
from release_passport_server.domain.job import DeadJob
from release_passport_server.domain.record import Listed, Page
from release_passport_server.ports.access import Authorizer
from release_passport_server.ports.store import Store, Transaction, Written
from release_passport_server.services.asking import Ask, once, record
from release_passport_server.services.grants import GuardedStore


@dataclass(frozen=True, slots=True)
class DeadJobs:
    """The dead jobs of a tenant: whoever has `audit` sees them, whoever has `connectors` answers them."""

    store: Store
    access: Authorizer
    guarded: GuardedStore

    async def list(self, principal: Principal, page: Page) -> Listed[DeadJob]:
        """Return dead jobs by kind and key."""
        self.access.require(principal, Verb.AUDIT)
        return await self.store.read(principal.tenant, lambda reader: reader.dead_jobs(page))

    async def retry(self, ask: Ask, kind: str, key: str) -> Written[None]:
        """Let a job be tried again from now on; raise NotFound where it is not dead."""
        return await self._answer(ask, kind, key, lambda tx: tx.revive_job(kind, key))

    async def discard(self, ask: Ask, kind: str, key: str, reason: str) -> Written[None]:
        """Remove a job; raise NotFound where it is not dead."""
        return await self._answer(ask, kind, key, lambda tx: tx.discard_job(kind, key), reason=reason)

    async def _answer(
        self, ask: Ask, kind: str, key: str, answer: Callable[[Transaction], bool], **detail: object
    ) -> Written[None]:
        def put(tx: Transaction) -> tuple[None, str]:
            if not answer(tx):
                raise NotFound("NOT_FOUND", f"there is no dead job {kind}/{key}")
            record(tx, ask, f"deadJobs/{kind}/{key}", ("jobs",), **detail)
            return None, key

        def act(tx: Transaction) -> None:
            once(tx, ask, lambda: put(tx), lambda _: None)

        def allow() -> None:
            self.access.require(ask.principal, Verb.CONNECTORS)

        return await self.guarded.write(ask.principal, allow, act)
