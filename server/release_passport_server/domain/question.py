"""One rule asked about one case, and how its findings are made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from release_passport_server.domain.case import Case
from release_passport_server.domain.evidence import EvidenceItem
from release_passport_server.domain.expression import ExpressionContext, ExpressionFailure, MissingFact
from release_passport_server.domain.outcome import Finding, Reason
from release_passport_server.domain.policy import Policy, Rule
from release_passport_server.domain.release import Artifact
from release_passport_server.domain.texts import next_action
from release_passport_server.domain.verdict import Verdict

Answer = bool | MissingFact | ExpressionFailure


@dataclass(frozen=True, slots=True)
class Question:
    """One rule of one policy, asked about one case at one time, then about one artifact and key of it."""

    policy: Policy
    rule: Rule
    case: Case
    now: datetime
    # The context that rules share: it holds the facts of each kind of which there is one item only.
    base: ExpressionContext
    artifact: str = ""
    key: str = ""
    # When the evidence in question stops being fresh.
    until: datetime | None = None

    def about(self, artifact: Artifact | None, key: str, until: datetime | None = None) -> Question:
        """Return the same question about one artifact and key."""
        name = artifact.name if artifact is not None else ""
        return Question(self.policy, self.rule, self.case, self.now, self.base, name, key, until)

    def finding(
        self,
        verdict: Verdict,
        reason: Reason,
        message: str,
        *,
        evidence: tuple[EvidenceItem, ...] = (),
        path: str = "",
        who: tuple[str, ...] = (),
        next_eligible_time: datetime | None = None,
        stands_until: datetime | None = None,
    ) -> Finding:
        """Return a finding of this rule; approvals are named when it asks for them."""
        rule, policy = self.rule, self.policy
        asks = rule.approval if verdict is Verdict.REQUIRE_APPROVAL else None
        return Finding(
            verdict,
            reason,
            message,
            policy=policy.policy_id,
            policy_revision=policy.revision,
            rule=rule.rule_id,
            title=rule.title,
            mode=policy.mode,
            next_action="" if verdict is Verdict.ALLOW else self._next_action(reason),
            who_can_act=who if asks is None else tuple(group.group for group in asks.groups),
            next_eligible_time=next_eligible_time,
            artifact=self.artifact,
            key=self.key,
            path=path,
            evidence=evidence,
            stands_until=stands_until or (self.until if verdict.allows else None),
            controls=rule.controls,
            approval=asks,
        )

    def _next_action(self, reason: Reason) -> str:
        """Return the author's advice where the facts failed; what is unknown needs other advice."""
        failed = reason in (
            Reason.EXPECTATION_FAILED,
            Reason.EVIDENCE_CONFLICT,
            Reason.FAILING_BELOW_THRESHOLD,
        )
        return (self.rule.next_action if failed else "") or next_action(reason)

    def evaluate(self, items: Sequence[EvidenceItem]) -> tuple[Answer, ExpressionContext]:
        """Return what `expect` says of these items, and the context it was asked in."""
        context = self.base
        for item in items:
            if context.evidence.get(item.kind) is not item.facts:
                facts = {one.kind: one.facts for one in items}
                context = ExpressionContext(context.release, context.attempt, context.now, facts, {})
                break
        return self.rule.compiled.expect(context), context
