"""One rule's answer: unknown is kept apart from failing, and nothing passes that was not looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice, product

from release_passport_server.domain.evidence import EvidenceItem, Verification
from release_passport_server.domain.expression import ExpressionContext, ExpressionFailure, MissingFact
from release_passport_server.domain.glob import matches
from release_passport_server.domain.kind import kind_named
from release_passport_server.domain.outcome import Finding, NotApplicable, Reason
from release_passport_server.domain.over_time import (
    after_retries,
    aged,
    below_threshold,
    failing_run,
    over_time,
)
from release_passport_server.domain.question import Answer, Question
from release_passport_server.domain.release import Artifact
from release_passport_server.domain.select import Lack, Series, bound, per_artifact, series_by_key
from release_passport_server.domain.verdict import Stage, Verdict

# No more combinations of sources than this are evaluated for one finding; beyond it sources count as in conflict.
MAX_COMBINATIONS = 256


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
            stale = one.stale_time
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
    if finding.reason is Reason.PASSED and len(series) > 1:
        finding = after_retries(asked, series, newest, finding)
    if len(series) == 1:
        if finding.reason is Reason.PASSED:
            finding = max((over_time(asked, one, finding) for one in series[0]), key=_strictness)
        elif finding.reason is Reason.EXPECTATION_FAILED:
            finding = below_threshold(asked, series[0], finding)
    if asked.until is not None and asked.now >= asked.until:
        return aged(asked, series, newest, finding)
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
    differ = {answer for answer, _ in answers if isinstance(answer, bool)} == {True, False}
    if differ and any(len({one.source for one in group}) > 1 for group in series):
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
            if fresh and failing_run(question, series) >= rule.failures:
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
