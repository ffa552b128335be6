"""How long one decision takes and what it is made of: the policies of the library with good evidence, and growth.

Run: `python tests/perf/bench_decide.py`; prints microseconds, the best of many runs.
"""

from __future__ import annotations

import sys
import timeit
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "server"), str(ROOT / "clients" / "python"), str(ROOT / "tests")]

from release_passport_server.domain.canonical import canonical, digest  # noqa: E402
from release_passport_server.domain.case import Case, case_record  # noqa: E402
from release_passport_server.domain.decide import decide  # noqa: E402
from release_passport_server.domain.evidence import EvidenceItem  # noqa: E402
from release_passport_server.domain.policy import Match, Policy  # noqa: E402
from release_passport_server.domain.record import DecisionDraft  # noqa: E402
from release_passport_server.domain.verdict import Stage, Verdict  # noqa: E402
from release_passport_server.wire.messages import WireMessages  # noqa: E402
from support.policy_runner import run  # noqa: E402

NUMBER, REPEAT = 50, 40


def whole_library() -> tuple[Case, datetime]:
    """Return one case with every PRE_ROLLOUT policy of the library that a case allows, and its evidence."""
    first: Case | None = None
    now: datetime | None = None
    policies: list[Policy] = []
    evidence: dict[str, tuple[EvidenceItem, ...]] = {}
    of_service: dict[str, str] = {}
    of_environment: dict[str, str] = {}
    for path in sorted((ROOT / "policies" / "library").glob("*.yaml")):
        if path.stem.endswith("_test"):
            continue
        for result in run(path):
            case = result.case
            if result.outcome.effective_verdict > Verdict.ALLOW_WITH_CANARY or case.stage is Stage.WATCH:
                continue
            if case.release.identity.manifest_digest:
                first, now = first or case, now or result.now
            policies.extend(case.policies)
            evidence |= dict(case.evidence)
            of_service |= case.place.service_labels or {}
            of_environment |= case.place.environment_labels or {}
            break
    assert first is not None
    assert now is not None
    # Labels that make each of the policies match, so that all their rules are judged.
    place = replace(first.place, service_labels=of_service, environment_labels=of_environment)
    assert all(policy.match.selects(place) for policy in policies)
    return replace(first, place=place, policies=tuple(policies), evidence=evidence), now


def ordinary(case: Case) -> Case:
    """Return the same release in a place without labels: then only the policies that match everything are judged."""
    return replace(case, place=replace(case.place, service_labels={}, environment_labels={}))


def best(case: Case, now: datetime) -> float:
    """Return the microseconds of one decision."""
    return _microseconds(lambda: decide(case, now=now))


def _microseconds(call: Callable[[], object], number: int = NUMBER, repeat: int = REPEAT) -> float:
    return min(timeit.repeat(call, number=number, repeat=repeat)) / number * 1e6


def _of_rules(case: Case, now: datetime) -> None:
    rules = sum(len(policy.rules) for policy in case.policies)
    for times in (1, 5, 10, 20, 42):
        many = tuple(
            replace(policy, policy_id=f"{policy.policy_id}-{number}")
            for number in range(times)
            for policy in case.policies
        )
        spent = best(replace(case, policies=many), now)
        print(f"{rules * times:4} rules: {spent:6.0f} µs, {spent / rules / times:5.1f} µs a rule")


def _of_evidence(case: Case, now: datetime) -> None:
    """Print how a series counts: `run` evidence is looked at in full, of the rest only the newest item."""
    for kind in ("change_ticket", "vulnerability_scan"):
        [policy] = [p for p in case.policies if any(kind in (n.kind for n in r.needs) for r in p.rules)]
        rule = next(r for r in policy.rules if r.needs[0].kind == kind)
        alone = replace(policy, rules=(rule,), match=Match())
        for count in (1, 10, 100, 256):
            series = _series(case.evidence[kind][-1], count)
            few = replace(case, policies=(alone,), evidence={kind: series})
            spent = _microseconds(lambda few=few: decide(few, now=now), 10, 20)  # type: ignore[misc]
            print(f"{count:4} items of {kind}: {spent:6.0f} µs, {spent / count:6.1f} µs an item")


def _series(newest: EvidenceItem, count: int) -> tuple[EvidenceItem, ...]:
    return tuple(
        replace(
            newest,
            name=f"{newest.name}{before}",
            observe_time=newest.observe_time - timedelta(seconds=before),
            receive_time=newest.receive_time - timedelta(seconds=before),
        )
        for before in reversed(range(count))
    )


def _parts(case: Case, now: datetime) -> Mapping[str, float]:
    """Return what the parts of making a record take, each with nothing kept from before."""
    messages = WireMessages()
    outcome = decide(case, now=now)
    draft = DecisionDraft(case, outcome, now, "0", digest(b""), 1, name=f"{case.release.name}/decisions/0")
    return {
        "decide": best(case, now),
        "digest of the outcome": _microseconds(lambda: replace(outcome).digest),
        "record of the case": _microseconds(lambda: canonical(case_record(case))),
        "body of the decision": _microseconds(lambda: messages.decision_body(draft)),
    }


def main() -> None:
    """Print tables."""
    case, now = whole_library()
    rules = sum(len(policy.rules) for policy in case.policies)
    few = ordinary(case)
    outcome, fewer = decide(case, now=now), decide(few, now=now)
    print(f"{rules} rules, {len(outcome.findings)} findings: {outcome.effective_verdict.name}")
    for name, spent in _parts(case, now).items():
        print(f"  {name:22} {spent:6.0f} µs")
    print(f"the same without labels, {len(fewer.findings)} findings: {best(few, now):.0f} µs")
    _of_rules(case, now)
    _of_evidence(case, now)


if __name__ == "__main__":
    main()
