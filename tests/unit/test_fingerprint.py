"""What a waiver covers: the facts that failed, told apart by what they name and by what the rule reads of them."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from google.protobuf.message import Message

from release_passport.v1 import evidence_pb2
from release_passport_server.domain.people import marks_read
from release_passport_server.wire.facts import facts_message
from release_passport_server.wire.messages import WireMessages

CVE_1 = {"id": "CVE-1", "severity": 6, "package_name": "openssl", "installed_version": "1"}
CVE_2 = {"id": "CVE-2", "severity": 6, "package_name": "zlib"}
LOW = {"id": "CVE-3", "severity": 3, "package_name": "zlib"}
DENIED = {"policy": "pods", "rule": "root", "outcome": "POLICY_REPORT_OUTCOME_FAIL", "resource": "a"}
DOWN = {"id": "INC-1", "severity": "INCIDENT_SEVERITY_SEV2", "title": "down"}

# kind, what the rule reads, facts, facts that are the same finding, facts that are another one
CASES: tuple[tuple[str, str, dict[str, Any], list[dict[str, Any]], list[dict[str, Any]]], ...] = (
    (
        "vulnerability_scan",
        "critical == 0",
        {"critical": 1, "findings": [CVE_1]},
        [
            {"critical": 1, "low": 1, "findings": [CVE_1, LOW], "scanner_version": "2"},
            {"critical": 1, "findings": [CVE_1 | {"installed_version": "2"}]},
        ],
        [
            {"critical": 2, "findings": [CVE_1, CVE_2]},
            {"critical": 2, "findings": [CVE_1]},
            {"critical": 1, "findings": [CVE_2]},
        ],
    ),
    (
        "vulnerability_scan",
        "fixable_critical == 0",
        {"fixable_critical": 1, "findings": [CVE_1 | {"fixed_version": "2"}, CVE_2]},
        [{"fixable_critical": 1, "findings": [CVE_1 | {"fixed_version": "3"}, CVE_2]}],
        [
            {
                "fixable_critical": 2,
                "findings": [CVE_1 | {"fixed_version": "2"}, CVE_2 | {"fixed_version": "2"}],
            }
        ],
    ),
    (
        "vulnerability_scan",
        "known_exploited == 0",
        {"known_exploited": 1, "findings": [CVE_1 | {"known_exploited": True}, CVE_2]},
        [{"known_exploited": 1, "findings": [CVE_1 | {"known_exploited": True}]}],
        [
            {
                "known_exploited": 2,
                "findings": [CVE_1 | {"known_exploited": True}, CVE_2 | {"known_exploited": True}],
            }
        ],
    ),
    (
        "test_result",
        "failed == 0 && errored == 0",
        {"failed": 1, "passed": 9, "failed_cases": ["checkout"]},
        [{"failed": 1, "passed": 12, "failed_cases": ["checkout"], "run_uri": "https://ci/2"}],
        [
            {"failed": 1, "failed_cases": ["billing"]},
            {"failed": 2, "failed_cases": ["checkout", "billing"]},
            {"failed": 2, "failed_cases": ["checkout"]},
            {"failed": 1, "errored": 1, "failed_cases": ["checkout"]},
        ],
    ),
    (
        "incident_state",
        "sev2 == 0",
        {"sev2": 1, "open_count": 1, "open_incidents": [DOWN]},
        [{"sev2": 1, "open_count": 1, "open_incidents": [DOWN | {"title": "slow"}]}],
        [
            {"sev2": 1, "open_count": 1, "open_incidents": [DOWN | {"id": "INC-2"}]},
            {"sev2": 2, "open_count": 2, "open_incidents": [DOWN]},
        ],
    ),
    (
        "policy_report",
        "failed == 0",
        {"failed": 1, "passed": 3, "results": [DENIED]},
        [{"failed": 1, "passed": 4, "results": [DENIED | {"message": "runs as root"}]}],
        [
            {"failed": 1, "results": [DENIED | {"rule": "caps"}]},
            {"failed": 1, "results": [DENIED | {"resource": "b"}]},
            {"failed": 2, "results": [DENIED]},
        ],
    ),
    (
        "analysis_result",
        "phase == AnalysisPhase.ANALYSIS_PHASE_SUCCESSFUL",
        {"phase": "ANALYSIS_PHASE_FAILED", "metrics": [{"name": "errors", "phase": 4, "value": 0.2}]},
        [{"phase": "ANALYSIS_PHASE_FAILED", "metrics": [{"name": "errors", "phase": 4, "value": 0.3}]}],
        [
            {"phase": "ANALYSIS_PHASE_FAILED", "metrics": [{"name": "latency", "phase": 4}]},
            {"phase": "ANALYSIS_PHASE_ERROR", "metrics": [{"name": "errors", "phase": 4}]},
        ],
    ),
    (
        "metric_sample",
        "value < 0.05",
        {"name": "error_rate", "value": 0.2},
        [{"name": "error_rate", "value": 0.4, "samples": 3}],
        [],
    ),
    ("manifest_render", "unpinned_images == 0", {"unpinned_images": 1}, [], [{"unpinned_images": 2}]),
    (
        "gitops_sync",
        "sync_state == SyncState.SYNC_STATE_SYNCED",
        {"sync_state": "SYNC_STATE_OUT_OF_SYNC", "revision": "a"},
        [{"sync_state": "SYNC_STATE_OUT_OF_SYNC", "revision": "b", "health": "HEALTH_STATE_HEALTHY"}],
        [{"sync_state": "SYNC_STATE_UNKNOWN"}],
    ),
    (
        "runtime_health",
        "restarts_10m < 3 && crash_looping_containers == 0",
        {"restarts_10m": 4},
        [{"restarts_10m": 9, "ready_replicas": 2}],
        [{"restarts_10m": 4, "crash_looping_containers": 1}],
    ),
    (
        "rollback_readiness",
        "ready && blockers.size() == 0",
        {"ready": False, "blockers": ["migration"]},
        [{"ready": False, "blockers": ["migration"], "target_revision": "b"}],
        [{"ready": False, "blockers": ["migration", "image gone"]}],
    ),
    (
        "change_ticket",
        "approved && state == x && id != y",
        {"id": "CHG-1", "approved": False},
        [{"id": "CHG-1", "approved": False, "title": "x"}],
        [{"id": "CHG-2", "approved": False}],
    ),
    (
        "feature_flag_state",
        "flags.all(f, !f.enabled)",
        {"flags": [{"key": "new-cart", "enabled": True, "rollout_percent": 5}]},
        [{"flags": [{"key": "new-cart", "enabled": True, "rollout_percent": 7}]}],
        [{"flags": [{"key": "new-till", "enabled": True}]}],
    ),
    ("sbom", "licenses.all(l, l != x)", {"licenses": ["AGPL"]}, [], [{"licenses": ["AGPL", "SSPL"]}]),
    (
        "provenance",
        "slsa_level >= 3",
        {"slsa_level": 2, "source_revision": "a"},
        [{"slsa_level": 2, "source_revision": "b", "invocation_id": "7"}],
        [{"slsa_level": 1}],
    ),
)


def fingerprint(kind: str, facts: dict[str, Any], expression: str) -> list[str]:
    message = getattr(evidence_pb2.EvidenceFacts(), kind)
    made: Message = ParseDict(facts, type(message)())
    return marks_read(WireMessages().fingerprint(kind, "key", made), (expression,))


@pytest.mark.parametrize(
    ("kind", "expression", "facts", "same", "others"), CASES, ids=[f"{case[0]} {case[1]}" for case in CASES]
)
def test_other_failing_facts_are_another_finding_and_other_values_are_not(
    kind: str,
    expression: str,
    facts: dict[str, Any],
    same: list[dict[str, Any]],
    others: list[dict[str, Any]],
) -> None:
    mark = fingerprint(kind, facts, expression)
    for one in same:
        assert fingerprint(kind, one, expression) == mark, one
    for one in others:
        assert fingerprint(kind, one, expression) != mark, one


def test_every_kind_has_a_fingerprint_and_its_case() -> None:
    kinds = {field.name for field in evidence_pb2.EvidenceFacts.DESCRIPTOR.fields}
    tried = {case[0] for case in CASES}
    # Of these all that is named counts, as for any kind that is not listed above.
    assert kinds - tried == {
        "signature",
        "rollout_status",
        "verification_summary",
        "rollout_outcome",
        "custom",
    }
    for kind in kinds - {"custom"}:
        assert fingerprint(kind, {}, "") == [f"{kind}/key"]


def test_everything_counts_where_it_is_not_known_what_is_read() -> None:
    scan = {"critical": 1, "low": 1, "findings": [CVE_1, LOW]}
    every = fingerprint("vulnerability_scan", scan, "")
    assert len(every) == 3
    assert fingerprint("vulnerability_scan", scan, "variables.serious == 0") == every
    assert fingerprint("vulnerability_scan", scan, "findings.all(f, f.id != 'CVE-9')") == every
    assert len(fingerprint("vulnerability_scan", scan, "critical == 0")) == 2


def test_of_facts_that_nobody_here_knows_everything_counts() -> None:
    def mark(number: int) -> list[str]:
        facts = evidence_pb2.EvidenceFacts()
        facts.custom.kind = "acme.example/load"
        facts.custom.facts.update({"slow": number})
        given = facts_message(facts)
        return marks_read(WireMessages().fingerprint("custom:acme.example/load", "", given), ("slow < 3",))

    assert mark(1) == mark(1)
    assert mark(1) != mark(2)


def test_no_text_of_facts_can_pass_for_another_mark() -> None:
    split = {"failed": 1, "failed_cases": ["a\n*: b"]}
    assert fingerprint("test_result", split, "failed") == ["test_result/key", "test_result/key: a *: b"]
