"""The ordered explanation of a decision: what was looked at, and what each step contributed."""

from __future__ import annotations

from dataclasses import dataclass

from release_passport_server.domain.case import Case
from release_passport_server.domain.outcome import Finding, Outcome, PolicyResult
from release_passport_server.domain.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the explanation; `verdict` is None where the step contributes none."""

    topic: str
    subject: str
    text: str
    verdict: Verdict | None = None


def trace(case: Case, outcome: Outcome) -> tuple[Step, ...]:
    """Return the steps from the release to the verdict, in the order in which they were taken."""
    steps = list(_of_release(case))
    by_policy: dict[str, list[Finding]] = {}
    for finding in outcome.findings:
        by_policy.setdefault(finding.policy, []).append(finding)
    for result in outcome.policy_results:
        steps.extend(_of_policy(result, by_policy.get(result.policy, [])))
    steps.extend(_of_finding(finding) for finding in by_policy.get("", []))
    steps.extend(
        Step("weakening", name, "this decision is weaker than it could be") for name in outcome.weakenings
    )
    steps.append(Step("verdict", "verdict", "the strictest of all policies", outcome.verdict))
    steps.append(
        Step("verdict", "effective_verdict", "the strictest of what is enforced", outcome.effective_verdict)
    )
    return tuple(steps)


def _of_release(case: Case) -> list[Step]:
    identity, release = case.release.identity, case.release
    facts = ["first release here"] if release.is_first else [f"previous release {release.previous}"]
    facts += ["restores digests that passed here"] if release.is_restore else []
    facts += [f"overtaken by {release.overtaken_by}"] if release.overtaken_by else []
    facts += [f"goes back from {release.way_back_from}"] if release.way_back_from else []
    text = f"{len(identity.artifacts)} artifact(s), stage {case.stage.name}, {', '.join(facts)}"
    steps = [Step("release", release.name, text)]
    if case.attempt is not None:
        text = f"open since {case.attempt.start_time:%Y-%m-%d %H:%M:%S} UTC, on {case.attempt.ground}"
        steps.append(Step("attempt", case.attempt.name, text))
    for kind in sorted(case.evidence):
        items = case.evidence[kind]
        sources = ", ".join(sorted({item.source for item in items}))
        steps.append(Step("evidence", kind, f"{len(items)} item(s) from {sources}"))
    return steps


def _of_policy(result: PolicyResult, findings: list[Finding]) -> list[Step]:
    text = f"revision {result.revision}, {result.mode.name}"
    if result.verdict is None:
        text += ", no rule applies"
    steps = [Step("policy", result.policy, text, result.verdict)]
    for skipped in result.not_applicable:
        why = f"{skipped.reason} {skipped.detail}".strip()
        steps.append(Step("rule", f"{result.policy}/{skipped.rule}", f"not applicable: {why}"))
    steps.extend(_of_finding(finding) for finding in findings)
    return steps


def _of_finding(finding: Finding) -> Step:
    subject = "/".join(part for part in (finding.policy, finding.rule) if part) or "engine"
    about = " ".join(part for part in (finding.artifact, finding.key) if part)
    seen = ", ".join(item.name for item in finding.evidence)
    text = f"{finding.reason.value}: {finding.message}"
    text += f" [{about}]" if about else ""
    text += f" (evidence: {seen})" if seen else ""
    return Step("rule" if finding.policy else "engine", subject, text, finding.verdict)
