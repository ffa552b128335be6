"""One rule's answer: unknown is kept apart from failing, and nothing passes that was not looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice, product

from release_passport_server.domain.chosen import Chosen, Lack, together
from release_passport_server.domain.evidence import EvidenceItem
from release_passport_server.domain.expression import ExpressionContext, ExpressionFailure, MissingFact
from release_passport_server.domain.glob import matches
from release_passport_server.domain.outcome import Finding, NotApplicable, Reason, strictest_finding
from release_passport_server.domain.over_time import aged, below_threshold, failing_run, over_time
from release_passport_server.domain.policy import Policy, Rule
from release_passport_server.domain.question import Answer, Hearing, Question
from release_passport_server.domain.release import Artifact
from release_passport_server.domain.verdict import Stage, Verdict

# No more combinations of sources than this are evaluated for one finding; beyond it sources count as in conflict.
MAX_COMBINATIONS = 256

# What a rule is about that needs no evidence of artifacts.
_THE_WHOLE = (None,)


def judge(policy: Policy, rule: Rule, hearing: Hearing) -> list[Finding] | NotApplicable:
    """Return the rule's findings, one for each artifact and key, or why it does not apply."""
    if hearing.case.stage not in rule.stages:
        return NotApplicable(rule.rule_id, "OTHER_STAGE")
    when = rule.compiled.when
    if when is not None:
        applies = when(hearing.base)
        if applies is False:
            return NotApplicable(rule.rule_id, "WHEN_FALSE", when.source)
        if applies is not True:
            text = f"`when` could not be evaluated: {_detail(applies)}"
            asked = Question(policy, rule, hearing)
            return [asked.finding(rule.on_error, Reason.EVALUATION_ERROR, text)]
    artifacts = _artifacts(rule, hearing) if rule.artifact_globs else _THE_WHOLE
    if not artifacts:
        text = "the release has no artifact that this rule's needs match"
        return [Question(policy, rule, hearing).finding(rule.on_missing, Reason.EVIDENCE_MISSING, text)]
    findings: list[Finding] = []
    for artifact in artifacts:
        name = "" if artifact is None else artifact.name
        for key, chosen in _chosen(rule, hearing, artifact).items():
            findings.append(_judge_part(Question(policy, rule, hearing, name, key), chosen))
        if hearing.watching:
            findings.extend(_service_wide(Question(policy, rule, hearing, name), artifact))
    return _collapsed(findings) if len(artifacts) > 1 else findings


def _artifacts(rule: Rule, hearing: Hearing) -> list[Artifact]:
    artifacts = hearing.case.release.identity.artifacts
    return [a for a in artifacts if all(matches(glob, a.name) for glob in rule.artifact_globs)]


def _chosen(rule: Rule, hearing: Hearing, artifact: Artifact | None) -> Mapping[str, Chosen]:
    needs = rule.needs
    if len(needs) == 1:
        return hearing.selection.chosen(needs[0], artifact)
    return _together([hearing.selection.chosen(need, artifact) for need in needs])


def _together(chosen: Sequence[Mapping[str, Chosen]]) -> dict[str, Chosen]:
    """Join several needs; at most one of them has more than one key, and its keys make the findings."""
    keys = next((list(by_key) for by_key in chosen if len(by_key) > 1), None)
    if keys is None:
        keys = [next((key for by_key in chosen for key in by_key if key), "")]
    return {
        key: together([by_key[key] if key in by_key else next(iter(by_key.values())) for by_key in chosen])
        for key in keys
    }


def _judge_part(asked: Question, chosen: Chosen) -> Finding:
    if chosen.lacks:
        return strictest_finding(_unknown(asked, lack) for lack in chosen.lacks)
    asked.until = chosen.until
    for item in chosen.newest:
        if item.inconclusive:
            return _inconclusive(asked, chosen)
        if item.name in asked.case.silenced:
            return _silenced(asked, item)
    finding = _evaluate(asked, chosen)
    if finding.reason is Reason.PASSED:
        if chosen.history or asked.rule.settle:
            finding = over_time(asked, chosen, finding)
    elif finding.reason is Reason.EXPECTATION_FAILED and len(chosen.groups) == 1:
        finding = below_threshold(asked, chosen.groups[0], finding)
    if chosen.until is not None and asked.hearing.now >= chosen.until:
        return aged(asked, chosen, finding)
    return finding


def _inconclusive(asked: Question, chosen: Chosen) -> Finding:
    items = tuple(item for item in chosen.newest if item.inconclusive)
    text = "the analysis was inconclusive, which does not become a pass by asking again"
    return asked.finding(Verdict.HOLD, Reason.ANALYSIS_INCONCLUSIVE, text, evidence=items)


def _silenced(asked: Question, item: EvidenceItem) -> Finding:
    """Return that an alert and the silence over it do not agree, and who made the release may have made the silence."""
    text = f"{item.source} hides an alert by a silence that was made after the release was"
    verdict = max(asked.rule.on_conflict, asked.rule.failing_verdict(asked.case.stage))
    return asked.finding(verdict, Reason.EVIDENCE_CONFLICT, text, evidence=(item,))


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


def _evaluate(question: Question, chosen: Chosen) -> Finding:
    """Ask `expect` once for each combination of sources; sources that disagree are a conflict."""
    rule, newest = question.rule, chosen.newest
    if len(newest) == len(chosen.groups):
        context = question.hearing.context(newest)
        answer = rule.compiled.expect(context)
        return question.passed(newest) if answer is True else _answered(question, answer, context, newest)
    combinations = list(islice(product(*chosen.groups), MAX_COMBINATIONS + 1))
    if len(combinations) > MAX_COMBINATIONS:
        text = f"more than {MAX_COMBINATIONS} combinations of sources: name the sources that count"
        return question.finding(rule.on_conflict, Reason.EVIDENCE_CONFLICT, text, evidence=newest)
    answers = [question.evaluate([one.newest for one in combined]) for combined in combinations]
    differ = {answer for answer, _ in answers if isinstance(answer, bool)} == {True, False}
    if differ and any(len({one.source for one in group}) > 1 for group in chosen.groups):
        failing = rule.failing_verdict(question.case.stage)
        text = "sources disagree: " + ", ".join(sorted({item.source for item in newest}))
        verdict = max(rule.on_conflict, failing)
        return question.finding(verdict, Reason.EVIDENCE_CONFLICT, text, evidence=newest)
    return strictest_finding(_answered(question, answer, context, newest) for answer, context in answers)


def _answered(
    question: Question, answer: Answer, context: ExpressionContext, items: tuple[EvidenceItem, ...]
) -> Finding:
    rule = question.rule
    if answer is True:
        return question.passed(items)
    if answer is False:
        verdict = rule.failing_verdict(question.case.stage)
        return question.finding(verdict, Reason.EXPECTATION_FAILED, _text(question, context), evidence=items)
    if isinstance(answer, MissingFact):
        text = f"the evidence does not say {answer.path}"
        return _unknown(question, Lack(Reason.EVIDENCE_MISSING, text, rule.needs[0], items, answer.path))
    text = f"`expect` could not be evaluated: {_detail(answer)}"
    return question.finding(rule.on_error, Reason.EVALUATION_ERROR, text, evidence=items)


def _service_wide(question: Question, artifact: Artifact | None) -> list[Finding]:
    """Return a finding that holds where service-wide facts fail in WATCH; passing ones prove nothing of a canary."""
    rule, hearing = question.rule, question.hearing
    if len(rule.needs) != 1 or not rule.needs[0].of_kind.attempt_bound:
        return []
    need = rule.needs[0]
    findings = []
    for key, chosen in hearing.selection.chosen(need, artifact, service_wide=True).items():
        asked = Question(question.policy, rule, hearing, question.artifact, key)
        for series in (one for group in chosen.groups for one in group):
            fresh = hearing.now < series.newest.stale_time(need.max_age)
            if fresh and failing_run(asked, series) >= rule.failures:
                text = "the whole service fails this rule, canary or not"
                reason = Reason.EXPECTATION_FAILED
                findings.append(asked.finding(Verdict.HOLD, reason, text, evidence=(series.newest,)))
    return findings


def _collapsed(findings: list[Finding]) -> list[Finding]:
    """Merge findings of several artifacts that rest on the very same evidence, such as tests of the source."""
    merged: dict[object, Finding] = {}
    for finding in findings:
        names = tuple(item.name for item in finding.evidence)
        alone = (finding.artifact, finding.key, finding.reason, len(merged))
        same = (finding.key, finding.reason, names) if names else alone
        merged[same] = finding._replace(artifact="") if same in merged else finding
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
