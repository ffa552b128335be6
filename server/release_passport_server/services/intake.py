"""How evidence comes in, alone or with a question: authorised item by item, verified, and stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from release_passport_server.domain.access import Principal, Verb
from release_passport_server.domain.errors import NotFound, Violation, invalid
from release_passport_server.domain.evidence import EvidenceDraft, EvidenceItem, Subject, Verification
from release_passport_server.domain.ids import AttemptName, EvidenceName, ReleaseName
from release_passport_server.domain.kind import SubjectType, kind_named
from release_passport_server.domain.record import AuditEntry, FeedEvent, Page
from release_passport_server.ports.access import Authorizer
from release_passport_server.ports.attestations import AttestationVerifier
from release_passport_server.ports.ids import Ids
from release_passport_server.ports.messages import Messages
from release_passport_server.ports.store import Reader, Store, Transaction

MAX_SKEW = timedelta(seconds=60)
SERVICES_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class EvidenceIntake:
    """Takes evidence in."""

    store: Store
    access: Authorizer
    verifier: AttestationVerifier
    messages: Messages
    ids: Ids

    async def prepare(
        self, principal: Principal, drafts: Sequence[EvidenceDraft]
    ) -> tuple[EvidenceItem, ...]:
        """Return the items as they may be stored, once their time has come; raise Denied, NotFound or Invalid.

        Each item is authorised by itself. The scope in which its submitter's word counts is kept with it.
        """
        items = [self._authorised(principal, index, draft) for index, draft in enumerate(drafts)]
        if any(draft.bundle for draft in drafts):
            keys = await self.store.read(principal.tenant, _signer_keys)
            items = [
                self._verified(item, draft.bundle, keys) if draft.bundle else item
                for item, draft in zip(items, drafts, strict=True)
            ]
        return tuple(items)

    def put(
        self, tx: Transaction, items: Sequence[EvidenceItem], principal: Principal, action: str
    ) -> tuple[EvidenceItem, ...]:
        """Store and audit prepared items under the transaction's time; raise Invalid for those from the future."""
        late = [
            Violation(f"evidence[{index}].observe_time", "is in the future; check the source's clock")
            for index, item in enumerate(items)
            if item.observe_time > tx.now + MAX_SKEW
        ]
        if late:
            raise invalid(late)
        named = [
            item.with_server_parts(
                name=str(EvidenceName(tx.tenant, self.ids.ulid(tx.now))), receive_time=tx.now
            )
            for item in items
        ]
        stored = tx.put_evidence(named)
        scopes = tuple(dict.fromkeys(scope_of(item.subject) for item in stored))
        if scopes:
            tx.emit(FeedEvent("evidence.submitted", stored[0].name, scopes))
            detail: dict[str, object] = {"items": [item.name for item in stored]}
            tx.audit(AuditEntry(principal.id, action, stored[0].name, detail))
        return stored

    def _authorised(self, principal: Principal, index: int, draft: EvidenceDraft) -> EvidenceItem:
        item = draft.item
        if kind_named(item.kind).server_only:
            raise invalid(
                [Violation(f"evidence[{index}].facts", f"{item.kind} is written by the server alone")]
            )
        service, environment = place_of(principal.tenant, item.subject)
        if service:
            self.access.require(
                principal, Verb.SUBMIT, service=service, environment=environment, kind=item.kind
            )
        else:
            self.access.require_somewhere(principal, Verb.SUBMIT, kind=item.kind)
        scopes = self.access.allowed_scopes(principal, Verb.SUBMIT, kind=item.kind)
        return item.with_server_parts(source=principal.id, scopes=scopes, bundle=draft.bundle)

    def _verified(self, item: EvidenceItem, bundle: bytes, keys: tuple[str, ...]) -> EvidenceItem:
        result = self.verifier.verify(bundle, item.subject.value, keys, kind=item.kind)
        if result.state is not Verification.VERIFIED:
            return replace(item, verification=Verification.FAILED, verification_reason=result.reason)
        key, facts_digest = self.messages.described(item.kind, result.facts)
        # A signed time counts; without one the claim may make the item older, never younger.
        observed = min(item.observe_time, result.statement_time or item.observe_time)
        return replace(
            item,
            facts=result.facts,
            facts_digest=facts_digest,
            key=key,
            verification=Verification.VERIFIED,
            verification_reason="",
            signer=result.signer,
            observe_time=observed,
        )


def place_of(tenant: str, subject: Subject) -> tuple[str, str]:
    """Return service and environment that a subject lies in; both empty for digests and revisions.

    Raises NotFound for another tenant's name, and Invalid for what is no name.
    """
    match subject.type:
        case SubjectType.RELEASE:
            name = ReleaseName.parse(subject.value, field="subject.release")
        case SubjectType.ATTEMPT:
            name = AttemptName.parse(subject.value, field="subject.attempt").release
        case SubjectType.WORKLOAD:
            service, _, environment = subject.value.partition("/")
            return service, environment
        case _:
            return "", ""
    if name.tenant != tenant:
        raise NotFound("NOT_FOUND", f"there is no {subject.value}")
    return name.service, name.environment


def scope_of(subject: Subject) -> str:
    """Return the feed scope that a change of evidence about this subject touches."""
    return f"{subject.type.value}:{subject.value}"


def _signer_keys(reader: Reader) -> tuple[str, ...]:
    keys: dict[str, None] = {}
    page = Page(SERVICES_AT_ONCE)
    while True:
        listed = reader.list_services(page)
        keys.update(dict.fromkeys(key for service in listed.items for key in service.signers))
        if not listed.next_after:
            return tuple(keys)
        page = Page(SERVICES_AT_ONCE, listed.next_after)
