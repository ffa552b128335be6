"""A decision as SARIF 2.1.0: one result for each reason that blocks."""

from __future__ import annotations

from typing import Any

from release_passport import __version__
from release_passport.cli.render.text import clean_line
from release_passport.cli.render.view import DecisionView, rule_name, verdict_name
from release_passport.v1 import decision_pb2

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def decision_sarif(view: DecisionView) -> dict[str, Any]:
    """Return the decision as a SARIF log."""
    shown = [(finding, "error") for finding in view.blocking]
    shown += [(finding, "note") for finding in view.unenforced]
    results = [_result(finding, level, view) for finding, level in shown]
    if not view.blocking and view.verdict not in {"ALLOW", "ALLOW_WITH_CANARY"}:
        results.append(_entry("release-passport/verdict", "error", f"{view.verdict}: {view.headline}", view))
    rules = [{"id": name} for name in dict.fromkeys(result["ruleId"] for result in results)]
    driver = {"name": "release-passport", "version": __version__, "rules": rules}
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results}],
    }


def _result(finding: decision_pb2.Finding, level: str, view: DecisionView) -> dict[str, Any]:
    about = ", ".join(part for part in (finding.artifact, finding.key) if part)
    parts = [
        f"{verdict_name(finding.verdict)} {finding.reason}: {finding.message or finding.title}",
        f"About {about}." if about else "",
        f"Next: {finding.next_action}" if finding.next_action else "",
    ]
    return _entry(rule_name(finding), level, " ".join(part for part in parts if part), view)


def _entry(rule: str, level: str, text: str, view: DecisionView) -> dict[str, Any]:
    return {
        "ruleId": clean_line(rule),
        "level": level,
        "message": {"text": clean_line(text)},
        "locations": [
            {
                "logicalLocations": [
                    {"fullyQualifiedName": clean_line(view.decision.release), "kind": "resource"}
                ]
            }
        ],
        "properties": {"decision": clean_line(view.name), "verdict": view.verdict},
    }
