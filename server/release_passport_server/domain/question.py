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
from release_passport_server.domain.select import Selection
from release_passport_server.domain.texts import next_action
from release_passport_server.domain.verdict import Stage, Verdict

Answer = bool | MissingFact | ExpressionFailure


class Hearing:
    """One case at one time, with what its rules share: the evidence looked up, and contexts of expressions."""

    def __init__(self, case: Case, now: datetime) -> None:
        """Take the case as it is."""
        self.case = case
        self.now = now
        self.watching = case.stage is Stage.WATCH
        self.selection = Selection(case, now)
        # Most rules look at the newest item of a kind: all these share one context.
        self._newest = {kind: items[-1].facts for kind, items in case.evidence.items() if items}
        self.base = ExpressionContext(case.release_facts, case.attempt_facts, now, self._newest, {})
        self._of_item: dict[int, ExpressionContext] = {}

    def context(self, items: Sequence[EvidenceItem]) -> ExpressionContext:
        """Return the values that an expression about these items reads; it may hold other kinds beside theirs."""
        for item in items:
            if self._newest.get(item.kind) is not item.facts:
                break
        else:
            return self.base
        if len(items) > 1:
            return self._context(items)
        context = self._of_item.get(id(items[0]))
        if context is None:
            context = self._of_item[id(items[0])] = self._context(items)
        return context

    def _context(self, items: Sequence[EvidenceItem]) -> ExpressionContext:
        facts = {item.kind: item.facts for item in items}
        return ExpressionContext(self.base.release, self.base.attempt, self.now, facts, {})


@dataclass(slots=True)
class Question:
    """One rule of one policy, asked about one artifact and key of a case; not frozen, which would make it slow."""

    policy: Policy
    rule: Rule
    hearing: Hearing
    artifact: str = ""
    key: str = ""
    # When the evidence in question stops being fresh.
    until: datetime | None = None

    @property
    def case(self) -> Case:
        """Return the case in question."""
        return self.hearing.case

    @property
    def now(self) -> datetime:
        """Return the time of the decision."""
        return self.hearing.now

    def passed(self, items: tuple[EvidenceItem, ...]) -> Finding:
        """Return the finding that the rule passes; written out, because most findings are this one."""
        rule, policy = self.rule, self.policy
        return Finding(
            Verdict.ALLOW,
            Reason.PASSED,
            rule.title or "passed",
            policy.policy_id,
            policy.revision,
            rule.rule_id,
            rule.title,
            policy.mode,
            artifact=self.artifact,
            key=self.key,
            evidence=items,
            stands_until=self.until,
            controls=rule.controls,
        )

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
            who_can_act=who if asks is None else asks.who,
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
        context = self.hearing.context(items)
        return self.rule.compiled.expect(context), context
