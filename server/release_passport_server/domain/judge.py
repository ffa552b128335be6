"""One rule's answer: unknown is kept apart from failing, and nothing passes that was not looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice, product

from release_passport_server.domain.case import Case
from release_passport_server.domain.evidence import EvidenceItem, Verification
from release_passport_server.domain.expression import ExpressionContext, ExpressionFailure, MissingFact
from release_passport_server.domain.glob import matches
from release_passport_server.domain.kind import kind_named
from release_passport_server.domain.outcome import Finding, NotApplicable, Reason
from release_passport_server.domain.policy import Policy, Rule
from release_passport_server.domain.release import Artifact
from release_passport_server.domain.select import Lack, Series, bound, per_artifact, series_by_key
from release_passport_server.domain.texts import next_action
from release_passport_server.domain.verdict import Stage, Verdict

# No more combinations of sources than this are evaluated for one finding; beyond it sources count as in conflict.
MAX_COMBINATIONS = 64

Answer = bool | MissingFact | ExpressionFailure


@dataclass(frozen=True, slots=True)
class Question:
    """One rule of one policy, asked about one case at one time, then about one artifact and key of it."""

    policy: Policy
    rule: Rule
    case: Case
    now: datetime
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
        base = self.base
        facts = {item.kind: item.facts for item in items}
        context = ExpressionContext(base.release, base.attempt, base.now, facts, {})
        return self.rule.compiled.expect(context), context


def judge(question: Question) -> tuple[Finding, ...] | NotApplicable:
    """Return the rule's findings, one for each artifact and key, or why it does not apply."""
    rule, case = question.rule, question.case
    if case.stage not in rule.stages:
        return NotApplicable(rule.rule_id, "OTHER_STAGE")
    if rule.compiled.when is not None:
        applies = rule.compiled.when(question.base)
        if applies is False:
            return NotApplicable(rule.rule_id, "WHEN_FALSE", rule.compiled.when.source)
        if applies is not True:
            text = f"`when` could not be evaluated: {_detail(applies)}"
            return (question.finding(rule.on_error, Reason.EVALUATION_ERROR, text),)
    artifacts = _artifacts(question)
    if not artifacts:
        text = "the release has no artifact that this rule's needs match"
        return (question.finding(rule.on_missing, Reason.EVIDENCE_MISSING, text),)
    findings = [finding for artifact in artifacts for finding in _judge_artifact(question, artifact)]
    return tuple(_collapsed(findings))


def _artifacts(question: Question) -> list[Artifact | None]:
    globs = [need.artifacts for need in question.rule.needs if per_artifact(need)]
    if not globs:
        return [None]
    artifacts = question.case.release.identity.artifacts
    return [a for a in artifacts if all(matches(glob, a.name) for glob in globs)]


def _judge_artifact(question: Question, artifact: Artifact | None) -> list[Finding]:
    chosen: list[dict[str, tuple[Series, ...] | Lack]] = []
    for need in question.rule.needs:
        items = bound(question.case, need, artifact, service_wide=False, now=question.now)
        chosen.append(series_by_key(question.case, need, items))
    if len(chosen) == 1:
        findings = [_judge_parts(question, artifact, key, (part,)) for key, part in chosen[0].items()]
    else:
        findings = _judge_together(question, artifact, chosen)
    if question.case.stage is Stage.WATCH:
        findings.extend(_service_wide(question, artifact))
    return findings


def _judge_together(
    question: Question, artifact: Artifact | None, chosen: list[dict[str, tuple[Series, ...] | Lack]]
) -> list[Finding]:
    """Judge several needs; at most one of them has more than one key, and its keys make the findings."""
    keys = next((list(by_key) for by_key in chosen if len(by_key) > 1), None)
    if keys is None:
        keys = [next((key for by_key in chosen for key in by_key if key), "")]
    findings = []
    for key in keys:
        parts = [by_key[key] if key in by_key else next(iter(by_key.values())) for by_key in chosen]
        findings.append(_judge_parts(question, artifact, key, parts))
    return findings


def _judge_parts(
    question: Question, artifact: Artifact | None, key: str, parts: Sequence[tuple[Series, ...] | Lack]
) -> Finding:
    lacks: list[Lack] = []
    series: list[tuple[Series, ...]] = []
    newest: list[EvidenceItem] = []
    until: datetime | None = None
    for part in parts:
        if isinstance(part, Lack):
            lacks.append(part)
            continue
        series.append(part)
        for one in part:
            lack = _lack_of(question, one)
            if lack is not None:
                lacks.append(lack)
            stale = one.newest.stale_time(one.need.max_age)
            until = stale if until is None or stale < until else until
            newest.append(one.newest)
    if lacks:
        asked = question.about(artifact, key)
        return max((_unknown(asked, lack) for lack in lacks), key=_strictness)
    return _judge_series(question.about(artifact, key, until), series, tuple(newest))


def _judge_series(
    asked: Question, series: Sequence[tuple[Series, ...]], newest: tuple[EvidenceItem, ...]
) -> Finding:
    inconclusive = tuple(item for item in newest if item.inconclusive)
    if inconclusive:
        text = "the analysis was inconclusive, which does not become a pass by asking again"
        return asked.finding(Verdict.HOLD, Reason.ANALYSIS_INCONCLUSIVE, text, evidence=inconclusive)
    finding = _evaluate(asked, series, newest)
    if len(series) == 1:
        if finding.reason is Reason.PASSED:
            finding = max((_over_time(asked, one, finding) for one in series[0]), key=_strictness)
        elif finding.reason is Reason.EXPECTATION_FAILED:
            finding = _below_threshold(asked, series[0], finding)
    if asked.until is not None and asked.now >= asked.until:
        return _aged(asked, series, newest, finding)
    return finding


def _strictness(finding: Finding) -> Verdict:
    return finding.verdict


def _lack_of(question: Question, series: Series) -> Lack | None:
    need, newest = series.need, series.newest
    if newest.revocation is not None:
        text = f"the newest {need.kind} evidence was revoked: {newest.revocation.reason}"
        return Lack(Reason.EVIDENCE_MISSING, text, need, (newest,))
    if newest.verification is Verification.FAILED:
        text = f"the {need.kind} evidence could not be verified: {newest.verification_reason}"
        return Lack(Reason.EVIDENCE_UNVERIFIED, text, need, (newest,))
    if need.verified and newest.verification is not Verification.VERIFIED:
        text = f"the {need.kind} evidence carries no verified signature"
        return Lack(Reason.EVIDENCE_UNVERIFIED, text, need, (newest,))
    if need.verified and newest.signer not in question.case.place.signers:
        text = f"SIGNER_NOT_TRUSTED: {newest.signer} is not a registered signer of this service"
        return Lack(Reason.EVIDENCE_UNVERIFIED, text, need, (newest,))
    if not need.min_samples:
        return None
    fresh = sum(question.now < item.stale_time(need.max_age) for item in series.items)
    count = newest.samples if newest.samples is not None else fresh
    if count < need.min_samples and question.now < newest.stale_time(need.max_age):
        text = f"{count} of {need.min_samples} samples of {need.kind}"
        return Lack(Reason.EVIDENCE_MISSING, text, need, (newest,))
    return None


def _unknown(question: Question, lack: Lack) -> Finding:
    rule = question.rule
    if lack.reason is Reason.EVIDENCE_MISSING:
        warming = _warming_up(question, lack)
        if warming is not None:
            return warming
    verdict = rule.on_missing if lack.reason is Reason.EVIDENCE_MISSING else rule.on_unverified
    return question.finding(
        verdict, lack.reason, lack.message, evidence=lack.items, who=lack.need.sources, path=lack.path
    )


def _warming_up(question: Question, lack: Lack) -> Finding | None:
    watch, attempt = question.policy.watch, question.case.attempt
    if question.case.stage is not Stage.WATCH or watch is None or attempt is None:
        return None
    until = attempt.start_time + watch.grace_period
    if question.now >= until or any(item.revocation for item in lack.items):
        return None
    text = f"{lack.message}; the canary has until {until:%H:%M:%S} UTC to give a first signal"
    verdict = Verdict.ALLOW_WITH_CANARY
    return question.finding(verdict, Reason.WARMING_UP, text, evidence=lack.items, stands_until=until)


def _evaluate(
    question: Question, series: Sequence[tuple[Series, ...]], newest: tuple[EvidenceItem, ...]
) -> Finding:
    """Ask `expect` once for each combination of sources; sources that disagree are a conflict."""
    rule = question.rule
    if all(len(group) == 1 for group in series):
        answer, context = question.evaluate(newest)
        return _answered(question, answer, context, newest)
    combinations = list(islice(product(*series), MAX_COMBINATIONS + 1))
    if len(combinations) > MAX_COMBINATIONS:
        text = f"more than {MAX_COMBINATIONS} combinations of sources: name the sources that count"
        return question.finding(rule.on_conflict, Reason.EVIDENCE_CONFLICT, text, evidence=newest)
    answers = [question.evaluate([one.newest for one in chosen]) for chosen in combinations]
    if {answer for answer, _ in answers if isinstance(answer, bool)} == {True, False}:
        failing = rule.failing_verdict(question.case.stage)
        text = "sources disagree: " + ", ".join(sorted({item.source for item in newest}))
        verdict = max(rule.on_conflict, failing)
        return question.finding(verdict, Reason.EVIDENCE_CONFLICT, text, evidence=newest)
    findings = [_answered(question, answer, context, newest) for answer, context in answers]
    return max(findings, key=_strictness)


def _answered(
    question: Question, answer: Answer, context: ExpressionContext, items: tuple[EvidenceItem, ...]
) -> Finding:
    rule = question.rule
    if answer is True:
        return question.finding(Verdict.ALLOW, Reason.PASSED, rule.title or "passed", evidence=items)
    if answer is False:
        verdict = rule.failing_verdict(question.case.stage)
        return question.finding(verdict, Reason.EXPECTATION_FAILED, _text(question, context), evidence=items)
    if isinstance(answer, MissingFact):
        text = f"the evidence does not say {answer.path}"
        return _unknown(question, Lack(Reason.EVIDENCE_MISSING, text, rule.needs[0], items, answer.path))
    text = f"`expect` could not be evaluated: {_detail(answer)}"
    return question.finding(rule.on_error, Reason.EVALUATION_ERROR, text, evidence=items)


def _over_time(question: Question, series: Series, finding: Finding) -> Finding:
    """Look at what came before the newest observation: earlier failing runs, and how long the facts have held."""
    need, rule = series.need, question.rule
    if kind_named(need.kind).run and len(series.items) > 1:
        earlier = [item for item in series.items[:-1] if item.revocation is None]
        failed = [item for item in earlier if question.evaluate([item])[0] is not True]
        if len(failed) > need.retries:
            text = f"{len(failed)} earlier run(s) of {series.source} did not pass and {need.retries} may be retried"
            verdict = rule.failing_verdict(question.case.stage)
            items = (*failed, series.newest)
            return question.finding(verdict, Reason.EXPECTATION_FAILED, text, evidence=items)
    if rule.settle:
        since = _held_since(question, series)
        if question.now < since + rule.settle:
            until = since + rule.settle
            text = f"holds since {since:%H:%M:%S} UTC and must hold for {rule.settle.total_seconds():.0f} s"
            items = (series.newest,)
            return question.finding(
                Verdict.HOLD, Reason.SETTLING, text, evidence=items, next_eligible_time=until
            )
    return finding


def _held_since(question: Question, series: Series) -> datetime:
    since = series.newest.observe_time
    later = series.newest
    for item in reversed(series.items[:-1]):
        unbroken = later.observe_time - item.observe_time <= series.need.max_age
        if not unbroken or item.revocation is not None or question.evaluate([item])[0] is not True:
            break
        since, later = item.observe_time, item
    return since


def _below_threshold(question: Question, group: tuple[Series, ...], finding: Finding) -> Finding:
    """Let a failing signal pass, visibly, until it has failed often enough in a row (WATCH only)."""
    rule = question.rule
    if (
        question.case.stage is not Stage.WATCH
        or finding.reason is not Reason.EXPECTATION_FAILED
        or rule.failures < 2
    ):
        return finding
    if kind_named(group[0].need.kind).run:
        return finding
    worst = max(_failing_run(question, series) for series in group)
    if worst >= rule.failures:
        return finding
    text = f"{worst} of {rule.failures} failing observations in a row: {finding.message}"
    reason = Reason.FAILING_BELOW_THRESHOLD
    return question.finding(Verdict.ALLOW, reason, text, evidence=finding.evidence)


def _failing_run(question: Question, series: Series) -> int:
    count = 0
    for item in reversed(series.items[-question.rule.failures :]):
        if item.revocation is not None or question.evaluate([item])[0] is not False:
            break
        count += 1
    return count


def _aged(
    question: Question,
    series: Sequence[tuple[Series, ...]],
    newest: tuple[EvidenceItem, ...],
    finding: Finding,
) -> Finding:
    """Turn what rests on old evidence into a stale finding; failing evidence does not get better by ageing."""
    rule = question.rule
    failed = finding.reason in (Reason.EXPECTATION_FAILED, Reason.EVIDENCE_CONFLICT)
    if failed and finding.verdict >= rule.on_stale:
        return finding
    text = f"the evidence is too old since {question.until:%Y-%m-%d %H:%M:%S} UTC"
    sources = tuple(dict.fromkeys(source for group in series for one in group for source in one.need.sources))
    return question.finding(rule.on_stale, Reason.EVIDENCE_STALE, text, evidence=newest, who=sources)


def _service_wide(question: Question, artifact: Artifact | None) -> list[Finding]:
    """Return a finding that holds where service-wide facts fail in WATCH; passing ones prove nothing of a canary."""
    rule = question.rule
    if len(rule.needs) != 1:
        return []
    need = rule.needs[0]
    if not kind_named(need.kind).attempt_bound:
        return []
    items = bound(question.case, need, artifact, service_wide=True, now=question.now)
    findings = []
    for key, group in series_by_key(question.case, need, items).items() if items else ():
        if isinstance(group, Lack):
            continue
        for series in group:
            fresh = question.now < series.newest.stale_time(need.max_age)
            if fresh and _failing_run(question, series) >= rule.failures:
                text = "the whole service fails this rule, canary or not"
                asked = question.about(artifact, key)
                found = asked.finding(
                    Verdict.HOLD, Reason.EXPECTATION_FAILED, text, evidence=(series.newest,)
                )
                findings.append(found)
    return findings


def _collapsed(findings: list[Finding]) -> list[Finding]:
    """Merge findings of several artifacts that rest on the very same evidence, such as tests of the source."""
    if len(findings) < 2:
        return findings
    merged: dict[object, Finding] = {}
    for finding in findings:
        names = tuple(item.name for item in finding.evidence)
        alone = (finding.artifact, finding.key, finding.reason, len(merged))
        same = (finding.key, finding.reason, names) if names else alone
        merged[same] = replace(finding, artifact="") if same in merged else finding
    return list(merged.values())


def _text(question: Question, context: ExpressionContext) -> str:
    message = question.rule.compiled.message
    if message is not None:
        text = message(context)
        if isinstance(text, str) and text:
            return text
    return (
        f"{question.rule.title or question.rule.rule_id}: `{question.rule.compiled.expect.source}` is false"
    )


def _detail(answer: MissingFact | ExpressionFailure) -> str:
    return answer.path if isinstance(answer, MissingFact) else answer.detail
