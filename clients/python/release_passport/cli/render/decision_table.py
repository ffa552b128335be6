"""A decision for people: the verdict in words, what blocks with the next action, then the rest."""

from __future__ import annotations

from datetime import datetime

from release_passport.cli.render.names import release_words
from release_passport.cli.render.text import Document, Span
from release_passport.cli.render.view import (
    DecisionView,
    canary_words,
    mode_name,
    moment,
    rule_name,
    time_words,
    verdict_name,
)
from release_passport.durations import roughly
from release_passport.v1 import decision_pb2, verdict_pb2

_MARKS = {
    "ALLOW": "✓",
    "ALLOW_WITH_CANARY": "◐",
    "REQUIRE_APPROVAL": "?",
    "BLOCK": "✗",
    "ROLLBACK_RECOMMENDED": "↩",
}
_SHOWN = 25


def decision_document(view: DecisionView, *, now: datetime) -> Document:
    """Return the decision as a document."""
    document = Document()
    document.add(
        Span(view.verdict.replace("_", " "), view.verdict),
        "  ",
        Span(view.release, "strong"),
        f": {view.headline}",
    )
    _weakenings(document, view)
    _findings(document, view.blocking, "What blocks", now=now)
    _findings(document, view.unenforced, view.unenforced_title, now=now, brief=True)
    _constraints(document, view)
    _rest(document, view)
    _record(document, view, now=now)
    return document


def _weakenings(document: Document, view: DecisionView) -> None:
    if view.verdict != view.all_policies_verdict and not view.refusal and not view.goes_back:
        document.add(
            Span("! ", "warning"),
            f"all policies together say {view.all_policies_verdict}; those that are enforced say {view.verdict}, "
            "which is what counts",
            hang=2,
        )
    for weakening in view.decision.weakenings:
        document.add(Span(f"! WEAKENED: {weakening}", "warning"), hang=2)
    if getattr(view.decision, "dev", False):
        document.add(
            Span("! DEV: made by a server in development mode; it gates nothing in earnest", "warning")
        )


def _findings(
    document: Document,
    findings: list[decision_pb2.Finding],
    title: str,
    *,
    now: datetime,
    brief: bool = False,
) -> None:
    if not findings:
        return
    document.gap()
    document.add(Span(f"{title} ({len(findings)})", "strong"))
    for finding in findings[:_SHOWN]:
        _finding(document, finding, now=now, brief=brief)
    if len(findings) > _SHOWN:
        document.add(Span(f"and {len(findings) - _SHOWN} more; -o json shows all", "dim"), indent=2)


def _finding(document: Document, finding: decision_pb2.Finding, *, now: datetime, brief: bool) -> None:
    verdict = verdict_name(finding.verdict)
    document.add(
        Span(_MARKS.get(verdict, "•"), verdict),
        " ",
        Span(rule_name(finding), "strong"),
        "  ",
        Span(f"{verdict} {finding.reason}", verdict),
        Span(f"  {mode_name(finding.mode)}" if brief else "", "dim"),
        indent=2,
        hang=2,
    )
    about = ", ".join(part for part in (finding.artifact, finding.key) if part)
    message = finding.message or finding.title
    if message or about:
        document.add(message, Span(f"  ({about})" if about else "", "dim"), indent=4)
    if brief:
        return
    if finding.next_action:
        document.add(Span("next  ", "dim"), Span(finding.next_action, "next"), indent=4, hang=6)
    if finding.approval.groups:
        votes = ", ".join(f"{group.count} of {group.group}" for group in finding.approval.groups)
        document.add(Span("votes ", "dim"), votes, indent=4, hang=6)
    if finding.who_can_act:
        document.add(Span("who   ", "dim"), ", ".join(finding.who_can_act), indent=4, hang=6)
    if eligible := moment(finding.next_eligible_time):
        wait = f" (in {roughly(eligible - now)})" if eligible > now else ""
        document.add(
            Span("from  ", "dim"), f"{time_words(finding.next_eligible_time)}{wait}", indent=4, hang=6
        )


def _constraints(document: Document, view: DecisionView) -> None:
    decision = view.decision
    lines: list[tuple[str, str]] = []
    allowed = decision.effective_verdict in (verdict_pb2.VERDICT_ALLOW, verdict_pb2.VERDICT_ALLOW_WITH_CANARY)
    if allowed and (limits := canary_words(decision.canary)) and limits not in view.headline:
        lines.append(("canary", limits))
    watch = getattr(decision, "watch", None)
    if allowed and watch is not None and watch.duration.ToTimedelta():
        lines.append(("watch", f"{roughly(watch.duration.ToTimedelta())} after the first exposure"))
    if decision.rollback_target:
        lines.append(("back to", release_words(decision.rollback_target)))
    if lines:
        document.gap()
    for name, text in lines:
        document.add(Span(f"{name:<8}", "dim"), text, indent=2, hang=8)


def _rest(document: Document, view: DecisionView) -> None:
    document.gap()
    if view.passed:
        rules = list(dict.fromkeys(rule_name(finding) for finding in view.passed))
        document.add(Span(f"Passed ({len(view.passed)})  ", "dim"), ", ".join(rules), hang=2)
    for result in view.decision.policy_results:
        # Rules of the other stage say nothing here; a rule that its own `when` switched off does.
        skipped = [item for item in result.not_applicable if item.reason != "OTHER_STAGE"]
        if skipped:
            left_out = ", ".join(f"{item.rule} ({item.reason})" for item in skipped)
            document.add(Span(f"Did not apply, {result.policy}  ", "dim"), left_out, hang=2)


def _record(document: Document, view: DecisionView, *, now: datetime) -> None:
    decision = view.decision
    document.gap()
    if until := moment(decision.valid_until):
        left = f"in {roughly(until - now)}" if until > now else "which is past"
        document.add(Span("valid until ", "dim"), f"{time_words(decision.valid_until)} ({left})")
    next_time = getattr(decision, "next_eligible_time", None)
    if next_time is not None and (at := moment(next_time)) and at > now:
        document.add(Span("may change by time alone at ", "dim"), time_words(next_time))
    policies = ", ".join(
        f"{result.policy}@{result.revision}"
        + ("" if mode_name(result.mode) == "ENFORCE" else f" {mode_name(result.mode)}")
        for result in decision.policy_results
    )
    if policies:
        document.add(Span("policies ", "dim"), policies, hang=2)
    document.add(
        Span("stage ", "dim"), view.stage, Span(", decided ", "dim"), time_words(decision.decide_time)
    )
    if view.name:
        document.add(Span("decision ", "dim"), view.name)
