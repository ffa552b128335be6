"""What time does to a rule's answer: earlier runs, settling, failing in a row, and ageing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from release_passport_server.domain.evidence import EvidenceItem
from release_passport_server.domain.kind import kind_named
from release_passport_server.domain.outcome import Finding, Reason
from release_passport_server.domain.question import Question
from release_passport_server.domain.select import Series
from release_passport_server.domain.verdict import Stage, Verdict


def over_time(question: Question, series: Series, finding: Finding) -> Finding:
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


def below_threshold(question: Question, group: tuple[Series, ...], finding: Finding) -> Finding:
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
    worst = max(failing_run(question, series) for series in group)
    if worst >= rule.failures:
        return finding
    text = f"{worst} of {rule.failures} failing observations in a row: {finding.message}"
    reason = Reason.FAILING_BELOW_THRESHOLD
    return question.finding(Verdict.ALLOW, reason, text, evidence=finding.evidence)


def failing_run(question: Question, series: Series) -> int:
    """Return how many of the newest observations fail in a row, at most as many as the rule counts."""
    count = 0
    for item in reversed(series.items[-question.rule.failures :]):
        if item.revocation is not None or question.evaluate([item])[0] is not False:
            break
        count += 1
    return count


def aged(
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
