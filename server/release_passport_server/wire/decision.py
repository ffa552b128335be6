"""Decisions as messages: made once when a decision is recorded, and read back from the stored bytes."""

from __future__ import annotations

from release_passport.v1 import decision_pb2, decision_service_pb2
from release_passport_server.domain.outcome import SEMANTICS_VERSION, Finding, PolicyResult
from release_passport_server.domain.record import DecisionDraft
from release_passport_server.wire.enums import mode_to_proto, stage_to_proto, verdict_to_proto
from release_passport_server.wire.evidence import fill_evidence_ref
from release_passport_server.wire.policy import approval_to_proto, canary_to_proto, watch_to_proto
from release_passport_server.wire.times import set_time, timestamp


def decision_body(draft: DecisionDraft) -> bytes:
    """Return the bytes of the Decision message that is recorded; the digests are over these bytes."""
    outcome, case = draft.outcome, draft.case
    message = decision_pb2.Decision(
        name=draft.name,
        release=case.release.name,
        stage=stage_to_proto(outcome.stage),
        verdict=verdict_to_proto(outcome.verdict),
        effective_verdict=verdict_to_proto(outcome.effective_verdict),
        decide_time=timestamp(draft.now),
        ground=case.ground.decision if case.ground else "",
        attempt=case.attempt.name if case.attempt else "",
        rollback_target=outcome.rollback_target,
        supersedes=draft.supersedes,
        weakenings=outcome.weakenings,
        semantics_version=SEMANTICS_VERSION,
        engine_version=draft.engine_version,
        outcome_digest=outcome.digest,
        case_digest=draft.case_digest,
        release_digest=case.release.identity.digest,
        considered_revision=draft.considered_revision,
        dev=case.dev,
        renews=draft.renews,
    )
    for finding in outcome.findings:
        _fill_finding(message.findings.add(), finding)
    for result in outcome.policy_results:
        _fill_result(message.policy_results.add(), result)
    if outcome.canary is not None:
        message.canary.CopyFrom(canary_to_proto(outcome.canary))
    if outcome.watch is not None:
        message.watch.CopyFrom(watch_to_proto(outcome.watch))
    if outcome.valid_until is not None:
        set_time(message.valid_until, outcome.valid_until)
    if outcome.next_eligible_time is not None:
        set_time(message.next_eligible_time, outcome.next_eligible_time)
    if outcome.held_since is not None:
        set_time(message.held_since, outcome.held_since)
    for act in outcome.overrides:
        message.overrides.add(name=act.name, digest=act.digest, principal=act.principal)
    return message.SerializeToString(deterministic=True)


def decision_from_body(body: bytes) -> decision_pb2.Decision:
    """Return the recorded message."""
    return decision_pb2.Decision.FromString(body)


def simulated_to_proto(draft: DecisionDraft) -> decision_service_pb2.SimulatedDecision:
    """Return what would be decided, in a type that nothing can mistake for a decision."""
    outcome = draft.outcome
    message = decision_service_pb2.SimulatedDecision(
        release=draft.case.release.name,
        stage=stage_to_proto(outcome.stage),
        verdict=verdict_to_proto(outcome.verdict),
        effective_verdict=verdict_to_proto(outcome.effective_verdict),
        decide_time=timestamp(draft.now),
        weakenings=outcome.weakenings,
        rollback_target=outcome.rollback_target,
    )
    for finding in outcome.findings:
        _fill_finding(message.findings.add(), finding)
    for result in outcome.policy_results:
        _fill_result(message.policy_results.add(), result)
    if outcome.canary is not None:
        message.canary.CopyFrom(canary_to_proto(outcome.canary))
    if outcome.valid_until is not None:
        set_time(message.valid_until, outcome.valid_until)
    return message


def finding_to_proto(finding: Finding) -> decision_pb2.Finding:
    """Return one finding as a message."""
    message = decision_pb2.Finding()
    _fill_finding(message, finding)
    return message


def _fill_finding(message: decision_pb2.Finding, finding: Finding) -> None:
    """Set the fields that a finding says something in, in place: a decision spends most of its time here."""
    message.policy = finding.policy
    message.rule = finding.rule
    message.title = finding.title
    message.verdict = verdict_to_proto(finding.verdict)
    message.reason = finding.reason
    message.message = finding.message
    message.mode = mode_to_proto(finding.mode)
    if finding.next_action:
        message.next_action = finding.next_action
    if finding.who_can_act:
        message.who_can_act.extend(finding.who_can_act)
    if finding.artifact:
        message.artifact = finding.artifact
    if finding.key:
        message.key = finding.key
    if finding.path:
        message.path = finding.path
    for item in finding.evidence:
        fill_evidence_ref(message.evidence.add(), item)
    if finding.controls:
        message.controls.extend(finding.controls)
    if finding.next_eligible_time is not None:
        set_time(message.next_eligible_time, finding.next_eligible_time)
    if finding.approval is not None:
        message.approval.CopyFrom(approval_to_proto(finding.approval))
    for act in finding.lifted_by:
        message.lifted_by.add(name=act.name, digest=act.digest, principal=act.principal)


def _fill_result(message: decision_pb2.PolicyResult, result: PolicyResult) -> None:
    message.policy = result.policy
    message.revision = result.revision
    message.digest = result.digest
    message.mode = mode_to_proto(result.mode)
    message.verdict = verdict_to_proto(result.verdict)
    for skipped in result.not_applicable:
        message.not_applicable.add(rule=skipped.rule, reason=skipped.reason, detail=skipped.detail)
