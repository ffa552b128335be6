"""Print what twelve ordinary rules cost, and the slowest that are accepted: `python tests/perf/bench_cel.py`."""

from __future__ import annotations

import sys
import timeit
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "server"), str(ROOT / "clients" / "python"), str(ROOT / "tests")]

from perf.worst_cel import worst_cases  # noqa: E402
from release_passport.v1 import evidence_pb2, rule_context_pb2  # noqa: E402
from release_passport_server.adapters.cel.compiler import CELCompiler  # noqa: E402
from release_passport_server.domain.expression import CompiledRule, ExpressionContext  # noqa: E402
from release_passport_server.ports.expressions import NeedOptions  # noqa: E402

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)

RULES = {
    "provenance": "evidence.provenance.slsa_level >= 3 && evidence.provenance.source_ref == 'refs/heads/main'",
    "scan": "evidence.vulnerability_scan.critical == 0 && evidence.vulnerability_scan.high <= 5",
    "findings": "evidence.vulnerability_scan.findings.all(f, f.severity != 6 || !f.known_exploited)",
    "scan database": "now - evidence.vulnerability_scan.database_time < duration('24h')",
    "tests": "evidence.test_result.failed == 0 && evidence.test_result.coverage_percent >= 80",
    "sync": "evidence.gitops_sync.sync_state == SyncState.SYNC_STATE_SYNCED && !evidence.gitops_sync.suspended",
    "runtime": "evidence.runtime_health.ready_replicas == evidence.runtime_health.desired_replicas",
    "incidents": "evidence.incident_state.sev1 + evidence.incident_state.sev2 == 0",
    "rollback": "evidence.rollback_readiness.pullable && evidence.rollback_readiness.verified",
    "ticket": "evidence.change_ticket.approved && evidence.change_ticket.window_end_time > now",
    "latency": "evidence.metric_sample.value < 500 && evidence.metric_sample.samples >= 10",
    "ratio": "evidence.metric_sample.value <= variables.allowed",
}
VARIABLES = [("allowed", "evidence.metric_sample.baseline_value * 1.1")]


def evidence() -> dict[str, object]:
    """Return one item of each kind that the rules read."""
    pb = evidence_pb2
    scan = pb.VulnerabilityScan(critical=0, high=2, complete=True)
    scan.database_time.FromDatetime(NOW - timedelta(hours=3))
    for index in range(20):
        scan.findings.add(
            id=f"CVE-2026-{index}", severity="VULNERABILITY_SEVERITY_LOW", known_exploited=False
        )
    ticket = pb.ChangeTicket(approved=True)
    ticket.window_end_time.FromDatetime(NOW + timedelta(hours=3))
    return {
        "provenance": pb.Provenance(slsa_level=3, source_ref="refs/heads/main"),
        "vulnerability_scan": scan,
        "test_result": pb.TestResult(failed=0, coverage_percent=91.5),
        "gitops_sync": pb.GitopsSync(sync_state="SYNC_STATE_SYNCED", suspended=False),
        "runtime_health": pb.RuntimeHealth(ready_replicas=5, desired_replicas=5),
        "incident_state": pb.IncidentState(sev1=0, sev2=0),
        "rollback_readiness": pb.RollbackReadiness(pullable=True, verified=True),
        "change_ticket": ticket,
        "metric_sample": pb.MetricSample(value=120.0, samples=40, baseline_value=118.0),
    }


def compiled(compiler: CELCompiler, expect: str) -> CompiledRule:
    """Return one rule, or stop."""
    needs = {kind: NeedOptions() for kind in evidence()}
    rule = compiler.compile_rule(
        when="", expect=expect, message="", variables=VARIABLES, needs=needs, strict=True
    )
    if isinstance(rule, list):
        raise SystemExit(str(rule))
    return rule


def microseconds(call: object, number: int = 2000) -> float:
    """Return the best of five."""
    return min(timeit.repeat(call, number=number, repeat=5)) / number * 1e6  # type: ignore[arg-type]


def worst_case_milliseconds() -> float:
    """Return what the slowest accepted expression takes on the largest accepted evidence."""
    return max(case.milliseconds() for case in worst_cases())


def main() -> None:
    """Measure compiling, each rule, all rules on one new context, and the slowest expressions that are accepted."""
    release = rule_context_pb2.RuleRelease(service="checkout", environment="production")
    items = evidence()

    def context() -> ExpressionContext:
        return ExpressionContext(release, None, NOW, items, {})

    def compile_all() -> None:
        fresh = CELCompiler()
        for expect in RULES.values():
            compiled(fresh, expect)

    once = min(timeit.repeat(compile_all, number=1, repeat=5))
    compiler = CELCompiler()
    rules = {name: compiled(compiler, expect) for name, expect in RULES.items()}
    shared = context()
    for name, rule in rules.items():
        answer = rule.expect(shared)
        if answer is not True:
            raise SystemExit(f"{name}: {answer}")
        sys.stdout.write(f"{name:15} {microseconds(lambda rule=rule: rule.expect(shared)):7.1f} µs\n")

    def all_rules() -> None:
        fresh = context()
        for rule in rules.values():
            rule.expect(fresh)

    sys.stdout.write(f"{'all 12, fresh':15} {microseconds(all_rules, 500):7.1f} µs\n")
    sys.stdout.write(f"{'compile, each':15} {once / len(RULES) * 1e6:7.0f} µs\n")
    found = sorted(((case.milliseconds(), case) for case in worst_cases()), key=lambda one: -one[0])
    for spent, case in found:
        sys.stdout.write(f"{case.name + ',':38} {case.times:3} times {spent:7.1f} ms\n")


if __name__ == "__main__":
    main()
