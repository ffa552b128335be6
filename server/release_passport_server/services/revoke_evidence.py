"""Take evidence back."""

from __future__ import annotations

from dataclasses import dataclass, replace

from release_passport_server.domain.access import Scope, Verb
from release_passport_server.domain.errors import Denied, NotFound, Precondition
from release_passport_server.domain.evidence import EvidenceItem, Revocation
from release_passport_server.domain.ids import AttemptName, ReleaseName
from release_passport_server.domain.kind import SubjectType
from release_passport_server.domain.record import Page
from release_passport_server.ports.access import Authorizer
from release_passport_server.ports.store import Reader, ReleaseFilter, Store, Transaction, Written
from release_passport_server.services.asking import Ask, once, record
from release_passport_server.services.intake import place_of, scope_of
from release_passport_server.services.reconsider import reconsider


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
        self._require_scope(ask, item)
        if item.revocation is not None:
            raise Precondition("ALREADY_REVOKED", f"{name} was revoked by {item.revocation.revoker}")
        if ask.principal.id == item.source or ask.principal.id in _authors(tx, item):
            text = "neither the submitter of evidence nor the creator of a release that it is about may revoke it"
            raise Denied("REVOKE_NOT_PERMITTED", text)
        revocation = Revocation(tx.now, ask.principal.id, reason)
        tx.revoke_evidence(name, revocation)
        record(tx, ask, name, (scope_of(item.subject),), reason=reason)
        reconsider(tx, [item.subject])
        return replace(item, revocation=revocation), name

    def _require_scope(self, ask: Ask, item: EvidenceItem) -> None:
        """Raise NotFound for who may not see the item's place, Denied for who may not revoke there.

        A digest lies in no place: its items are revoked by who may revoke wherever their submitter's word counts.
        """
        service, environment = place_of(ask.principal.tenant, item.subject)
        if service:
            seen = self.access.allowed_scopes(ask.principal, Verb.READ)
            if not any(scope.covers(service, environment) for scope in seen):
                raise _absent(item.name)
            self.access.require(ask.principal, Verb.REVOKE, service=service, environment=environment)
            return
        mine = self.access.allowed_scopes(ask.principal, Verb.REVOKE)
        if not all(any(scope.contains(theirs) for scope in mine) for theirs in item.scopes):
            text = f"{ask.principal.id} may not `revoke` everywhere that {item.name} counts: ask an admin who may"
            raise Denied("REVOKE_NOT_PERMITTED", text)


def _item(tx: Transaction, name: str) -> EvidenceItem:
    item = tx.find_evidence(name)
    if item is None:
        raise _absent(name)
    return item


def _absent(name: str) -> NotFound:
    return NotFound("NOT_FOUND", f"there is no evidence {name}")


def _authors(reader: Reader, item: EvidenceItem) -> set[str]:
    """Return who made the releases that the item names, or whose artifact it is about."""
    match item.subject.type:
        case SubjectType.ARTIFACT:
            wanted = ReleaseFilter((Scope(),), artifact_digest=item.subject.value)
            return {release.creator for release in reader.list_releases(wanted, Page(1000)).items}
        case SubjectType.RELEASE:
            name = ReleaseName.parse(item.subject.value)
        case SubjectType.ATTEMPT:
            name = AttemptName.parse(item.subject.value).release
        case _:
            return set()
    release = reader.find_release(name.service, name.environment, name.version)
    return {release.creator} if release else set()
