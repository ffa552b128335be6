"""Facts of vulnerability scans: cosign's vuln predicate around a scanner's report, and in-toto's vulns predicate.

Formats: cosign specs/COSIGN_VULN_ATTESTATION_SPEC.md; in-toto/attestation spec/predicates/vuln.md. The reports that are
understood inside cosign's are those of Trivy, Grype and SARIF. A report in any other form yields no counts: unknown
holds.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from release_passport.v1 import evidence_pb2
from release_passport_server.wire.intoto.reading import at, fill, objects_at, text_at, texts_at, time_at
from release_passport_server.wire.intoto.strict_json import JSON

_MAX_FINDINGS = 1000
_MAX_FINDINGS_BYTES = 48 * 1024
_NUMBER = re.compile(r"\d{1,2}(?:\.\d{1,2})?", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
# Names of severities, weakest first; a scanner's own words on the right.
_NAMES = ("unknown", "negligible", "low", "medium", "high", "critical")
_WORDS = {name: name for name in _NAMES} | {
    "none": "negligible",
    "info": "negligible",
    "informational": "negligible",
    "minor": "low",
    "moderate": "medium",
    "important": "high",
}
_ENUM = evidence_pb2.VulnerabilitySeverity.Value


@dataclass(frozen=True, slots=True)
class _Finding:
    id: str | None
    severity: str
    package: str | None = None
    installed: str | None = None
    fixed: str | None = None


@dataclass(frozen=True, slots=True)
class _Report:
    findings: list[_Finding]
    # The report says for each finding whether a fixed version exists.
    tells_fixes: bool


def cosign_scan(predicate: JSON) -> tuple[evidence_pb2.VulnerabilityScan, datetime | None]:
    """Return the facts of cosign's predicate, and when the scan was done."""
    result = at(predicate, "scanner", "result")
    return _scan(predicate, next((found for read in _READERS if (found := read(result))), None))


def intoto_scan(predicate: JSON) -> tuple[evidence_pb2.VulnerabilityScan, datetime | None]:
    """Return the facts of in-toto's predicate, and when the scan was done."""
    entries = objects_at(predicate, "scanner", "result")
    if entries is None:
        return _scan(predicate, None)
    findings = [_Finding(text_at(entry, "id"), _strongest(entry)) for entry in entries]
    return _scan(predicate, _Report(findings, tells_fixes=False))


def _scan(predicate: JSON, report: _Report | None) -> tuple[evidence_pb2.VulnerabilityScan, datetime | None]:
    facts = evidence_pb2.VulnerabilityScan()
    scan_time = time_at(predicate, "metadata", "scanFinishedOn") or time_at(
        predicate, "metadata", "scanStartedOn"
    )
    name, version = _scanner(text_at(predicate, "scanner", "uri"))
    fill(
        facts,
        scanner=name,
        scanner_version=text_at(predicate, "scanner", "version") or version,
        database_time=time_at(predicate, "scanner", "db", "lastUpdate"),
        scan_time=scan_time,
    )
    if report is not None:
        _count(facts, report)
        _list(facts, report.findings)
    return facts, scan_time


def _scanner(uri: str | None) -> tuple[str | None, str | None]:
    """Return name and version of a scanner's URI: the last part of pkg:github/aquasecurity/trivy@0.50.0."""
    if uri is None:
        return None, None
    bare = re.split(r"[?#]", uri.removeprefix("pkg:"), maxsplit=1)[0].rstrip("/")
    name, _, version = bare.rpartition("/")[2].partition("@")
    return (name if _NAME.fullmatch(name) else None), version or None


def _count(facts: evidence_pb2.VulnerabilityScan, report: _Report) -> None:
    for name in _NAMES:
        ours = [finding for finding in report.findings if finding.severity == name]
        setattr(facts, name, len(ours))
        if report.tells_fixes and name in ("critical", "high", "medium", "low"):
            setattr(facts, f"fixable_{name}", sum(finding.fixed is not None for finding in ours))


def _list(facts: evidence_pb2.VulnerabilityScan, findings: list[_Finding]) -> None:
    """List the findings, all or none: a list that is cut short could hide the one that matters."""
    if len(findings) > _MAX_FINDINGS:
        return
    listed = [_message(finding) for finding in findings]
    if sum(message.ByteSize() for message in listed) > _MAX_FINDINGS_BYTES:
        return
    facts.findings.extend(listed)
    facts.complete = True


def _message(finding: _Finding) -> evidence_pb2.Vulnerability:
    message = evidence_pb2.Vulnerability()
    fill(
        message,
        id=finding.id,
        severity=_ENUM(f"VULNERABILITY_SEVERITY_{finding.severity.upper()}"),
        package_name=finding.package,
        installed_version=finding.installed,
        fixed_version=finding.fixed,
    )
    return message


def _trivy(report: JSON) -> _Report | None:
    results = objects_at(report, "Results")
    # Trivy leaves `Results` out where it found nothing to look at.
    if results is None and (at(report, "SchemaVersion") is None or at(report, "Results") is not None):
        return None
    found: list[_Finding] = []
    for result in results or []:
        listed = objects_at(result, "Vulnerabilities")
        if listed is None and at(result, "Vulnerabilities") is not None:
            return None
        found += [
            _Finding(
                text_at(entry, "VulnerabilityID"),
                _named(text_at(entry, "Severity")),
                text_at(entry, "PkgName"),
                text_at(entry, "InstalledVersion"),
                text_at(entry, "FixedVersion"),
            )
            for entry in listed or []
        ]
    return _Report(found, tells_fixes=True)


def _grype(report: JSON) -> _Report | None:
    matches = objects_at(report, "matches")
    if matches is None:
        return None
    found = []
    for match in matches:
        fixes = texts_at(match, "vulnerability", "fix", "versions") or []
        found.append(
            _Finding(
                text_at(match, "vulnerability", "id"),
                _named(text_at(match, "vulnerability", "severity")),
                text_at(match, "artifact", "name"),
                text_at(match, "artifact", "version"),
                next((fix for fix in fixes if fix), None),
            )
        )
    return _Report(found, tells_fixes=True)


def _sarif(report: JSON) -> _Report | None:
    runs = objects_at(report, "runs")
    if runs is None:
        return None
    found: list[_Finding] = []
    for run in runs:
        rules, results = objects_at(run, "tool", "driver", "rules"), objects_at(run, "results")
        if results is None:
            return None
        scores = {text_at(rule, "id"): at(rule, "properties", "security-severity") for rule in rules or []}
        found += [
            _Finding(name := text_at(result, "ruleId"), _scored(scores.get(name))) for result in results
        ]
    return _Report(found, tells_fixes=False)


_READERS: tuple[Callable[[JSON], _Report | None], ...] = (_trivy, _grype, _sarif)


def _strongest(entry: JSON) -> str:
    """Return the worst of the severities that several methods give."""
    given = [_scored(at(severity, "score")) for severity in objects_at(entry, "severity") or []]
    return max(given, key=_NAMES.index, default="unknown")


def _named(word: str | None) -> str:
    return _WORDS.get((word or "").strip().lower(), "unknown")


def _scored(score: JSON) -> str:
    """Return the severity of a CVSS base score (v3, section 5) or of a word."""
    if isinstance(score, str):
        if not _NUMBER.fullmatch(score.strip()):
            return _named(score)
        score = float(score)
    if isinstance(score, bool) or not isinstance(score, (int, float)) or not 0 <= score <= 10:
        return "unknown"
    bounds = ((9.0, "critical"), (7.0, "high"), (4.0, "medium"), (math.ulp(0.0), "low"))
    return next((name for least, name in bounds if score >= least), "negligible")
