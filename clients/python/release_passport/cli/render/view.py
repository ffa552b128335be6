"""A decision as it is shown, whatever the form: what blocks, what else was seen, and in which words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from release_passport.cli.render.names import release_words
from release_passport.enum_names import short_name
from release_passport.v1 import decision_pb2, decision_service_pb2, policy_pb2, verdict_pb2

AnyDecision = decision_pb2.Decision | decision_service_pb2.SimulatedDecision

_VERDICT = verdict_pb2.DESCRIPTOR.enum_types_by_name["Verdict"]
_STAGE = verdict_pb2.DESCRIPTOR.enum_types_by_name["Stage"]
_MODE = verdict_pb2.DESCRIPTOR.enum_types_by_name["PolicyMode"]
_PASSING = {verdict_pb2.VERDICT_ALLOW, verdict_pb2.VERDICT_ALLOW_WITH_CANARY}
_EVIDENCE_REASONS = {"EVIDENCE_MISSING", "EVIDENCE_STALE", "SETTLING", "WARMING_UP"}
_TRUST_REASONS = {"EVIDENCE_UNVERIFIED", "EVIDENCE_UNTRUSTED"}
_WORDS = {
    "NO_POLICY_MATCHED": "no policy decides about it",
    "NOTHING_ENFORCED": "no policy is enforced for it",
    "NO_RULE_APPLIED": "no rule applies to it at this stage",
    "UNKNOWN_SERVICE": "its service or environment is not registered",
    "REQUIRED_POLICY_MISSING": "a required policy is missing",
    "NOTHING_WATCHED": "no rule watches its rollout",
    "CONCURRENT_CHANGE": "things changed while it was decided",
    "OUT_OF_ORDER": "a later release runs there",
    "ARTIFACT_NOT_COVERED": "its rollout brings images that are not its own",
}


@dataclass(frozen=True, slots=True)
class DecisionView:
    """A decision, recorded or simulated, with its findings sorted by what they mean for the reader."""

    decision: AnyDecision
    verdict: str
    refusal: str = ""

    @property
    def name(self) -> str:
        """Return the decision's name; empty when it was simulated."""
        return self.decision.name if isinstance(self.decision, decision_pb2.Decision) else ""

    @property
    def release(self) -> str:
        """Return the release in words."""
        return release_words(self.decision.release)

    @property
    def stage(self) -> str:
        """Return the stage's short name."""
        return short_name(_STAGE, self.decision.stage)

    @property
    def all_policies_verdict(self) -> str:
        """Return what all policies say, whatever their mode."""
        return short_name(_VERDICT, self.decision.verdict)

    @property
    def blocking(self) -> list[decision_pb2.Finding]:
        """Return the enforced findings that do not let the release go on; nothing holds a way back that goes."""
        return (
            []
            if self.goes_back
            else [f for f in self.decision.findings if is_enforced(f) and f.verdict not in _PASSING]
        )

    @property
    def unenforced(self) -> list[decision_pb2.Finding]:
        """Return the findings that hold nothing: of policies that are only watched, or of a way back."""
        held = (f for f in self.decision.findings if f.verdict not in _PASSING)
        return [f for f in held if self.goes_back or not is_enforced(f)]

    @property
    def unenforced_title(self) -> str:
        """Return what stands over the findings that hold nothing."""
        return "Seen, and holds no way back" if self.goes_back else "Seen by policies that are not enforced"

    @property
    def goes_back(self) -> bool:
        """Say whether it goes only because it restores what passed there before."""
        return "RESTORES_PREVIOUS" in self.decision.weakenings and not self.refusal

    @property
    def passed(self) -> list[decision_pb2.Finding]:
        """Return the findings that let the release go on."""
        return [f for f in self.decision.findings if f.verdict in _PASSING]

    @property
    def headline(self) -> str:
        """Return the verdict in a few words."""
        return self.refusal or _headline(self.verdict, self.decision, self.blocking)


def view_of(decision: AnyDecision, *, refusal: str = "") -> DecisionView:
    """Return the view of a decision; a refusal says why the client takes it for HOLD all the same."""
    verdict = "HOLD" if refusal else short_name(_VERDICT, decision.effective_verdict)
    return DecisionView(decision, verdict, refusal)


def is_enforced(finding: decision_pb2.Finding) -> bool:
    """Say whether the finding counts: it is of an ENFORCE policy or of the server itself."""
    return not finding.policy or finding.mode in {
        verdict_pb2.POLICY_MODE_ENFORCE,
        verdict_pb2.POLICY_MODE_UNSPECIFIED,
    }


def verdict_name(verdict: int) -> str:
    """Return the short name of a verdict."""
    return short_name(_VERDICT, verdict)


def mode_name(mode: int) -> str:
    """Return the short name of a policy mode."""
    return short_name(_MODE, mode)


def rule_name(finding: decision_pb2.Finding) -> str:
    """Return policy and rule of a finding; findings of the server itself say so."""
    return f"{finding.policy}/{finding.rule}" if finding.policy else finding.rule or "server"


def moment(time: Timestamp) -> datetime | None:
    """Return the time as an aware datetime; None when it is not set or out of range."""
    if not time.seconds and not time.nanos:
        return None
    try:
        return time.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def time_words(time: Timestamp) -> str:
    """Return the time as 2026-03-02 10:00:00Z; empty when it is not set."""
    value = moment(time)
    return value.strftime("%Y-%m-%d %H:%M:%SZ") if value else ""


def canary_words(canary: policy_pb2.CanaryConstraints) -> str:
    """Return the constraints of a canary in words; empty when there are none."""
    if not canary.max_weight:
        return ""
    steps = ", ".join(str(step) for step in canary.steps)
    return f"at most {canary.max_weight} % of the traffic" + (f", in steps of {steps} %" if steps else "")


def _headline(verdict: str, decision: AnyDecision, blocking: Sequence[decision_pb2.Finding]) -> str:
    if verdict == "ALLOW":
        back = any(finding.reason == "RESTORES_PREVIOUS" for finding in decision.findings)
        return "may proceed: it goes back to what passed here before" if back else "may proceed"
    if verdict == "ALLOW_WITH_CANARY":
        limits = canary_words(decision.canary)
        return f"may proceed as a canary, {limits}" if limits else "may proceed as a canary"
    if verdict == "ROLLBACK_RECOMMENDED":
        target = decision.rollback_target
        return (
            f"go back to {release_words(target)}" if target else "go back; no release to go back to is known"
        )
    decisive = [f for f in blocking if verdict_name(f.verdict) == verdict] or list(blocking)
    count = f"{len(decisive)} of {len(decision.findings)} checks"
    if verdict == "BLOCK":
        return f"may not proceed: {count} {'fails' if len(decisive) == 1 else 'fail'}"
    if verdict == "REQUIRE_APPROVAL":
        return f"waiting for approval by {_who(decisive)}" if _who(decisive) else "waiting for approval"
    return _hold_words(decisive, count)


def _hold_words(decisive: Sequence[decision_pb2.Finding], count: str) -> str:
    reasons = {finding.reason for finding in decisive}
    if reasons and reasons <= _EVIDENCE_REASONS:
        return "waiting for evidence"
    if reasons and reasons <= _EVIDENCE_REASONS | _TRUST_REASONS:
        return "waiting for evidence that can be trusted"
    for reason, words in _WORDS.items():
        if reason in reasons:
            return f"may not proceed yet: {words}"
    return f"may not proceed yet: {count} {'holds' if len(decisive) == 1 else 'hold'}"


def _who(findings: Sequence[decision_pb2.Finding]) -> str:
    groups = [group.group for finding in findings for group in finding.approval.groups]
    return ", ".join(dict.fromkeys(groups or [who for finding in findings for who in finding.who_can_act]))
