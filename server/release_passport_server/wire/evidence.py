"""Evidence as messages and as the domain's values."""

from __future__ import annotations

from datetime import datetime

from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct

from release_passport.v1 import evidence_pb2
from release_passport_server.domain.access import Scope
from release_passport_server.domain.canonical import digest, digest_of
from release_passport_server.domain.evidence import EvidenceItem, Verification
from release_passport_server.domain.kind import CUSTOM_PREFIX, kind_named
from release_passport_server.wire.facts import normalise_facts, read_facts
from release_passport_server.wire.json_mapping import json_mapping
from release_passport_server.wire.plain_facts import plain_form
from release_passport_server.wire.subject import subject_of, subject_proto
from release_passport_server.wire.times import moment, set_time, timestamp

_STATES = {
    Verification.UNSIGNED: evidence_pb2.VERIFICATION_STATE_UNSIGNED,
    Verification.VERIFIED: evidence_pb2.VERIFICATION_STATE_VERIFIED,
    Verification.FAILED: evidence_pb2.VERIFICATION_STATE_FAILED,
}
NOT_VERIFIED = "NOT_VERIFIED: nobody has looked at the envelope"


def item_from_input(
    given: evidence_pb2.EvidenceInput,
    *,
    name: str,
    source: str,
    scopes: tuple[Scope, ...],
    receive_time: datetime | None,
    form: str | None = None,
) -> EvidenceItem:
    """Return the item that a checked input becomes; see `check_evidence_input` for the checks.

    Until it is received, its time of observation stands for the time when that was. `form` is that of plain facts.
    """
    facts = normalise_facts(given.facts, plain=form is not None)
    kind, key, message = read_facts(facts)
    observe_time = moment(given.observe_time)
    bundled = bool(given.bundle)
    return EvidenceItem(
        name,
        kind,
        key,
        subject_of(given.subject),
        source,
        message,
        facts_digest(facts) if form is None else digest(form.encode()),
        observe_time,
        receive_time or observe_time,
        moment(given.expire_time) if given.HasField("expire_time") else None,
        Verification.FAILED if bundled else Verification.UNSIGNED,
        NOT_VERIFIED if bundled else "",
        scopes=scopes,
        samples=_samples(kind, message),
        inconclusive=_is_inconclusive(message),
        external_id=given.external_id,
    )


def evidence_to_proto(item: EvidenceItem) -> evidence_pb2.Evidence:
    """Return the resource that shows an item."""
    evidence = evidence_pb2.Evidence(
        name=item.name,
        kind=item.kind,
        key=item.key,
        subject=subject_proto(item.subject.type, item.subject.value),
        facts=facts_to_proto(item),
        source=item.source,
        external_id=item.external_id,
        observe_time=timestamp(item.observe_time),
        receive_time=timestamp(item.receive_time),
        verification=evidence_pb2.Verification(
            state=_STATES[item.verification], signer=item.signer, reason=item.verification_reason
        ),
        facts_digest=item.facts_digest,
        revision=item.revision,
    )
    if item.proof is not None:
        evidence.verification.method = item.proof.method
        evidence.verification.trust_revision = item.proof.trust_revision
        evidence.verification.verify_time.CopyFrom(evidence.receive_time)
    if item.expire_time is not None:
        evidence.expire_time.FromDatetime(item.expire_time)
    if item.revocation is not None:
        evidence.revocation.revoke_time.FromDatetime(item.revocation.time)
        evidence.revocation.revoker = item.revocation.revoker
        evidence.revocation.reason = item.revocation.reason
    return evidence


def fill_evidence_ref(message: evidence_pb2.EvidenceRef, item: EvidenceItem) -> None:
    """Set what a finding says of an item that it rests on."""
    message.name = item.name
    message.kind = item.kind
    message.key = item.key
    message.source = item.source
    message.facts_digest = item.facts_digest
    set_time(message.observe_time, item.observe_time)
    message.verification_state = _STATES[item.verification]


def facts_to_proto(item: EvidenceItem) -> evidence_pb2.EvidenceFacts:
    """Return an item's facts in the union of all kinds."""
    assert isinstance(item.facts, Message)
    facts = evidence_pb2.EvidenceFacts()
    if item.kind.startswith(CUSTOM_PREFIX):
        facts.custom.kind = item.kind.removeprefix(CUSTOM_PREFIX)
        assert isinstance(item.facts, Struct)
        facts.custom.facts.CopyFrom(item.facts)
    else:
        getattr(facts, item.kind).CopyFrom(item.facts)
    return facts


def facts_digest(facts: evidence_pb2.EvidenceFacts) -> str:
    """Return the digest of normal facts: over the canonical form of their protobuf JSON mapping."""
    form = plain_form(facts)
    return digest_of(json_mapping(facts)) if form is None else digest(form.encode())


def _samples(kind: str, facts: Message) -> int | None:
    """Return how many data points the facts stand on, where the kind can say so and these facts do."""
    field = kind_named(kind).samples_field
    return None if field is None or not facts.HasField(field) else int(getattr(facts, field))


def _is_inconclusive(facts: Message) -> bool:
    """Say whether the facts are an analysis that neither succeeded nor failed."""
    if not isinstance(facts, evidence_pb2.AnalysisResult):
        return False
    return facts.phase == evidence_pb2.ANALYSIS_PHASE_INCONCLUSIVE
