"""A decision, or the result of policy tests, as JUnit XML: one case for each rule."""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree import ElementTree as ET

from release_passport.cli.render.text import clean
from release_passport.cli.render.view import DecisionView, rule_name, verdict_name
from release_passport.v1 import decision_pb2


@dataclass(frozen=True, slots=True)
class Case:
    """One test case: `failure` is the short text of what failed; empty when it passed."""

    group: str
    name: str
    failure: str = ""
    detail: str = ""
    skipped: str = ""


def junit_xml(suite: str, cases: list[Case]) -> str:
    """Return the cases as JUnit XML."""
    failures = sum(bool(case.failure) for case in cases)
    skipped = sum(bool(case.skipped) for case in cases)
    counts = {"tests": str(len(cases)), "failures": str(failures), "errors": "0", "skipped": str(skipped)}
    root = ET.Element("testsuites", counts)
    element = ET.SubElement(root, "testsuite", {"name": clean(suite), **counts})
    for case in cases:
        names = {"classname": clean(case.group), "name": clean(case.name)}
        entry = ET.SubElement(element, "testcase", names)
        if case.failure:
            failure = ET.SubElement(entry, "failure", {"message": clean(case.failure)})
            failure.text = clean(case.detail)
        elif case.skipped:
            ET.SubElement(entry, "skipped", {"message": clean(case.skipped)})
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=False) + "\n"


def decision_junit(view: DecisionView) -> str:
    """Return the decision as JUnit XML; its first case is the effective verdict itself."""
    allowed = view.verdict in {"ALLOW", "ALLOW_WITH_CANARY"}
    verdict = f"{view.verdict}: {view.headline}"
    cases = [Case("release-passport", "effective verdict", "" if allowed else verdict, view.name)]
    blocking = {id(finding) for finding in view.blocking}
    cases += [_case(finding, blocks=id(finding) in blocking) for finding in view.decision.findings]
    return junit_xml(view.release, cases)


def _case(finding: decision_pb2.Finding, *, blocks: bool) -> Case:
    name = " ".join(part for part in (rule_name(finding), finding.artifact, finding.key) if part)
    group = finding.policy or "release-passport"
    says = f"{verdict_name(finding.verdict)} {finding.reason}"
    if blocks:
        detail = f"{finding.message}\nnext: {finding.next_action}\nwho: {', '.join(finding.who_can_act)}"
        return Case(group, name, failure=says, detail=detail)
    passed = verdict_name(finding.verdict) in {"ALLOW", "ALLOW_WITH_CANARY"}
    return Case(group, name, skipped="" if passed else f"not enforced: {says}")
