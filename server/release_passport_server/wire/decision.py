"""Decisions as messages: made once when a decision is recorded, and read back from the stored bytes."""

from __future__ import annotations

from release_passport.v1 import decision_pb2, decision_service_pb2
from release_passport_server.domain.outcome import SEMANTICS_VERSION, Finding, PolicyResult
from release_passport_server.domain.record import DecisionDraft
from release_passport_server.wire.enums import mode_to_proto, stage_to_proto, verdict_to_proto
from release_passport_server.wire.evidence import evidence_ref_to_proto
from release_passport_server.wire.policy import approval_to_proto, canary_to_proto, watch_to_proto
from release_passport_server.wire.times import timestamp


def decision_body(draft: DecisionDraft) -> bytes:
    """Return the bytes of the Decision message that is recorded; the digests are over these bytes."""
    outcome, case = draft.outcome, draft.case
    message = decision_pb2.Decision(
        name=draft.name,
        release=case.release.name,
        stage=stage_to_proto(outcome.stage),
        verdict=verdict_to_proto(outcome.verdict),
        effective_verdict=verdict_to_proto(outcome.effective_verdict),
        findings=[finding_to_proto(finding) for finding in outcome.findings],
        policy_results=[_result_to_proto(result) for result in outcome.policy_results],
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
    if outcome.canary is not None:
        message.canary.CopyFrom(canary_to_proto(outcome.canary))
    if outcome.watch is not None:
        message.watch.CopyFrom(watch_to_proto(outcome.watch))
    if outcome.valid_until is not None:
        message.valid_until.FromDatetime(outcome.valid_until)
    if outcome.next_eligible_time is not None:
        message.next_eligible_time.FromDatetime(outcome.next_eligible_time)
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
        findings=[finding_to_proto(finding) for finding in outcome.findings],
        policy_results=[_result_to_proto(result) for result in outcome.policy_results],
        decide_time=timestamp(draft.now),
        weakenings=outcome.weakenings,
        rollback_target=outcome.rollback_target,
    )
    if outcome.canary is not None:
        message.canary.CopyFrom(canary_to_proto(outcome.canary))
    if outcome.valid_until is not None:
        message.valid_until.FromDatetime(outcome.valid_until)
    return message


def finding_to_proto(finding: Finding) -> decision_pb2.Finding:
    """Return one finding as a message."""
    message = decision_pb2.Finding(
        policy=finding.policy,
        rule=finding.rule,
        title=finding.title,
        verdict=verdict_to_proto(finding.verdict),
        reason=finding.reason.value,
        message=finding.message,
        next_action=finding.next_action,
        who_can_act=finding.who_can_act,
        artifact=finding.artifact,
        key=finding.key,
        path=finding.path,
        evidence=[evidence_ref_to_proto(item) for item in finding.evidence],
        mode=mode_to_proto(finding.mode),
        controls=finding.controls,
    )
    if finding.next_eligible_time is not None:
        message.next_eligible_time.FromDatetime(finding.next_eligible_time)
    if finding.approval is not None:
        message.approval.CopyFrom(approval_to_proto(finding.approval))
    return message


def _result_to_proto(result: PolicyResult) -> decision_pb2.PolicyResult:
    return decision_pb2.PolicyResult(
        policy=result.policy,
        revision=result.revision,
        digest=result.digest,
        mode=mode_to_proto(result.mode),
        verdict=verdict_to_proto(result.verdict),
        not_applicable=[
            decision_pb2.NotApplicable(rule=skip.rule, reason=skip.reason, detail=skip.detail)
            for skip in result.not_applicable
        ],
    )
