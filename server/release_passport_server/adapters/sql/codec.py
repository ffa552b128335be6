"""Rows and the domain's values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from functools import lru_cache
from typing import Any

from google.protobuf.message import Message
from sqlalchemy import Row

from release_passport.v1 import evidence_pb2, policy_pb2
from release_passport_server.domain.access import Scope
from release_passport_server.domain.attestation import Proof, SignerClaims
from release_passport_server.domain.canonical import canonical, digest
from release_passport_server.domain.catalog import PolicyDocument
from release_passport_server.domain.evidence import EvidenceItem, Revocation, Subject, Verification
from release_passport_server.domain.kind import SubjectType
from release_passport_server.domain.record import DecisionRecord
from release_passport_server.domain.release import Artifact, Attempt, Release, ReleaseIdentity
from release_passport_server.domain.verdict import Stage, Verdict
from release_passport_server.wire.evidence import facts_to_proto
from release_passport_server.wire.facts import facts_message

Values = dict[str, Any]


def release_values(tenant: str, release: Release, revision: int) -> Values:
    """Return the row of a release."""
    identity = release.identity
    body = {
        "sourceRevision": identity.source_revision,
        "manifestDigest": identity.manifest_digest,
        "artifacts": [[a.name, a.digest, a.type] for a in identity.artifacts],
        "annotations": dict(identity.annotations or {}),
        "authors": list(identity.authors),
        "creatorIdentities": list(release.creator_identities),
    }
    return {
        "tenant": tenant,
        "service": identity.service,
        "environment": identity.environment,
        "version": identity.version,
        "revision": revision,
        "name": release.name,
        "content_digest": identity.content_digest,
        "identity": canonical(body),
        "creator": release.creator,
        "create_time": release.create_time,
    }


def subjects_values(tenant: str, release: Release) -> list[Values]:
    """Return the rows that find a release by its source and its manifest."""
    identity = release.identity
    named = ((SubjectType.SOURCE, identity.source_revision), (SubjectType.MANIFEST, identity.manifest_digest))
    subjects = [subject_text(Subject(kind, value)) for kind, value in named if value]
    return [{"tenant": tenant, "subject": subject, "release": release.name} for subject in subjects]


def release_of(row: Row[Any]) -> Release:
    """Return the release of a row, without what is computed of other releases."""
    body = json.loads(row.identity)
    identity = ReleaseIdentity(
        service=row.service,
        environment=row.environment,
        version=row.version,
        source_revision=body["sourceRevision"],
        artifacts=tuple(Artifact(*fields) for fields in body["artifacts"]),
        manifest_digest=body["manifestDigest"],
        annotations=body["annotations"],
        authors=tuple(body.get("authors", ())),
    )
    known_as = tuple(body.get("creatorIdentities", ()))
    return Release(
        row.name, identity, row.creator, row.create_time, row.revision, creator_identities=known_as
    )


def attempt_values(tenant: str, release: Release, attempt: Attempt) -> Values:
    """Return the row of an attempt."""
    return {
        "tenant": tenant,
        "release": release.name,
        "number": attempt.number,
        "name": attempt.name,
        "service": release.identity.service,
        "environment": release.identity.environment,
        "content_digest": release.identity.content_digest,
        "ground": attempt.ground,
        "start_time": attempt.start_time,
        "starter": attempt.starter,
        "finish_time": attempt.finish_time,
        "outcome": attempt.outcome,
        "reason": attempt.reason,
        "starter_identities": _names_text(attempt.starter_identities),
        "policies": None if attempt.policies is None else json.dumps(attempt.policies),
    }


def attempt_of(row: Row[Any]) -> Attempt:
    """Return the attempt of a row."""
    return Attempt(
        name=row.name,
        number=row.number,
        ground=row.ground,
        start_time=row.start_time,
        starter=row.starter,
        finish_time=row.finish_time,
        outcome=row.outcome,
        reason=row.reason,
        starter_identities=_names_of(row.starter_identities),
        policies=None if row.policies is None else tuple((one, at) for one, at in json.loads(row.policies)),
    )


def subject_text(subject: Subject) -> str:
    """Return a subject as the store searches it."""
    return f"{subject.type.value}:{subject.value}"


def evidence_values(tenant: str, item: EvidenceItem, revision: int) -> Values:
    """Return the row of one observation; its facts are a body of their own."""
    return {
        "tenant": tenant,
        "name": item.name,
        "revision": revision,
        "kind": item.kind,
        "key": item.key,
        "subject": subject_text(item.subject),
        "source": item.source,
        "external_id": item.external_id,
        "facts_digest": item.facts_digest,
        "observe_time": item.observe_time,
        "receive_time": item.receive_time,
        "expire_time": item.expire_time,
        "verification": int(item.verification),
        "verification_reason": item.verification_reason,
        "signer": item.signer,
        "scopes": _scopes_text(item.scopes),
        "samples": item.samples,
        "inconclusive": item.inconclusive,
        "bundle_digest": digest(item.bundle) if item.bundle else "",
        "proof": None if item.proof is None else _proof_text(item.proof),
        "source_identities": _names_text(item.source_identities),
    }


def _names_text(names: tuple[str, ...]) -> str | None:
    return json.dumps(names) if names else None


def _names_of(text: str | None) -> tuple[str, ...]:
    return tuple(json.loads(text)) if text else ()


def _proof_text(proof: Proof) -> str:
    stated = {name: value for name, value in asdict(proof).items() if name != "claims"}
    claims = None if proof.claims is None else asdict(proof.claims)
    return canonical({**stated, "claims": claims}).decode()


def _proof_of(text: str) -> Proof:
    stated = json.loads(text)
    claims = stated.pop("claims")
    return Proof(claims=None if claims is None else SignerClaims(**claims), **stated)


@lru_cache
def _scopes_text(scopes: tuple[Scope, ...]) -> str:
    return json.dumps([[list(s.services), list(s.environments)] for s in scopes])


@lru_cache
def _scopes_of(text: str) -> tuple[Scope, ...]:
    return tuple(Scope(tuple(s), tuple(e)) for s, e in json.loads(text))


def facts_body(item: EvidenceItem) -> bytes:
    """Return an item's facts as they are stored: the EvidenceFacts message."""
    return facts_to_proto(item).SerializeToString(deterministic=True)


def item_of(row: Row[Any]) -> EvidenceItem:
    """Return the item of a row that was joined with its body."""
    kind, _, value = row.subject.partition(":")
    facts = None if row.body is None else facts_message(evidence_pb2.EvidenceFacts.FromString(row.body))
    return EvidenceItem(
        name=row.name,
        kind=row.kind,
        key=row.key,
        subject=Subject(SubjectType(kind), value),
        source=row.source,
        facts=facts,
        facts_digest=row.facts_digest,
        observe_time=row.observe_time,
        receive_time=row.receive_time,
        expire_time=row.expire_time,
        verification=Verification(row.verification),
        verification_reason=row.verification_reason,
        signer=row.signer,
        scopes=_scopes_of(row.scopes),
        samples=row.samples,
        inconclusive=bool(row.inconclusive),
        external_id=row.external_id,
        revision=row.revision,
        revocation=None
        if row.revoke_time is None
        else Revocation(row.revoke_time, row.revoker, row.revoke_reason),
        proof=None if row.proof is None else _proof_of(row.proof),
        source_identities=_names_of(row.source_identities),
    )


def decision_values(tenant: str, record: DecisionRecord, revision: int) -> Values:
    """Return the row of a decision."""
    return {
        "tenant": tenant,
        "release": record.release,
        "revision": revision,
        "decision_id": record.decision_id,
        "name": record.name,
        "service": record.service,
        "environment": record.environment,
        "stage": int(record.stage),
        "verdict": int(record.verdict),
        "effective_verdict": int(record.effective_verdict),
        "outcome_digest": record.outcome_digest,
        "decide_time": record.decide_time,
        "valid_until": record.valid_until,
        "next_eligible_time": record.next_eligible_time,
        "considered_revision": record.considered_revision,
        "body": record.body,
        "case_body": record.case_body,
        "evidence": json.dumps(record.evidence),
        "envelope": record.envelope,
        "summary": record.summary,
    }


def decision_of(row: Row[Any]) -> DecisionRecord:
    """Return the decision of a row."""
    return DecisionRecord(
        decision_id=row.decision_id,
        name=row.name,
        release=row.release,
        service=row.service,
        environment=row.environment,
        stage=Stage(row.stage),
        verdict=Verdict(row.verdict),
        effective_verdict=Verdict(row.effective_verdict),
        outcome_digest=row.outcome_digest,
        decide_time=row.decide_time,
        valid_until=row.valid_until,
        next_eligible_time=row.next_eligible_time,
        considered_revision=row.considered_revision,
        body=row.body,
        # Left out where nobody reads it.
        case_body=getattr(row, "case_body", b""),
        revision=row.revision,
        evidence=tuple(json.loads(row.evidence)),
        envelope=row.envelope or b"",
        summary=row.summary or b"",
    )


def policy_values(tenant: str, policy: PolicyDocument) -> Values:
    """Return the row of a policy's revision."""
    assert isinstance(policy.spec, Message)
    return {
        "tenant": tenant,
        "policy_id": policy.policy_id,
        "revision": policy.revision,
        "newest": True,
        "digest": policy.digest,
        "spec": policy.spec.SerializeToString(deterministic=True),
        "author": policy.author,
        "create_time": policy.create_time,
        "update_time": policy.update_time,
        "delete_time": policy.delete_time,
    }


def policy_of(row: Row[Any]) -> PolicyDocument:
    """Return the policy of a row."""
    return PolicyDocument(
        policy_id=row.policy_id,
        revision=row.revision,
        digest=row.digest,
        spec=policy_pb2.PolicySpec.FromString(row.spec),
        author=row.author,
        create_time=row.create_time,
        update_time=row.update_time,
        delete_time=row.delete_time,
    )


def body_text(body: Mapping[str, object] | None) -> str:
    """Return an event's body as text."""
    return canonical(dict(body or {})).decode()
