"""Keep what a tenant trusts, revision by revision."""

from __future__ import annotations

from dataclasses import dataclass, replace

from release_passport_server.domain.access import Principal, Verb
from release_passport_server.domain.errors import NotFound, Violation, invalid
from release_passport_server.domain.etags import require_etag, trust_etag
from release_passport_server.domain.record import Listed, Page
from release_passport_server.domain.trust import Trust, TrustRevision
from release_passport_server.ports.access import Authorizer
from release_passport_server.ports.attestations import AttestationVerifier
from release_passport_server.ports.store import Reader, Store, Transaction, Written
from release_passport_server.services.asking import Ask, once, record
from release_passport_server.services.grants import GuardedStore
from release_passport_server.services.reconsider import reconsider_trust

SUBJECT = "trust"


@dataclass(frozen=True, slots=True)
class TrustConfigurations:
    """Changes and shows what a tenant trusts."""

    store: Store
    access: Authorizer
    guarded: GuardedStore
    verifier: AttestationVerifier

    async def get(self, principal: Principal, revision: int = 0) -> TrustRevision:
        """Return one revision, or what stands now; nothing was configured at revision 0."""
        self.access.require_somewhere(principal, Verb.READ)
        return await self.store.read(principal.tenant, lambda reader: _revision(reader, revision))

    async def list(self, principal: Principal, page: Page) -> Listed[TrustRevision]:
        """Return revisions, newest first, without the roots' contents."""
        self.access.require_somewhere(principal, Verb.READ)
        return await self.store.read(principal.tenant, lambda reader: reader.list_trust(page))

    async def update(self, ask: Ask, trust: Trust, etag: str) -> Written[TrustRevision]:
        """Return the new revision; the same content again makes none. Raise Conflict where it was changed meanwhile."""

        def allow() -> None:
            self.access.require(ask.principal, Verb.TRUST)

        def put(tx: Transaction) -> tuple[TrustRevision, str]:
            before = _revision(tx, 0)
            require_etag(etag, trust_etag(before), "the trust configuration")
            number = before.trust.revision
            if replace(trust, revision=number) == before.trust:
                return before, str(number)
            made = TrustRevision(replace(trust, revision=number + 1), ask.principal.id, tx.now)
            tx.put_trust(made)
            told = {
                "revision": number + 1,
                "roots": [root.sha256 for root in trust.roots],
                "rules": [rule.name for rule in trust.rules],
                "keys": [key.name for key in trust.keys],
            }
            record(tx, ask, SUBJECT, ("tenant",), **told)
            reconsider_trust(tx)
            return made, str(number + 1)

        def act(tx: Transaction) -> TrustRevision:
            return once(tx, ask, lambda: put(tx), lambda number: _revision(tx, int(number)))[0]

        allow()
        self._check_keys(trust)
        return await self.guarded.write(ask.principal, allow, act)

    def _check_keys(self, trust: Trust) -> None:
        problems = [(index, self.verifier.key_problem(key.pem)) for index, key in enumerate(trust.keys)]
        wrong = [Violation(f"trust.keys[{index}].pem", text) for index, text in problems if text]
        if wrong:
            raise invalid(wrong)


def _revision(reader: Reader, revision: int) -> TrustRevision:
    found = reader.find_trust(revision)
    if found is None and revision:
        raise NotFound("NOT_FOUND", f"there is no revision {revision} of the trust configuration")
    return found or TrustRevision()
