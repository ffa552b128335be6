"""What time does to a rule's answer: earlier runs, settling, failing in a row, and ageing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from release_passport_server.domain.chosen import Chosen, Series
from release_passport_server.domain.evidence import EvidenceItem
from release_passport_server.domain.outcome import Finding, Reason, strictest_finding
from release_passport_server.domain.question import Question
from release_passport_server.domain.verdict import Stage, Verdict


def over_time(question: Question, chosen: Chosen, finding: Finding) -> Finding:
    """Look at what came before newest observations that pass: earlier failing runs, and how long the facts held."""
    if len(chosen.groups) != 1:
        return _after_retries(question, chosen, finding)
    (group,) = chosen.groups
    if len(group) == 1:
        return _of_series(question, group[0], finding)
    return strictest_finding(_of_series(question, series, finding) for series in group)


def _of_series(question: Question, series: Series, finding: Finding) -> Finding:
    rule = question.rule
    if len(series.items) > 1:
        failed = _failed_runs(question, series)
        if len(failed) > series.need.retries:
            return _retried(question, series, failed)
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


def _after_retries(question: Question, chosen: Chosen, finding: Finding) -> Finding:
    """Look at earlier failing runs where a rule has several needs: each beside what the others say now."""
    for group in chosen.groups:
        others = [item for item in chosen.newest if item.kind != group[0].need.kind]
        for series in group:
            failed = _failed_runs(question, series, others)
            if len(failed) > series.need.retries:
                return _retried(question, series, failed)
    return finding


def _failed_runs(
    question: Question, series: Series, others: Sequence[EvidenceItem] = ()
) -> tuple[EvidenceItem, ...]:
    """Return the runs before the newest that did not pass; there are none of a kind that is only looked at again."""
    if not series.need.of_kind.run:
        return ()
    earlier = [item for item in series.items[:-1] if item.revocation is None]
    return tuple(item for item in earlier if question.evaluate([*others, item])[0] is not True)


def _retried(question: Question, series: Series, failed: tuple[EvidenceItem, ...]) -> Finding:
    retries = series.need.retries
    text = f"{len(failed)} earlier run(s) of {series.source} did not pass and {retries} may be retried"
    verdict = question.rule.failing_verdict(question.case.stage)
    return question.finding(verdict, Reason.EXPECTATION_FAILED, text, evidence=(*failed, series.newest))


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
    if group[0].need.of_kind.run:
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


def aged(question: Question, chosen: Chosen, finding: Finding) -> Finding:
    """Turn what rests on old evidence into a stale finding; failing evidence does not get better by ageing."""
    rule = question.rule
    failed = finding.reason in (Reason.EXPECTATION_FAILED, Reason.EVIDENCE_CONFLICT)
    if failed and finding.verdict >= rule.on_stale:
        return finding
    text = f"the evidence is too old since {question.until:%Y-%m-%d %H:%M:%S} UTC"
    needs = [one.need for group in chosen.groups for one in group]
    sources = tuple(dict.fromkeys(source for need in needs for source in need.sources))
    return question.finding(rule.on_stale, Reason.EVIDENCE_STALE, text, evidence=chosen.newest, who=sources)
