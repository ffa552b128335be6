"""Take evidence back."""

from __future__ import annotations

from dataclasses import dataclass, replace

from release_passport_server.domain.access import Scope, Verb
from release_passport_server.domain.errors import Denied, NotFound, Precondition
from release_passport_server.domain.evidence import EvidenceItem, Revocation
from release_passport_server.domain.kind import SubjectType
from release_passport_server.domain.record import Page
from release_passport_server.ports.access import Authorizer
from release_passport_server.ports.store import Reader, ReleaseFilter, Store, Transaction, Written
from release_passport_server.services.asking import Ask, once, record
from release_passport_server.services.intake import place_of, scope_of


@dataclass(frozen=True, slots=True)
class RevokeEvidence:
    """Revoke an item; it leaves a gap that only a newer observation fills."""

    store: Store
    access: Authorizer

    async def __call__(self, ask: Ask, name: str, reason: str) -> Written[EvidenceItem]:
        """Return the revoked item; raise Denied for its submitter and for the authors of its releases."""

        def act(tx: Transaction) -> EvidenceItem:
            item, _ = once(tx, ask, lambda: self._revoke(tx, ask, name, reason), lambda _: _item(tx, name))
            return item

        self.access.require_somewhere(ask.principal, Verb.REVOKE)
        return await self.store.write(ask.principal.tenant, act)

    def _revoke(self, tx: Transaction, ask: Ask, name: str, reason: str) -> tuple[EvidenceItem, str]:
        item = _item(tx, name)
        service, environment = place_of(tx.tenant, item.subject)
        if service:
            self.access.require(ask.principal, Verb.REVOKE, service=service, environment=environment)
        if item.revocation is not None:
            raise Precondition("ALREADY_REVOKED", f"{name} was revoked by {item.revocation.revoker}")
        if ask.principal.id == item.source or ask.principal.id in _authors(tx, item):
            text = "neither the submitter of evidence nor the creator of a release that it is about may revoke it"
            raise Denied("REVOKE_NOT_PERMITTED", text)
        revocation = Revocation(tx.now, ask.principal.id, reason)
        tx.revoke_evidence(name, revocation)
        record(tx, ask, name, (scope_of(item.subject),), reason=reason)
        return replace(item, revocation=revocation), name


def _item(tx: Transaction, name: str) -> EvidenceItem:
    item = tx.find_evidence(name)
    if item is None:
        raise NotFound("NOT_FOUND", f"there is no evidence {name}")
    return item


def _authors(reader: Reader, item: EvidenceItem) -> set[str]:
    if item.subject.type is not SubjectType.ARTIFACT:
        return set()
    wanted = ReleaseFilter((Scope(),), artifact_digest=item.subject.value)
    return {release.creator for release in reader.list_releases(wanted, Page(1000)).items}
