"""What `decide` returns: verdicts, the finding behind each, and until when it stands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

from release_passport_server.domain.canonical import digest_of
from release_passport_server.domain.evidence import EvidenceItem
from release_passport_server.domain.policy import ApprovalRequirement, Canary, Watch
from release_passport_server.domain.verdict import VERDICT_NAMES, Mode, Stage, Verdict

# Grows whenever `decide` could answer differently for the same case.
SEMANTICS_VERSION = 2


class Reason(StrEnum):
    """Why a finding says what it says; stable, and listed in the README of policies."""

    PASSED = "PASSED"
    EXPECTATION_FAILED = "EXPECTATION_FAILED"
    FAILING_BELOW_THRESHOLD = "FAILING_BELOW_THRESHOLD"
    EVIDENCE_MISSING = "EVIDENCE_MISSING"
    EVIDENCE_STALE = "EVIDENCE_STALE"
    EVIDENCE_UNVERIFIED = "EVIDENCE_UNVERIFIED"
    EVIDENCE_UNTRUSTED = "EVIDENCE_UNTRUSTED"
    EVIDENCE_CONFLICT = "EVIDENCE_CONFLICT"
    EVALUATION_ERROR = "EVALUATION_ERROR"
    SETTLING = "SETTLING"
    WARMING_UP = "WARMING_UP"
    ANALYSIS_INCONCLUSIVE = "ANALYSIS_INCONCLUSIVE"
    ROLLBACK_LATCHED = "ROLLBACK_LATCHED"
    PREVIOUSLY_DEGRADED = "PREVIOUSLY_DEGRADED"
    GROUND = "GROUND"
    GROUND_WITHDRAWN = "GROUND_WITHDRAWN"
    NOTHING_WATCHED = "NOTHING_WATCHED"
    UNKNOWN_SERVICE = "UNKNOWN_SERVICE"
    NO_POLICY_MATCHED = "NO_POLICY_MATCHED"
    NO_RULE_APPLIED = "NO_RULE_APPLIED"
    NOTHING_ENFORCED = "NOTHING_ENFORCED"
    REQUIRED_POLICY_MISSING = "REQUIRED_POLICY_MISSING"
    CONCURRENT_CHANGE = "CONCURRENT_CHANGE"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    WAIVED = "WAIVED"
    ALL_RULES_WAIVED = "ALL_RULES_WAIVED"
    FROZEN = "FROZEN"
    FREEZE_EXEMPT = "FREEZE_EXEMPT"
    OVERRIDE_UNREVIEWED = "OVERRIDE_UNREVIEWED"
    AUTHORS_UNKNOWN = "AUTHORS_UNKNOWN"
    OUT_OF_ORDER = "OUT_OF_ORDER"
    WATCH_BLIND = "WATCH_BLIND"
    ARTIFACT_NOT_COVERED = "ARTIFACT_NOT_COVERED"
    RESTORES_PREVIOUS = "RESTORES_PREVIOUS"


class Applied(NamedTuple):
    """A person's act that had a part in a decision: its name, the digest of what it says, and whose word it is."""

    name: str
    digest: str
    principal: str


class Finding(NamedTuple):
    """The outcome of one rule for one artifact and key; findings of the engine itself have no policy.

    A tuple, because a frozen dataclass of so many fields takes three times as long to make.
    """

    verdict: Verdict
    reason: Reason
    message: str
    policy: str = ""
    policy_revision: int = 0
    rule: str = ""
    title: str = ""
    mode: Mode = Mode.ENFORCE
    next_action: str = ""
    who_can_act: tuple[str, ...] = ()
    next_eligible_time: datetime | None = None
    artifact: str = ""
    key: str = ""
    path: str = ""
    evidence: tuple[EvidenceItem, ...] = ()
    # When a passing finding stops standing because its evidence ages.
    stands_until: datetime | None = None
    controls: tuple[str, ...] = ()
    approval: ApprovalRequirement | None = None
    # The votes, waivers or exemptions that made the finding what it is.
    lifted_by: tuple[Applied, ...] = ()


def strictest_finding(findings: Iterable[Finding]) -> Finding:
    """Return the first of the strictest findings; there is at least one."""
    return max(findings, key=_strictness)


def _strictness(finding: Finding) -> Verdict:
    return finding.verdict


@dataclass(frozen=True, slots=True)
class NotApplicable:
    """A rule that did not apply, and why."""

    rule: str
    reason: str
    detail: str = ""


class PolicyResult(NamedTuple):
    """What one policy says; `verdict` is None when none of its rules applied."""

    policy: str
    revision: int
    digest: str
    mode: Mode
    verdict: Verdict | None
    not_applicable: tuple[NotApplicable, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """The whole answer for one case."""

    stage: Stage
    verdict: Verdict
    effective_verdict: Verdict
    findings: tuple[Finding, ...]
    policy_results: tuple[PolicyResult, ...]
    canary: Canary | None = None
    watch: Watch | None = None
    valid_until: datetime | None = None
    next_eligible_time: datetime | None = None
    rollback_target: str = ""
    weakenings: tuple[str, ...] = ()
    # Findings that latch: the store writes a row for each in the decision's transaction.
    latching: tuple[Finding, ...] = ()
    # The overrides that took findings out of the effective verdict.
    overrides: tuple[Applied, ...] = ()
    # Since when a rollout has been on hold, where that began with an earlier decision.
    held_since: datetime | None = None

    @cached_property
    def digest(self) -> str:
        """Return the digest over verdicts, constraints and findings' codes; values, texts and times do not count."""
        return digest_of(
            {
                "stage": int(self.stage),
                "verdict": int(self.verdict),
                "effectiveVerdict": int(self.effective_verdict),
                "canary": None if self.canary is None else [self.canary.max_weight, list(self.canary.steps)],
                "watch": None if self.watch is None else _watch_codes(self.watch),
                "rollbackTarget": self.rollback_target,
                "weakenings": sorted(self.weakenings),
                "findings": sorted([_codes(finding) for finding in self.findings]),
                **({"overrides": [one.name for one in self.overrides]} if self.overrides else {}),
            }
        )


def _codes(finding: Finding) -> tuple[str, ...]:
    codes = (
        finding.policy,
        str(finding.policy_revision),
        finding.rule,
        finding.artifact,
        finding.key,
        VERDICT_NAMES[finding.verdict],
        finding.reason,
    )
    return codes if not finding.lifted_by else (*codes, *sorted(one.name for one in finding.lifted_by))


def _watch_codes(watch: Watch) -> list[object]:
    spans = [watch.duration, watch.grace_period, watch.interval]
    codes = [*(int(span.total_seconds()) for span in spans), list(watch.required_rules)]
    if watch.hold is None:
        return codes
    limit = watch.hold.limit
    return [*codes, None if limit is None else int(limit.total_seconds()), watch.hold.rolls_back]
