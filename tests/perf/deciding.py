"""`decide()` and expressions alone, without a server: what bench_decide.py and bench_cel.py measure."""

from __future__ import annotations

import timeit
from dataclasses import replace

from perf import bench_cel, bench_decide
from perf.report import Figure
from perf.stage import Stage
from release_passport_server.domain.case import Case
from release_passport_server.domain.decide import decide

_MOST_RULES = 500


def deciding(stage: Stage) -> None:
    """Measure one decision of the library's policies, the same with 500 rules, and expressions."""
    print("decide() and expressions, without a server", flush=True)
    case, now = bench_decide.whole_library()
    rules = sum(len(policy.rules) for policy in case.policies)
    times = -(-_MOST_RULES // rules)
    many = tuple(
        replace(policy, policy_id=f"{policy.policy_id}-{number}")
        for number in range(times)
        for policy in case.policies
    )
    rounds = range(stage.options.rounds)
    few = [bench_decide.best(case, now) for _ in rounds]
    large = replace(case, policies=many)
    each = [_once(large, now) / times for _ in rounds]
    stage.report.add(
        Figure(f"decide(), {rules} rules of the library", "µs", few, at_most=150),
        Figure(f"decide(), {rules * times} rules, for each {rules} of them", "µs", each, few, at_most=1.5),
    )
    worst = getattr(bench_cel, "worst_case_milliseconds", None)
    if worst is None:
        stage.report.skip("CEL's worst case", "bench_cel.py has no worst_case_milliseconds()")
    else:
        stage.report.add(
            Figure("CEL, the worst accepted expression", "ms", [worst() for _ in rounds], at_most=50)
        )


def _once(case: Case, now: object) -> float:
    """Return the microseconds of one decision, the best of several."""
    return min(timeit.repeat(lambda: decide(case, now=now), number=4, repeat=10)) / 4 * 1e6  # type: ignore[arg-type]
