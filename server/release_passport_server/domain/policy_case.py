"""Cases that come with a policy: what it is given, and what it must say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from release_passport_server.domain.case import Case
from release_passport_server.domain.decide import decide
from release_passport_server.domain.outcome import Finding, Outcome
from release_passport_server.domain.policy import Policy
from release_passport_server.domain.release import Ground
from release_passport_server.domain.verdict import Verdict


@dataclass(frozen=True, slots=True)
class ExpectedFinding:
    """A finding that must be there; what is None or empty may be anything, the rule is always meant as it is."""

    rule: str
    verdict: Verdict | None = None
    reason: str = ""

    def fits(self, finding: Finding) -> bool:
        """Say whether this is the finding that is meant; an empty rule means the engine's own."""
        return (
            finding.rule == self.rule
            and self.verdict in (None, finding.verdict)
            and self.reason in ("", finding.reason.value)
        )

    def __str__(self) -> str:
        verdict = self.verdict.name if self.verdict else "any verdict"
        return f"{self.rule or 'the engine'}: {verdict} {self.reason}".rstrip()


@dataclass(frozen=True, slots=True)
class PolicyCase:
    """A case without policies, the time to decide it at, and what is expected of it."""

    case_id: str
    case: Case
    now: datetime
    expected_verdict: Verdict
    expected_findings: tuple[ExpectedFinding, ...] = ()
    # None where it may be any.
    expected_effective: Verdict | None = None


@dataclass(frozen=True, slots=True)
class PolicyCaseResult:
    """How a case came out; no differences means that it passed."""

    case_id: str
    case: Case
    outcome: Outcome
    now: datetime
    differences: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Say whether everything was as expected."""
        return not self.differences


def run_policy_tests(policy: Policy, cases: Iterable[PolicyCase]) -> tuple[PolicyCaseResult, ...]:
    """Decide each case with this policy and no other, and compare with what is expected."""
    return tuple(_run(policy, given) for given in cases)


def _run(policy: Policy, given: PolicyCase) -> PolicyCaseResult:
    case = replace(given.case, policies=(policy,), ground=_ground(policy, given.case.ground))
    outcome = decide(case, now=given.now)
    return PolicyCaseResult(given.case_id, case, outcome, given.now, tuple(_differences(given, outcome)))


def _ground(policy: Policy, ground: Ground | None) -> Ground | None:
    """Return the ground with the best that this policy says before a rollout."""
    if ground is None or (policy.watch is None and policy.canary is None):
        return ground
    best = Verdict.ALLOW_WITH_CANARY
    return replace(ground, verdict=best, effective_verdict=best)


def _differences(given: PolicyCase, outcome: Outcome) -> Iterator[str]:
    if outcome.verdict is not given.expected_verdict:
        yield f"the verdict is {outcome.verdict.name}, expected is {given.expected_verdict.name}"
    if given.expected_effective not in (None, outcome.effective_verdict):
        yield (
            f"the effective verdict is {outcome.effective_verdict.name}, "
            f"expected is {given.expected_effective.name}"
        )
    for expected in given.expected_findings:
        if not any(expected.fits(finding) for finding in outcome.findings):
            yield f"no finding {expected}; there are: {_listed(outcome.findings) or 'none'}"


def _listed(findings: Iterable[Finding]) -> str:
    shown = (f"{f.rule or 'the engine'}: {f.verdict.name} {f.reason.value}" for f in findings)
    return ", ".join(dict.fromkeys(shown))
