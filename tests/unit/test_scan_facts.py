"""The facts that signed vulnerability scans yield, and those that stay unknown."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf import json_format

from release_passport_server.wire.intoto.predicates import check_derived, facts_of, kind_of
from release_passport_server.wire.intoto.statement import Statement, StatementInvalid

COSIGN = "https://cosign.sigstore.dev/attestation/vuln/v1"
INTOTO = "https://in-toto.io/attestation/vulns/v0.1"
TIMES = {"scanStartedOn": "2026-11-22T12:00:00Z", "scanFinishedOn": "2026-11-22T12:01:00Z"}
TRIVY = {
    "SchemaVersion": 2,
    "Results": [
        {"Target": "os"},
        {
            "Target": "app",
            "Vulnerabilities": [
                {
                    "VulnerabilityID": "CVE-2026-1",
                    "Severity": "CRITICAL",
                    "PkgName": "openssl",
                    "InstalledVersion": "3.0.1",
                    "FixedVersion": "3.0.2",
                },
                {
                    "VulnerabilityID": "CVE-2026-2",
                    "Severity": "HIGH",
                    "PkgName": "zlib",
                    "InstalledVersion": "1.2",
                },
                {
                    "VulnerabilityID": "CVE-2026-3",
                    "Severity": "STRANGE",
                    "PkgName": "x",
                    "InstalledVersion": "1",
                },
            ],
        },
    ],
}
GRYPE = {
    "matches": [
        {
            "vulnerability": {"id": "CVE-2026-1", "severity": "Critical", "fix": {"versions": ["3.0.2"]}},
            "artifact": {"name": "openssl", "version": "3.0.1"},
        },
        {
            "vulnerability": {"id": "CVE-2026-2", "severity": "Negligible", "fix": {"versions": []}},
            "artifact": {"name": "zlib", "version": "1.2"},
        },
    ]
}
SARIF = {
    "version": "2.1.0",
    "runs": [
        {
            "tool": {
                "driver": {
                    "rules": [
                        {"id": "CVE-2026-1", "properties": {"security-severity": "9.8"}},
                        {"id": "CVE-2026-2", "properties": {"security-severity": "5.0"}},
                    ]
                }
            },
            "results": [{"ruleId": "CVE-2026-1"}, {"ruleId": "CVE-2026-2"}, {"ruleId": "CVE-2026-9"}],
        }
    ],
}


def cosign(result: Any, uri: str | None = "pkg:github/aquasecurity/trivy@0.50.0") -> dict[str, Any]:
    scanner = {"uri": uri, "db": {"lastUpdate": "2026-11-22T06:00:00Z"}, "result": result}
    return {"scanner": scanner, "metadata": TIMES}


def facts(predicate: Any, predicate_type: str = COSIGN) -> dict[str, Any]:
    found = facts_of(Statement(frozenset(), predicate_type, predicate))
    assert found is not None
    check_derived(found.kind, found.message)
    assert found.kind == kind_of(predicate_type) == "vulnerability_scan"
    assert found.time is not None
    assert found.time.isoformat() == "2026-11-22T12:01:00+00:00"
    message: dict[str, Any] = json_format.MessageToDict(found.message, preserving_proto_field_name=True)
    return message


def counts(found: dict[str, Any]) -> dict[str, int]:
    names = ("critical", "high", "medium", "low", "negligible", "unknown")
    return {name: int(found[name]) for name in names if found.get(name, "0") != "0"}


def test_trivys_report_is_counted_and_listed() -> None:
    found = facts(cosign(TRIVY))
    assert (found["scanner"], found["scanner_version"]) == ("trivy", "0.50.0")
    assert (found["scan_time"], found["database_time"]) == ("2026-11-22T12:01:00Z", "2026-11-22T06:00:00Z")
    assert counts(found) == {"critical": 1, "high": 1, "unknown": 1}
    assert (found["fixable_critical"], found["fixable_high"]) == ("1", "0")
    assert found["complete"] is True
    assert found["findings"][0] == {
        "id": "CVE-2026-1",
        "severity": "VULNERABILITY_SEVERITY_CRITICAL",
        "package_name": "openssl",
        "installed_version": "3.0.1",
        "fixed_version": "3.0.2",
    }


def test_grypes_report_is_counted_and_listed() -> None:
    found = facts(cosign(GRYPE, "pkg:github/anchore/grype@v0.80.0"))
    assert found["scanner"] == "grype"
    assert counts(found) == {"critical": 1, "negligible": 1}
    assert found["fixable_critical"] == "1"


def test_a_sarif_report_is_counted_by_its_scores() -> None:
    found = facts(cosign(SARIF))
    assert counts(found) == {"critical": 1, "medium": 1, "unknown": 1}
    assert "fixable_critical" not in found


@pytest.mark.parametrize(
    "result",
    [
        {},
        None,
        [],
        "text",
        {"Results": 3},
        {"matches": {}},
        {"SchemaVersion": 2, "Results": [{"Vulnerabilities": 1}]},
    ],
)
def test_a_report_that_is_not_understood_has_no_counts(result: Any) -> None:
    found = facts(cosign(result))
    assert counts(found) == {}
    assert "critical" not in found
    assert "complete" not in found


def test_a_report_that_found_nothing_says_so() -> None:
    results: tuple[dict[str, Any], ...] = (
        {"SchemaVersion": 2},
        {"SchemaVersion": 2, "Results": []},
        {"matches": []},
    )
    for result in results:
        found = facts(cosign(result))
        assert found["critical"] == "0"
        assert found["complete"] is True


def test_a_list_that_is_too_long_is_counted_and_not_cut() -> None:
    one = {"vulnerability": {"id": "CVE-2026-1", "severity": "High"}, "artifact": {"name": "a"}}
    found = facts(cosign({"matches": [one] * 1001}))
    assert counts(found) == {"high": 1001}
    assert "findings" not in found
    assert "complete" not in found


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ([{"method": "nvd", "score": "9.8"}], "critical"),
        ([{"method": "nvd", "score": "7.0"}], "high"),
        ([{"method": "nvd", "score": 4}], "medium"),
        ([{"method": "nvd", "score": "0.1"}], "low"),
        ([{"method": "nvd", "score": "0.0"}], "negligible"),
        ([{"method": "vendor", "score": "Moderate"}], "medium"),
        ([{"method": "nvd", "score": "3.0"}, {"method": "vendor", "score": "critical"}], "critical"),
        ([{"method": "nvd", "score": "11"}], "unknown"),
        ([{"method": "nvd", "score": True}], "unknown"),
        ([{"method": "nvd", "score": "CVSS:3.1/AV:N"}], "unknown"),
        ([], "unknown"),
        (None, "unknown"),
    ],
)
def test_in_totos_severities_are_read(given: Any, wanted: str) -> None:
    result = [{"id": "CVE-2026-1", "severity": given}]
    predicate = {
        "scanner": {"uri": "pkg:github/aquasecurity/trivy@0.50.0", "result": result},
        "metadata": TIMES,
    }
    found = facts(predicate, INTOTO)
    assert counts(found) == {wanted: 1}
    assert found["findings"][0]["severity"] == f"VULNERABILITY_SEVERITY_{wanted.upper()}"


@pytest.mark.parametrize("uri", [None, "", "https://"])
def test_a_scan_without_a_scanner_is_no_facts(uri: str | None) -> None:
    with pytest.raises(StatementInvalid, match="scanner"):
        facts(cosign(TRIVY, uri))
