"""A decision as Markdown, for summaries and tickets."""

from __future__ import annotations

import re

from release_passport.cli.render.names import release_words
from release_passport.cli.render.text import clean_line
from release_passport.cli.render.view import DecisionView, canary_words, rule_name, time_words, verdict_name
from release_passport.v1 import decision_pb2

# An underscore inside a word and a dot anywhere mean nothing, but "www." would become a link.
_SPECIAL = re.compile(r"([\\`*{}\[\]()<>#!|~$&@:]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|(?<=[Ww]{3})\.)")
_MAX_CELL = 1000


def escape(text: str) -> str:
    """Return the text so that Markdown shows it as it is: no links, mentions, markup or new cells."""
    line = clean_line(text)[:_MAX_CELL]
    return _SPECIAL.sub(
        lambda match: f"&#{ord(match[1])};" if match[1] in "<>&@:|." else f"\\{match[1]}", line
    )


def decision_markdown(view: DecisionView) -> str:
    """Return the decision as Markdown."""
    decision = view.decision
    lines = [
        f"## {escape(view.verdict.replace('_', ' '))}: {escape(view.release)}",
        "",
        escape(view.headline),
        "",
    ]
    if view.verdict != view.all_policies_verdict and not view.refusal:
        lines += [f"**All policies together say {escape(view.all_policies_verdict)}.**", ""]
    lines += [f"**Weakened: {escape(weakening)}**\n" for weakening in decision.weakenings]
    if getattr(decision, "dev", False):
        lines += ["**DEV: made by a server in development mode.**", ""]
    lines += _table("What blocks", view.blocking)
    lines += _table(view.unenforced_title, view.unenforced)
    lines += _facts(view)
    return "\n".join(lines).rstrip() + "\n"


def _table(title: str, findings: list[decision_pb2.Finding]) -> list[str]:
    if not findings:
        return []
    lines = [f"### {title}", "", "| rule | says | why | next | who |", "|---|---|---|---|---|"]
    for finding in findings:
        about = ", ".join(part for part in (finding.artifact, finding.key) if part)
        why = f"{finding.message or finding.title} {f'({about})' if about else ''}"
        says = f"{verdict_name(finding.verdict)} {finding.reason}"
        cells = (rule_name(finding), says, why, finding.next_action, ", ".join(finding.who_can_act))
        lines.append("| " + " | ".join(escape(cell) for cell in cells) + " |")
    return [*lines, ""]


def _facts(view: DecisionView) -> list[str]:
    decision = view.decision
    facts = [
        ("passed", str(len(view.passed)) if view.passed else ""),
        ("canary", canary_words(decision.canary)),
        ("back to", release_words(decision.rollback_target) if decision.rollback_target else ""),
        ("valid until", time_words(decision.valid_until)),
        ("decided", time_words(decision.decide_time)),
        ("stage", view.stage),
        ("policies", ", ".join(f"{result.policy}@{result.revision}" for result in decision.policy_results)),
        ("decision", view.name),
    ]
    return [f"- {name}: {escape(value)}" for name, value in facts if value]
