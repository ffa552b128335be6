"""The cases beside policies, decided by the engine, and compiled policies that are kept."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from release_passport.policy_file import load_policy_file
from release_passport.v1 import policy_pb2
from release_passport_server.adapters.cel.compiler import CELCompiler
from release_passport_server.adapters.cel.policies import MAX_KEPT, MAX_PROBLEMS, CELPolicies
from release_passport_server.domain.catalog import PolicyDocument
from release_passport_server.domain.errors import Invalid
from release_passport_server.domain.verdict import Mode
from release_passport_server.wire.policy_warnings import spec_warnings
from support.policy_runner import policies, run
from support.policy_specs import need, rule, spec

LIBRARY = Path(__file__).parents[2] / "policies" / "library"
FILES = sorted(path for path in LIBRARY.glob("*.yaml") if not path.stem.endswith("_test"))
TIME = datetime(2026, 1, 1, tzinfo=UTC)


def document(given: policy_pb2.PolicySpec, revision: int = 1) -> PolicyDocument:
    digest = policies().digest(given)
    return PolicyDocument("quiet", revision, digest, given, "user:ada", TIME, TIME)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_case_of_the_library_comes_out_as_expected(path: Path) -> None:
    results = run(path)
    assert len(results) > 0
    assert {result.case_id: result.differences for result in results if not result.passed} == {}


def test_a_policy_that_judges_the_way_back_can_be_tried(tmp_path: Path) -> None:
    for name in ("tests-and-vulnerabilities.yaml", "tests-and-vulnerabilities_test.yaml"):
        text = (LIBRARY / name).read_text(encoding="utf-8")
        (tmp_path / name).write_text(text.replace("  mode: ENFORCE\n", "  mode: ENFORCE\n  restore: JUDGE\n"))
    results = run(tmp_path / "tests-and-vulnerabilities.yaml")
    (back,) = (result for result in results if not result.passed)
    assert back.case_id.startswith("what passed here before goes back")
    assert "the effective verdict is BLOCK, expected is ALLOW" in back.differences


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_policy_of_the_library_compiles_as_enforced(path: Path) -> None:
    assert policies().check(load_policy_file(path).spec) == ()


def test_a_compiled_revision_is_kept() -> None:
    kept = policies()
    first = kept.compile(document(spec()))
    assert kept.compile(document(spec())) is first
    assert kept.compile(document(spec(), revision=2)) is not first
    assert kept.compile(document(spec(title="changed"))) is not first


def test_no_more_than_so_many_revisions_are_kept() -> None:
    own = CELPolicies(CELCompiler())
    first = own.compile(document(spec()))
    for revision in range(2, MAX_KEPT + 2):
        own.compile(document(spec(), revision))
    assert own.compile(document(spec())) is not first


def test_a_policy_that_does_not_compile_is_refused_with_every_place() -> None:
    given = spec(
        rules=[rule(), rule(rule_id="b", expect="1"), rule(rule_id="c", when="evidence.sbom.x == 1")]
    )
    with pytest.raises(Invalid) as refused:
        policies().compile(document(given))
    fields = {violation.field for violation in refused.value.violations}
    assert fields == {"policy.spec.rules[1].expect", "policy.spec.rules[2].when"}


def test_what_a_rule_reads_and_does_not_need_is_refused() -> None:
    given = spec(rules=[rule(expect="evidence.change_ticket.approved")])
    (problem,) = policies().check(given)
    assert (problem.field, problem.line) == ("rules[0].expect", 1)


def test_a_flood_of_problems_is_cut_short() -> None:
    rules = [rule(rule_id=f"r{number}", expect="1") for number in range(200)]
    assert len(policies().check(spec(rules=rules))) == MAX_PROBLEMS


def test_an_outline_is_known_without_compiling() -> None:
    given = spec(mode=1, match={"services": ["a*"]}, rules=[rule(expect="nonsense(")])
    outline = policies().outline(given)
    assert outline.mode is Mode.SHADOW
    assert outline.match.services == ("a*",)


def test_what_is_no_spec_is_an_error_of_the_program() -> None:
    with pytest.raises(TypeError):
        policies().check({"mode": 3})


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (spec(mode=1), "mode SHADOW"),
        (spec(watch={"duration": "60s"}), "watches nothing"),
        (spec(rules=[rule(unknownNeedsApproval=True)]), "unknown_needs_approval"),
        (spec(rules=[rule(onFail=3, onMissing=4)]), "on_fail: REQUIRE_APPROVAL is weaker than on_missing"),
        (spec(rules=[rule(needs=[])]), "needs no evidence"),
        (spec(rules=[rule(needs=[need(maxAge="3600s")])]), "max_age"),
        (spec(mode=2, rules=[rule(needs=[need(sources=[])])]), "anybody who may submit"),
        (spec(mode=2, rules=[rule(needs=[need(kind="sbom", verified=False)])]), "unsigned sbom"),
        (spec(rules=[rule(needs=[need(sources=["sa:*"])])]), "sa:* takes every principal"),
    ],
)
def test_what_weakens_a_policy_is_told(given: policy_pb2.PolicySpec, text: str) -> None:
    assert any(text in warning for warning in spec_warnings(given))
