"""A decision as an in-toto statement about the release's artifacts, with everything it rests on in its predicate.

The predicate's schema is proto/schema/decision-predicate-v1.schema.json. It names persons by their opaque ids alone
and carries no free text: texts lie beside it, so that they can be erased without breaking a signature.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from release_passport_server.domain.canonical import stamp
from release_passport_server.domain.evidence import EvidenceItem
from release_passport_server.domain.outcome import (
    SEMANTICS_VERSION,
    Applied,
    Finding,
    Outcome,
    PolicyResult,
)
from release_passport_server.domain.policy import HoldLimit, Watch
from release_passport_server.domain.record import DecisionDraft
from release_passport_server.domain.release import Artifact, Release

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT = "https://in-toto.io/Statement/v1"
DECISION_PREDICATE = "https://release-passport.dev/predicates/decision/v1"
# A check of signature and type alone must not take a refusal for a decision that lets a release go.
REFUSAL_PREDICATE = "https://release-passport.dev/predicates/refusal/v1"

# Keys are ASCII and numbers small and whole: this is RFC 8785 then, without a look for what would not be.
_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def decision_statement(draft: DecisionDraft) -> bytes:
    """Return the statement to sign: the predicate's type says whether the effective verdict lets the release go."""
    allows = draft.outcome.effective_verdict.allows
    return statement(
        draft.case.release.identity.artifacts,
        DECISION_PREDICATE if allows else REFUSAL_PREDICATE,
        _predicate(draft),
    )


def statement(artifacts: Sequence[Artifact], predicate_type: str, predicate: Mapping[str, object]) -> bytes:
    """Return the RFC 8785 bytes of an in-toto statement about artifacts; a digest is `algorithm:hex`."""
    document = {
        "_type": STATEMENT,
        "subject": [_subject(artifact) for artifact in artifacts],
        "predicateType": predicate_type,
        "predicate": predicate,
    }
    return _ENCODER.encode(document).encode()


def _subject(artifact: Artifact) -> dict[str, object]:
    algorithm, _, value = artifact.digest.partition(":")
    return {"name": artifact.name, "digest": {algorithm: value}}


def _predicate(draft: DecisionDraft) -> dict[str, object]:
    case, outcome = draft.case, draft.outcome
    return {
        "decision": draft.name,
        "release": _release(case.release),
        "stage": outcome.stage.name,
        "verdict": outcome.verdict.name,
        "effectiveVerdict": outcome.effective_verdict.name,
        "findings": [_finding(finding) for finding in outcome.findings],
        "policies": [_policy(result) for result in outcome.policy_results],
        "evidence": [_evidence(item) for item in used_evidence(outcome)],
        "waivers": [_act(one) for one in acts_in(outcome, "waivers")],
        "overrides": [_act(one) for one in outcome.overrides],
        "approvals": [_act(one) for one in acts_in(outcome, "approvals")],
        "exemptions": [_act(one) for one in acts_in(outcome, "freezeExemptions")],
        "weakenings": list(outcome.weakenings),
        "canary": _canary(outcome),
        "watch": None if outcome.watch is None else _watch(outcome.watch),
        "ground": case.ground.decision if case.ground else "",
        "attempt": case.attempt.name if case.attempt else "",
        "rollbackTarget": outcome.rollback_target,
        "supersedes": draft.supersedes,
        "renews": draft.renews,
        "decideTime": stamp(draft.now),
        "validUntil": stamp(outcome.valid_until),
        "nextEligibleTime": stamp(outcome.next_eligible_time),
        **({"heldSince": stamp(outcome.held_since)} if outcome.held_since else {}),
        # Revisions are 64 bits wide, which a JSON number is not.
        "consideredRevision": str(draft.considered_revision),
        "caseDigest": draft.case_digest,
        "outcomeDigest": outcome.digest,
        "engineVersion": draft.engine_version,
        "semanticsVersion": SEMANTICS_VERSION,
        "dev": case.dev,
    }


def used_evidence(outcome: Outcome) -> tuple[EvidenceItem, ...]:
    """Return every item that a finding rests on, once; the case's digest covers the others."""
    return tuple({item.name: item for finding in outcome.findings for item in finding.evidence}.values())


def acts_in(outcome: Outcome, collection: str) -> tuple[Applied, ...]:
    """Return every act of a kind, such as `waivers`, that had a part in a finding, once, by name."""
    mark = f"/{collection}/"
    found = {act.name: act for finding in outcome.findings for act in finding.lifted_by if mark in act.name}
    return tuple(found[name] for name in sorted(found))


def _release(release: Release) -> dict[str, object]:
    identity = release.identity
    return {
        "name": release.name,
        "digest": identity.digest,
        "service": identity.service,
        "environment": identity.environment,
        "version": identity.version,
        "sourceRevision": identity.source_revision,
        "manifestDigest": identity.manifest_digest,
    }


def _finding(finding: Finding) -> dict[str, object]:
    return {
        "policy": finding.policy,
        "policyRevision": str(finding.policy_revision),
        "rule": finding.rule,
        "mode": finding.mode.name,
        "verdict": finding.verdict.name,
        "reason": finding.reason.value,
        "artifact": finding.artifact,
        "key": finding.key,
        "path": finding.path,
        "controls": list(finding.controls),
        "evidence": [item.name for item in finding.evidence],
        "nextEligibleTime": stamp(finding.next_eligible_time),
    }


def _policy(result: PolicyResult) -> dict[str, object]:
    return {
        "policy": result.policy,
        "revision": str(result.revision),
        "digest": result.digest,
        "mode": result.mode.name,
        "verdict": None if result.verdict is None else result.verdict.name,
        "notApplicable": [[skipped.rule, skipped.reason] for skipped in result.not_applicable],
    }


def _evidence(item: EvidenceItem) -> dict[str, object]:
    return {
        "name": item.name,
        "kind": item.kind,
        "key": item.key,
        "subject": {"type": item.subject.type.value, "value": item.subject.value},
        "source": item.source,
        "digest": item.facts_digest,
        "observeTime": stamp(item.observe_time),
        "receiveTime": stamp(item.receive_time),
        "verification": item.verification.name,
        "signer": item.signer,
    }


def _act(one: Applied) -> dict[str, object]:
    return {"name": one.name, "digest": one.digest}


def _canary(outcome: Outcome) -> dict[str, object] | None:
    canary = outcome.canary
    return None if canary is None else {"maxWeight": canary.max_weight, "steps": list(canary.steps)}


def _watch(watch: Watch) -> dict[str, object]:
    return {
        "durationSeconds": int(watch.duration.total_seconds()),
        "graceSeconds": int(watch.grace_period.total_seconds()),
        "intervalSeconds": int(watch.interval.total_seconds()),
        "requiredRules": list(watch.required_rules),
        **({"hold": _hold(watch.hold)} if watch.hold else {}),
    }


def _hold(hold: HoldLimit) -> dict[str, object]:
    limit = {} if hold.limit is None else {"limitSeconds": int(hold.limit.total_seconds())}
    return {**limit, "rollsBack": hold.rolls_back}
