"""How long one decision takes: the policies of the library with good evidence, and how it grows.

Run: `python tests/perf/bench_decide.py`; prints microseconds, the best of many runs.
"""

from __future__ import annotations

import sys
import timeit
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "server"), str(ROOT / "clients" / "python"), str(ROOT / "tests")]

from release_passport_server.domain.case import Case  # noqa: E402
from release_passport_server.domain.decide import decide  # noqa: E402
from release_passport_server.domain.policy import Policy  # noqa: E402
from release_passport_server.domain.verdict import Stage, Verdict  # noqa: E402
from support.policy_runner import run  # noqa: E402

NUMBER, REPEAT = 50, 40


def whole_library() -> tuple[Case, object]:
    """Return one case with every PRE_ROLLOUT policy of the library that a case allows, and its evidence."""
    first: Case | None = None
    now: object = None
    policies: list[Policy] = []
    evidence: dict[str, tuple[object, ...]] = {}
    of_service: dict[str, str] = {}
    of_environment: dict[str, str] = {}
    for path in sorted((ROOT / "policies" / "library").glob("*.yaml")):
        if path.stem.endswith("_test"):
            continue
        for result in run(path):
            allowed = result.outcome.effective_verdict <= Verdict.ALLOW_WITH_CANARY
            if (
                allowed
                and result.case.stage is Stage.PRE_ROLLOUT
                and result.case.release.identity.manifest_digest
            ):
                first, now = first or result.case, now or result.now
            if allowed and result.case.stage is Stage.PRE_ROLLOUT:
                policies.extend(result.case.policies)
                evidence |= dict(result.case.evidence)
                of_service |= result.case.place.service_labels or {}
                of_environment |= result.case.place.environment_labels or {}
                break
    assert first is not None
    # Labels that make each of the policies match, so that all their rules are judged.
    place = replace(first.place, service_labels=of_service, environment_labels=of_environment)
    case = replace(first, place=place, policies=tuple(policies), evidence=evidence)  # type: ignore[arg-type]
    assert all(policy.match.selects(place) for policy in policies)
    return case, now


def best(case: Case, now: object) -> float:
    """Return the microseconds of one decision."""
    times = timeit.repeat(lambda: decide(case, now=now), number=NUMBER, repeat=REPEAT)  # type: ignore[arg-type]
    return min(times) / NUMBER * 1e6


def main() -> None:
    """Print a table."""
    case, now = whole_library()
    rules = sum(len(policy.rules) for policy in case.policies)
    outcome = decide(case, now=now)  # type: ignore[arg-type]
    print(f"{rules} rules of the library, {outcome.effective_verdict.name}: {best(case, now):.0f} µs")
    digest = min(timeit.repeat(lambda: outcome.digest, number=NUMBER, repeat=REPEAT)) / NUMBER * 1e6
    print(f"digest of the outcome: {digest:.0f} µs")
    for times in (5, 10, 20, 40):
        many = tuple(
            replace(policy, policy_id=f"{policy.policy_id}-{n}")
            for n in range(times)
            for policy in case.policies
        )
        spent = best(replace(case, policies=many), now)
        print(f"{rules * times} rules: {spent:.0f} µs, {spent / rules / times:.1f} µs a rule")


if __name__ == "__main__":
    main()
