"""The library of ready policies: complete, accepted as enforced, and tested with good and bad evidence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from release_passport.policy_file import load_policy_file, parse_policy
from release_passport.policy_test_file import load_policy_test_file
from release_passport.v1 import policy_pb2, policy_service_pb2, verdict_pb2
from release_passport_server.domain.evidence import Subject
from release_passport_server.domain.kind import KINDS
from release_passport_server.domain.outcome import Reason
from release_passport_server.wire.policy_check import check_spec
from release_passport_server.wire.subject import subject_of

POLICIES = Path(__file__).resolve().parents[2] / "policies"
LIBRARY = POLICIES / "library"
README = (POLICIES / "README.md").read_text(encoding="utf-8")
FILES = sorted(path for path in LIBRARY.glob("*.yaml") if not path.stem.endswith("_test"))
IN_LIBRARY = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)

# Whose word counts for a kind, by the convention of policies/README.md.
PIPELINE = {"provenance", "signature", "sbom", "vulnerability_scan", "test_result", "manifest_render"}


def spec_of(path: Path) -> policy_pb2.PolicySpec:
    """Return what a policy file says."""
    return load_policy_file(path).spec


def cases_of(path: Path) -> tuple[policy_service_pb2.PolicyTestCase, ...]:
    """Return the cases beside a policy."""
    return load_policy_test_file(path.with_name(f"{path.stem}_test.yaml")).cases


def expected(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the rule and reason of every finding that the tests of a policy expect."""
    for case in cases_of(path):
        for finding in case.expected_findings:
            yield finding.rule, finding.reason


def test_the_library_holds_the_policies_that_people_ask_for_first() -> None:
    names = {path.stem for path in FILES}
    assert names >= {
        "baseline-provenance",
        "gitops-sync",
        "runtime-health",
        "rollback-readiness",
        "tests-and-vulnerabilities",
        "incident-and-change-ticket",
        "canary-for-risky-changes",
        "watch-degrading-signals",
    }


def test_every_test_file_belongs_to_a_policy_of_its_name() -> None:
    for path in LIBRARY.glob("*_test.yaml"):
        assert load_policy_test_file(path).policy_path == path.with_name(path.name.replace("_test", ""))
    assert len(list(LIBRARY.glob("*_test.yaml"))) == len(FILES)


@IN_LIBRARY
def test_a_policy_is_named_as_its_file(path: Path) -> None:
    assert load_policy_file(path).policy_id == path.stem


@IN_LIBRARY
def test_a_policy_is_accepted_as_enforced(path: Path) -> None:
    spec = spec_of(path)
    assert spec.mode == verdict_pb2.POLICY_MODE_ENFORCE
    assert check_spec(spec) == []


@IN_LIBRARY
def test_a_policy_says_why_it_exists_and_what_to_do(path: Path) -> None:
    spec = spec_of(path)
    assert spec.title
    assert len(spec.description) > 150
    for rule in spec.rules:
        assert rule.title.endswith("?"), rule.rule_id
        assert rule.controls, rule.rule_id
        assert rule.message, rule.rule_id
        assert re.search(r"\b(can|ask)\b", rule.next_action), f"{rule.rule_id} does not say who can act"


@IN_LIBRARY
def test_sources_follow_the_convention(path: Path) -> None:
    for need in (need for rule in spec_of(path).rules for need in rule.needs):
        server_only = KINDS[need.kind].server_only
        wanted = "self" if server_only else "sa:ci*" if need.kind in PIPELINE else "connector:*"
        assert list(need.sources) == [wanted]


@IN_LIBRARY
def test_a_rule_reads_exactly_the_kinds_that_it_needs(path: Path) -> None:
    for rule in spec_of(path).rules:
        needed = {need.kind for need in rule.needs}
        assert set(re.findall(r"evidence\.(\w+)", rule.expect)) == needed
        assert set(re.findall(r"evidence\.(\w+)", rule.message)) <= needed
        assert "evidence" not in rule.when


@IN_LIBRARY
def test_editors_find_the_schema(path: Path) -> None:
    for file, schema in ((path, "policy"), (path.with_name(f"{path.stem}_test.yaml"), "policy_test")):
        first = file.read_text(encoding="utf-8").splitlines()[0]
        assert first == f"# yaml-language-server: $schema=../schema/{schema}.schema.json"


@IN_LIBRARY
def test_a_policy_is_tested_with_evidence_that_passes_fails_is_missing_and_is_stale(path: Path) -> None:
    reasons = {reason for _, reason in expected(path)}
    assert reasons >= {"PASSED", "EXPECTATION_FAILED", "EVIDENCE_MISSING", "EVIDENCE_STALE"}


@IN_LIBRARY
def test_every_rule_is_seen_passing_and_failing(path: Path) -> None:
    seen = set(expected(path))
    for rule in spec_of(path).rules:
        assert (rule.rule_id, "PASSED") in seen
        assert (rule.rule_id, "EXPECTATION_FAILED") in seen


@IN_LIBRARY
def test_a_policy_is_tested_with_good_evidence_about_another_subject(path: Path) -> None:
    cases = cases_of(path)
    passing = next(case for case in cases if all(f.reason == "PASSED" for f in case.expected_findings))
    facts = {item.input.facts.SerializeToString(deterministic=True) for item in passing.evidence}
    subjects = {_subject(item) for item in passing.evidence}
    wrong = [
        case
        for case in cases
        if any(finding.reason == "EVIDENCE_MISSING" for finding in case.expected_findings)
        and any(
            item.input.facts.SerializeToString(deterministic=True) in facts and _subject(item) not in subjects
            for item in case.evidence
        )
    ]
    assert wrong


@IN_LIBRARY
def test_cases_name_rules_and_reasons_that_exist(path: Path) -> None:
    rules = {rule.rule_id for rule in spec_of(path).rules} | {""}
    for rule, reason in expected(path):
        assert rule in rules
        assert reason in {known.value for known in Reason}


@IN_LIBRARY
def test_a_case_says_all_that_it_expects(path: Path) -> None:
    for case in cases_of(path):
        assert case.expected_verdict != verdict_pb2.VERDICT_UNSPECIFIED
        assert case.expected_findings, case.case_id
        assert all(finding.verdict and finding.reason for finding in case.expected_findings)


def test_the_readme_lists_every_policy() -> None:
    for path in FILES:
        assert f"(library/{path.name})" in README


def test_the_readme_lists_every_reason_and_no_other() -> None:
    section = README.split("## Reason codes")[1].split("\n## ")[0]
    assert re.findall(r"^\| `([A-Z_]+)` \|", section, re.MULTILINE) == [reason.value for reason in Reason]


def test_the_readme_lists_every_kind_as_it_is() -> None:
    section = README.split("## Evidence kinds")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)`([ ¹²³]*) \| ([^|]+?) \| ?`?(\w*)`? \| (\w+) \|$", section, re.MULTILINE)
    said = {name: (marks, about, key, age) for name, marks, about, key, age in rows}
    assert list(said) == list(KINDS)
    for name, kind in KINDS.items():
        marks, about, key, age = said[name]
        assert about == ("anything" if len(kind.binds) == 6 else ", ".join(kind.binds)), name
        assert (key or None) == kind.key_field, name
        assert seconds_of(age) == kind.max_age.total_seconds(), name
        assert ("¹" in marks, "²" in marks, "³" in marks) == (kind.attestation, kind.run, kind.attempt_bound)


def test_the_readme_lists_every_field_of_a_rule_and_a_need() -> None:
    fields = README.split("## Fields")[1].split("## Evidence kinds")[0]
    for message in (policy_pb2.PolicySpec, policy_pb2.Rule, policy_pb2.Need):
        for field in message.DESCRIPTOR.fields:
            assert f"`{field.name}`" in fields


def test_the_examples_of_the_readme_are_accepted() -> None:
    policy, test = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    assert check_spec(parse_policy(policy.encode()).policy.spec) == []
    rules = {rule["rule_id"] for rule in yaml.safe_load(policy)["spec"]["rules"]}
    case = yaml.safe_load(test)["cases"][0]
    assert {finding["rule"] for finding in case["expect"]["findings"]} <= rules


def seconds_of(text: str) -> int:
    """Return the seconds of an age in hours or minutes."""
    return int(text[:-1]) * {"h": 3600, "m": 60}[text[-1]]


def _subject(item: policy_service_pb2.PolicyTestEvidence) -> Subject:
    return subject_of(item.input.subject)
