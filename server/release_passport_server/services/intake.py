"""How evidence comes in, alone or with a question: authorised item by item, verified, and stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from release_passport_server.domain.access import Principal, Verb
from release_passport_server.domain.errors import NotFound, Violation, invalid
from release_passport_server.domain.evidence import EvidenceDraft, EvidenceItem, Subject
from release_passport_server.domain.ids import AttemptName, EvidenceName, ReleaseName
from release_passport_server.domain.kind import SubjectType, kind_named
from release_passport_server.domain.record import AuditEntry, FeedEvent
from release_passport_server.ports.access import Authorizer
from release_passport_server.ports.ids import Ids
from release_passport_server.ports.store import Transaction
from release_passport_server.services.reconsider import reconsider
from release_passport_server.services.verify_evidence import VerifyEvidence

MAX_SKEW = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class EvidenceIntake:
    """Takes evidence in."""

    access: Authorizer
    verify: VerifyEvidence
    ids: Ids

    async def prepare(
        self, principal: Principal, drafts: Sequence[EvidenceDraft], *, source: str = ""
    ) -> tuple[EvidenceItem, ...]:
        """Return the items as they may be stored, once their time has come; raise Denied, NotFound or Invalid.

        Each item is authorised by itself. The scope in which its submitter's word counts is kept with it, and it is
        the source, but where the server read the item elsewhere by itself.
        """
        items = [self._authorised(principal, index, draft) for index, draft in enumerate(drafts)]
        if source:
            items = [item.with_server_parts(source=source, source_identities=()) for item in items]
        return await self.verify(principal.tenant, items)

    def put(
        self, tx: Transaction, items: Sequence[EvidenceItem], principal: Principal, action: str
    ) -> tuple[EvidenceItem, ...]:
        """Store and audit prepared items under the transaction's time; raise Invalid for those from the future."""
        late = [
            Violation(f"evidence[{index}].observe_time", "is in the future; check the source's clock")
            for index, item in enumerate(items)
            if is_from_the_future(item, tx)
        ]
        if late:
            raise invalid(late)
        return put_items(tx, items, self.ids, principal.id, action)

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
        return item.with_server_parts(
            source=principal.id, scopes=scopes, bundle=draft.bundle, source_identities=principal.identities
        )


def is_from_the_future(item: EvidenceItem, tx: Transaction) -> bool:
    """Say whether an item was observed later than its source's clock may be ahead."""
    return item.observe_time > tx.now + MAX_SKEW


def put_items(
    tx: Transaction, items: Sequence[EvidenceItem], ids: Ids, who: str, action: str
) -> tuple[EvidenceItem, ...]:
    """Store and audit items under the transaction's time; what depends on them is decided anew."""
    named = [
        item.with_server_parts(name=str(EvidenceName(tx.tenant, ids.ulid(tx.now))), receive_time=tx.now)
        for item in items
    ]
    stored = tx.put_evidence(named)
    scopes = tuple(dict.fromkeys(scope_of(item.subject) for item in stored))
    if scopes:
        tx.emit(FeedEvent("evidence.submitted", stored[0].name, scopes))
        detail: dict[str, object] = {"items": [item.name for item in stored]}
        tx.audit(AuditEntry(who, action, stored[0].name, detail))
        reconsider(tx, {item.subject for item in stored})
    return stored


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
