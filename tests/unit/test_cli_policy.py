"""`passport policy`: files are read strictly, applied by what differs, and tested without a false success."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import grpc
import pytest

from release_passport.policy_file import load_policy_file, parse_policy
from release_passport.policy_test_file import load_policy_test_file
from release_passport.strict_yaml import FileInvalid, Place
from release_passport.v1 import access_service_pb2, evidence_pb2, policy_pb2, policy_service_pb2, verdict_pb2
from support.cli_fixtures import connected, fake, passport
from support.command_line import CommandLine
from support.fake_server import FakeServer, Refusal

__all__ = ["connected", "fake", "passport"]

LIBRARY = Path(__file__).parents[2] / "policies" / "library"
POLICY = """\
apiVersion: release-passport.dev/v1
kind: Policy
metadata:
  name: tests-pass
spec:
  title: Tests pass
  mode: ENFORCE
  max_validity: 10m
  rules:
    - rule_id: unit
      title: Did the unit tests pass?
      needs:
        - {kind: test_result, max_age: 1h30m, sources: ["sa:ci"], verified: false}
      expect: >-
        evidence.test_result.failed == 0
        && evidence.test_result.passed > 0
      on_fail: BLOCK
"""
TESTS = """\
policy: tests-pass.yaml
fixtures:
  releases:
    checkout:
      service: checkout
      environment: prod
      version: 1.10
      source_revision: 4f6c2a90
      artifacts: [{name: web, digest: x}]
      service_labels: {tier: "1"}
  evidence:
    good:
      subject: {source_revision: 4f6c2a90}
      facts: {test_result: {suite: unit, passed: 3, failed: 0}}
      source: sa:ci
      age: 5m
cases:
  - name: good tests allow
    now: 2026-03-02T10:00:00Z
    release: checkout
    evidence: [good]
    expect: {verdict: ALLOW}
  - name: failing tests block
    now: 2026-03-02T10:00:00Z
    release: checkout
    evidence:
      - use: good
        age: 1m
        verified: true
        facts: {test_result: {failed: 2, passed: null}}
    expect:
      verdict: BLOCK
      findings: [{rule: unit, verdict: BLOCK, reason: EXPECTATION_FAILED}]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tests-pass.yaml").write_text(POLICY)
    (tmp_path / "tests-pass_test.yaml").write_text(TESTS)
    return tmp_path


@pytest.fixture
def line(connected: CommandLine, fake: FakeServer) -> CommandLine:
    fake.reply("WhoAmI", access_service_pb2.WhoAmIResponse(tenant="acme"))
    return connected


def stored(**changes: Any) -> policy_pb2.Policy:
    policy = parse_policy(POLICY.encode()).policy
    policy.MergeFrom(
        policy_pb2.Policy(name="tenants/acme/policies/tests-pass", revision=4, etag="e4", digest="sha256:d")
    )
    policy.MergeFrom(policy_pb2.Policy(**changes))
    return policy


def test_a_policy_file_may_have_ways_back_judged(folder: Path) -> None:
    (folder / "tests-pass.yaml").write_text(
        POLICY.replace("  mode: ENFORCE\n", "  mode: ENFORCE\n  restore: JUDGE\n")
    )
    policy = load_policy_file(folder / "tests-pass.yaml")
    assert policy.spec.restore == policy_pb2.RESTORE_MODE_JUDGE


def test_a_policy_file_gives_the_message_of_the_contract(folder: Path) -> None:
    policy = load_policy_file(folder / "tests-pass.yaml")
    (rule,) = policy.spec.rules
    assert (policy.policy_id, policy.spec.mode, policy.spec.max_validity.seconds) == ("tests-pass", 3, 600)
    assert (rule.needs[0].max_age.seconds, rule.on_fail) == (5400, verdict_pb2.VERDICT_BLOCK)
    assert rule.needs[0].HasField("verified")
    assert rule.expect == "evidence.test_result.failed == 0 && evidence.test_result.passed > 0"


@pytest.mark.parametrize("path", sorted(LIBRARY.glob("*_test.yaml")), ids=lambda path: path.stem)
def test_the_library_reads(path: Path) -> None:
    tests = load_policy_test_file(path)
    assert tests.cases
    assert load_policy_file(tests.policy_path).policy_id == tests.policy_path.stem


@pytest.mark.parametrize(
    ("change", "place", "said"),
    [
        (("title: Tests", "titel: Tests"), "6:3", "did you mean 'title'"),
        (("mode: ENFORCE", "mode: ENFORCED"), "7:9", "SHADOW, ADVISORY, ENFORCE"),
        (("mode: ENFORCE", "mode: UNSPECIFIED"), "7:9", "SHADOW, ADVISORY, ENFORCE"),
        (("max_validity: 10m", "max_validity: 600"), "8:17", "not a duration"),
        (("max_validity: 10m", "maxValidity: 10m"), "8:3", "did you mean 'max_validity'"),
        (("on_fail: BLOCK", "on_fail: BLOCK\n      on_fail: HOLD"), "18:7", "twice"),
        (("name: tests-pass", "name: Tests"), "4:9", "metadata.name"),
        (("kind: Policy", "kind: Rule"), "2:7", "kind must be Policy"),
        (("verified: false", "verified: no"), "13:77", "neither true nor false"),
        (("sources: [", "sources: ["), None, None),
    ],
)
def test_each_mistake_has_its_place(change: tuple[str, str], place: str | None, said: str | None) -> None:
    content = POLICY.replace(*change).encode()
    if place is None or said is None:
        parse_policy(content)
        return
    with pytest.raises(FileInvalid) as refused:
        parse_policy(content, "p.yaml")
    assert str(refused.value).startswith(f"p.yaml:{place}: ")
    assert said in str(refused.value)


def test_all_mistakes_are_told_at_once() -> None:
    content = POLICY.replace("title: Tests", "titel: Tests").replace("ENFORCE", "NO").replace("BLOCK", "STOP")
    with pytest.raises(FileInvalid) as refused:
        parse_policy(content.encode())
    assert len(refused.value.problems) == 3


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"[" * 100_000,
        b"a: &a [*a]",
        b"a: !!python/object:os.system x",
        b"x" * 1_048_577,
        b"a: 1\n---\nb: 1",
        b"\x00",
    ],
    ids=["empty", "not UTF-8", "deep", "alias", "tag", "large", "two documents", "NUL"],
)
def test_hostile_yaml_is_refused(content: bytes) -> None:
    with pytest.raises(FileInvalid):
        parse_policy(content)


def test_a_place_inside_an_expression_is_a_place_in_the_file() -> None:
    document = parse_policy(POLICY.encode())
    assert document.place_of("spec.rules[0].expect", 2, 4) == Place(16, 4)
    assert document.place_of("rules[0].needs[0].kind", 1, 3).line == 13
    assert document.place_of("rules[0].no_such.field").line == 10


def test_test_files_merge_fixtures_and_pin_the_time(folder: Path) -> None:
    first, second = load_policy_test_file(folder / "tests-pass_test.yaml").cases
    assert first.release.version == "1.10"
    assert dict(first.service_labels) == {"tier": "1"}
    assert first.evidence[0].input.observe_time.ToJsonString() == "2026-03-02T09:55:00Z"
    assert first.evidence[0].verification == evidence_pb2.VERIFICATION_STATE_UNSIGNED
    assert second.evidence[0].input.observe_time.ToJsonString() == "2026-03-02T09:59:00Z"
    assert second.evidence[0].input.facts.test_result == evidence_pb2.TestResult(suite="unit", failed=2)
    assert second.evidence[0].verification == evidence_pb2.VERIFICATION_STATE_VERIFIED
    assert second.expected_findings[0].reason == "EXPECTATION_FAILED"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("evidence: [good]", "evidence: [goood]"), "no evidence fixture 'goood'"),
        (("release: checkout", "release: chekout"), "no release fixture"),
        (("    now: 2026-03-02T10:00:00Z\n", ""), "pinned time"),
        (("expect: {verdict: ALLOW}", "expect: {}"), "expect.verdict is missing"),
        (("name: good tests allow", "name: failing tests block"), "a name of its own"),
        (("age: 1m", "age: soon"), "not a duration"),
        (("age: 1m", "ages: 1m"), "'ages' is not a field"),
        (("failed: 2", "faild: 2"), "did you mean 'failed'"),
        (("policy: tests-pass.yaml", ""), "policy is missing"),
    ],
)
def test_mistakes_in_a_test_file_are_refused(folder: Path, change: tuple[str, str], said: str) -> None:
    path = folder / "tests-pass_test.yaml"
    path.write_text(TESTS.replace(*change))
    with pytest.raises(FileInvalid, match=said):
        load_policy_test_file(path)


def test_apply_creates_what_is_not_there(line: CommandLine, fake: FakeServer, folder: Path) -> None:
    fake.reply("GetPolicy", Refusal(grpc.StatusCode.NOT_FOUND, "none"))
    fake.reply("CreatePolicy", policy_service_pb2.CreatePolicyResponse(policy=stored(revision=1)))
    result = line("policy", "apply", str(folder))
    assert (result.code, "created" in result.out) == (0, True)
    assert [request.policy.policy_id for request in fake.asked("CreatePolicy")] == ["tests-pass"]


def test_apply_leaves_alone_what_is_the_same(line: CommandLine, fake: FakeServer, folder: Path) -> None:
    fake.reply("GetPolicy", policy_service_pb2.GetPolicyResponse(policy=stored()))
    result = line("policy", "apply", str(folder / "tests-pass.yaml"))
    assert (result.code, "unchanged" in result.out) == (0, True)
    assert [name for name, _ in fake.requests] == ["WhoAmI", "GetPolicy"]


def test_apply_updates_what_differs_by_its_etag(line: CommandLine, fake: FakeServer, folder: Path) -> None:
    current = stored()
    current.spec.title = "Before"
    fake.reply("GetPolicy", policy_service_pb2.GetPolicyResponse(policy=current))
    fake.reply("UpdatePolicy", policy_service_pb2.UpdatePolicyResponse(policy=stored(revision=5)))
    assert "would update" in line("policy", "apply", str(folder), "--dry-run").out
    result = line("policy", "apply", str(folder), "-o", "json")
    (request,) = fake.asked("UpdatePolicy")
    assert (request.policy.etag, request.policy.name) == ("e4", current.name)
    assert json.loads(result.out)[0]["action"] == "updated"


def test_a_refused_policy_is_shown_with_its_place(line: CommandLine, fake: FakeServer, folder: Path) -> None:
    fake.reply("GetPolicy", Refusal(grpc.StatusCode.NOT_FOUND, "none"))
    violations = {"policy.spec.rules[0].expect": "unknown field"}
    refusal = Refusal(grpc.StatusCode.INVALID_ARGUMENT, "bad", reason="POLICY_INVALID", violations=violations)
    fake.reply("CreatePolicy", refusal)
    result = line("policy", "apply", str(folder))
    assert result.code == 2
    assert "tests-pass.yaml:14:15: policy.spec.rules[0].expect: unknown field" in result.err


def test_nothing_is_applied_when_one_file_is_wrong(line: CommandLine, fake: FakeServer, folder: Path) -> None:
    (folder / "z.yaml").write_text("kind: nonsense")
    assert line("policy", "apply", str(folder)).code == 2
    assert fake.requests == []


def test_validate_shows_problems_where_they_stand(line: CommandLine, fake: FakeServer, folder: Path) -> None:
    problem = policy_pb2.PolicyProblem(field="rules[0].expect", line=2, column=4, problem="no such field")
    response = policy_service_pb2.ValidatePolicyResponse(problems=[problem], warnings=["matches nothing"])
    fake.reply("ValidatePolicy", response, policy_service_pb2.ValidatePolicyResponse())
    result = line("policy", "validate", str(folder))
    assert result.code == 1
    assert "tests-pass.yaml:16:4: error rules[0].expect: no such field" in result.out
    assert "warning matches nothing" in result.out
    assert line("policy", "validate", str(folder)).code == 0


def outcome(*results: tuple[str, bool]) -> policy_service_pb2.TestPolicyResponse:
    response = policy_service_pb2.TestPolicyResponse(passed=True)
    for name, passed in results:
        response.results.add(
            case_id=name, passed=passed, differences=[] if passed else ["verdict is HOLD, expected ALLOW"]
        )
    return response


GOOD, BAD = "good tests allow", "failing tests block"


@pytest.mark.parametrize(
    ("results", "code"),
    [
        ([(GOOD, True), (BAD, True)], 0),
        ([(GOOD, False), (BAD, True)], 1),
        ([(GOOD, True)], 1),
        ([], 1),
    ],
    ids=["all pass", "one fails", "one is not answered", "none is answered"],
)
def test_policy_tests_pass_only_when_every_case_did(
    line: CommandLine, fake: FakeServer, folder: Path, results: list[tuple[str, bool]], code: int
) -> None:
    fake.reply("TestPolicy", outcome(*results))
    assert line("policy", "test", str(folder)).code == code


def test_differences_are_shown_with_the_place_of_the_case(
    line: CommandLine, fake: FakeServer, folder: Path
) -> None:
    fake.reply("TestPolicy", outcome((GOOD, False), (BAD, True)))
    text = line("policy", "test", str(folder / "tests-pass.yaml")).out
    assert "✗ good tests allow" in text
    assert "tests-pass_test.yaml:18" in text
    assert "verdict is HOLD, expected ALLOW" in text
    assert text.splitlines()[-1] == "1 of 2 cases failed"
    suite = ET.fromstring(line("policy", "test", str(folder), "-o", "junit").out)
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")


@pytest.mark.parametrize("arguments", [["--case", "no such case"], []], ids=["none chosen", "none written"])
def test_no_case_is_a_failure(
    line: CommandLine, fake: FakeServer, folder: Path, arguments: list[str]
) -> None:
    if not arguments:
        head = TESTS.split("cases:", maxsplit=1)[0]
        (folder / "tests-pass_test.yaml").write_text(f"{head}cases: []\n")
    fake.reply("TestPolicy", outcome())
    result = line("policy", "test", str(folder), *arguments)
    assert result.code == 1
    assert "no case was run" in result.err


def test_no_test_file_is_usage(line: CommandLine, folder: Path) -> None:
    (folder / "tests-pass_test.yaml").unlink()
    assert line("policy", "test", str(folder)).code == 2


def test_a_policy_that_is_shown_can_be_applied_again(line: CommandLine, fake: FakeServer) -> None:
    fake.reply("GetPolicy", policy_service_pb2.GetPolicyResponse(policy=stored()))
    for form in ("table", "yaml"):
        shown = line("policy", "get", "tests-pass", "-o", form).out
        assert parse_policy(shown.encode()).policy.spec == stored().spec


def test_delete_uses_the_current_etag(line: CommandLine, fake: FakeServer) -> None:
    fake.reply("GetPolicy", policy_service_pb2.GetPolicyResponse(policy=stored()))
    fake.reply("DeletePolicy", policy_service_pb2.DeletePolicyResponse(policy=stored()))
    assert line("policy", "delete", "tests-pass").code == 0
    (request,) = fake.asked("DeletePolicy")
    assert request.etag == "e4"
