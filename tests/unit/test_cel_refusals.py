"""What a rule may not say, and where it is told so."""

from __future__ import annotations

import pytest
from google.protobuf.struct_pb2 import Struct

from release_passport.v1 import evidence_pb2 as pb
from release_passport_server.domain.expression import ExpressionProblem, MissingFact
from support.cel_rules import LOAD_TEST, ask, context, problems, rule

IN_ENFORCE = [
    ("has(evidence.metric_sample.value)", 1, 4),
    ("release.is_first ||\n  !has(evidence.metric_sample.value)", 2, 7),
    ("evidence.vulnerability_scan.findings.all(f, has(f.severity))", 1, 48),
    (f"has({LOAD_TEST}.x)", 1, 4),
    (f"!('x' in {LOAD_TEST})", 1, 7),
    ("'x' in evidence.sbom.licenses", 1, 5),
    ("'x' in evidence.sbom.licenses.filter(l, true)", 1, 5),
]


@pytest.mark.parametrize(("expression", "line", "column"), IN_ENFORCE)
def test_asking_what_is_there_is_refused_in_enforce(expression: str, line: int, column: int) -> None:
    [problem] = problems(expression)
    assert (problem.field, problem.line, problem.column) == ("expect", line, column)
    assert "refused in an ENFORCE policy" in problem.problem


@pytest.mark.parametrize(("expression", "line", "column"), IN_ENFORCE)
def test_asking_what_is_there_is_refused_in_variables_too(expression: str, line: int, column: int) -> None:
    [problem] = problems(variables=[("v", expression)])
    assert (problem.field, problem.line, problem.column) == ("variables.v", line, column)


@pytest.mark.parametrize(("expression", "line", "column"), IN_ENFORCE)
def test_asking_what_is_there_is_allowed_elsewhere(expression: str, line: int, column: int) -> None:
    assert rule(expression, strict=False).evidence_kinds


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize(
    "expression",
    [
        "evidence.metric_sample.?value.orValue(0.0) < 1.0",
        "evidence.?metric_sample.value < 1.0",
        "release.service_labels[?'tier'] == 'x'",
        "optional.of(1).hasValue()",
    ],
)
def test_optional_values_are_not_available(expression: str, strict: bool) -> None:
    assert problems(expression, strict=strict)[0].line == 1


def test_what_has_asks_about_need_not_be_present() -> None:
    expression = "has(evidence.metric_sample.value) && evidence.metric_sample.value < 1"
    assert ask(expression, strict=False, metric_sample=pb.MetricSample()) is False
    assert ask(expression, strict=False) == MissingFact("evidence.metric_sample")
    other = f"{expression} && evidence.metric_sample.samples > 1"
    answer = ask(other, strict=False, metric_sample=pb.MetricSample())
    assert answer == MissingFact("evidence.metric_sample.samples")


def test_what_has_asks_about_does_not_cover_what_is_inside() -> None:
    facts = Struct()
    facts.update({"other": 1})
    answer = ask(f"has({LOAD_TEST}.a) || {LOAD_TEST}.a.b != 1", strict=False, custom=facts)
    assert answer == MissingFact(f"{LOAD_TEST}.a")


def test_labels_may_be_asked_about_in_enforce() -> None:
    assert ask("'tier' in release.service_labels && has(release.service_labels.tier)") is True
    assert ask("release.stage in [0, 1] && 'x' in ['x', 'y']") is True


def test_a_value_of_evidence_may_be_looked_for_in_a_written_list() -> None:
    facts = pb.ChangeTicket(risk="low")
    assert ask("evidence.change_ticket.risk in ['low', 'medium']", change_ticket=facts) is True


def test_evidence_that_is_not_needed_is_refused() -> None:
    [problem] = problems("true && evidence.sbom.format == 'x'", needs=["metric_sample"])
    assert (problem.line, problem.column) == (1, 17)
    assert "evidence.sbom is read, and `sbom` is not in the rule's needs" in problem.problem
    [problem] = problems(f"{LOAD_TEST}.x == 1", needs=["metric_sample"])
    assert "custom:acme.example/load-test" in problem.problem
    [problem] = problems("variables.v == 'x'", variables=[("v", "evidence.sbom.format")], needs=[])
    assert (problem.field, problem.line, problem.column) == ("expect", 1, 10)
    [problem] = problems(message="evidence.sbom.format", needs=[])
    assert problem.field == "message"


def test_a_variable_that_is_not_read_needs_nothing() -> None:
    assert rule("true", variables=[("v", "evidence.sbom.format")], needs=[]).evidence_kinds == frozenset()


@pytest.mark.parametrize("strict", [True, False])
def test_when_never_reads_evidence(strict: bool) -> None:
    [problem] = problems(when="release.is_first && evidence.incident_state.open_count > 0", strict=strict)
    assert (problem.field, problem.line, problem.column) == ("when", 1, 29)
    [problem] = problems(
        when="variables.n > 0", variables=[("n", "evidence.incident_state.sev1")], strict=strict
    )
    assert (problem.field, problem.line, problem.column) == ("when", 1, 10)


def test_when_reads_registered_attributes() -> None:
    compiled = rule(
        when="variables.tier == '1' && release.environment == 'production' && now > timestamp('2026-01-01T00:00:00Z')",
        variables=[("tier", "release.service_labels['tier']")],
    )
    assert compiled.when is not None
    assert compiled.when(context()) is True


@pytest.mark.parametrize(
    ("expression", "line", "column", "part"),
    [
        ("evidence.nope.x == 1", 1, 14, "no evidence of a kind `nope`"),
        ("evidence.metric_sample.nope == 1", 1, 23, "undefined field 'nope'"),
        ("evidence.metric_sample.value > 1 &&\n  foo", 2, 3, "`foo` is not known here"),
        ("evidence == 1", 1, 1, "`evidence` is not known here"),
        ("history.size() == 0", 1, 1, "`history` is not known here"),
        ("release.annotations['x'] == 'y'", 1, 8, "undefined field 'annotations'"),
        ("1 +", 1, 4, "Syntax error"),
        ("", 1, 1, "empty"),
        (" \n", 1, 1, "empty"),
        ("evidence.custom.x == 1", 1, 9, 'evidence.custom["domain/name"]'),
        ("[1].all(evidence, true)", 1, 8, "`evidence`"),
        ("[1].all(release, true)", 1, 8, "`release`"),
        ("[1].exists(variables, true)", 1, 11, "`variables`"),
    ],
)
def test_a_problem_has_its_place(expression: str, line: int, column: int, part: str) -> None:
    problem = problems(expression)[0]
    assert (problem.field, problem.line, problem.column) == ("expect", line, column)
    assert part in problem.problem


def test_all_problems_come_at_once() -> None:
    found = problems("foo", when="bar", message="baz", variables=[("v", "qux")])
    assert [problem.field for problem in found] == ["variables.v", "when", "expect", "message"]


@pytest.mark.parametrize(
    "expression",
    [
        "type(1) == int",
        "dyn(1) == 1",
        "bytes('a') == b'a'",
        "'a'.replace('a', 'bb') == ''",
        "'a'.split('').size() == 1",
        "['a'].join(',') == 'a'",
        "strings.quote('a') == 'a'",
        "'a'.reverse() == 'a'",
        "lists.range(10).size() == 10",
        "[1] + [2] == [1, 2]",
        "b'a' + b'b' == b'ab'",
        "release_passport.v1.MetricSample{} == release_passport.v1.MetricSample{}",
        "google.protobuf.Timestamp{seconds: 1} < now",
        "cel.bind(x, 1, x == 1)",
        "math.bitAnd(1, 1) == 1",
    ],
)
def test_a_function_that_rules_do_not_need_is_refused(expression: str) -> None:
    assert isinstance(problems(expression, strict=False)[0], ExpressionProblem)


def test_variables_are_read_by_their_qualified_names_in_order() -> None:
    variables = [
        ("sample", "evidence.metric_sample"),
        ("limit", "variables.sample.baseline_value * 1.5"),
        ("ok", "variables.sample.value <= variables.limit"),
        ("recent", "now - duration('1h') < now"),
    ]
    facts = pb.MetricSample(value=140.0, baseline_value=100.0)
    compiled = rule("variables.ok && variables.recent && variables.limit > 149", variables=variables)
    assert compiled.expect(context(metric_sample=facts)) is True
    assert compiled.reads_now
    assert compiled.evidence_kinds == {"metric_sample"}


def test_what_a_variable_reads_must_be_present() -> None:
    variables = [
        ("sample", "evidence.metric_sample"),
        ("bad", "evidence.vulnerability_scan.findings.filter(f, f.severity == 6)"),
    ]
    facts = pb.VulnerabilityScan()
    facts.findings.add(severity=5)
    given = context(metric_sample=pb.MetricSample(value=1.0), vulnerability_scan=facts)

    def answer(expression: str) -> object:
        return rule(expression, variables=variables).expect(given)

    assert answer("variables.sample.value < 2") is True
    assert answer("!variables.sample.no_data") == MissingFact("evidence.metric_sample.no_data")
    assert answer("size(variables.bad) == 0") is True
    absent = MissingFact("evidence.vulnerability_scan.findings[0].fixed_version")
    assert answer("variables.bad.all(f, f.fixed_version != '')") == absent


@pytest.mark.parametrize(
    "variables",
    [
        [("A", "1")],
        [("a.b", "1")],
        [("a", "1"), ("a", "2")],
        [("", "1")],
        [("a", "variables.b"), ("b", "1")],
        [("a", "variables.a")],
        [(f"v{n}", "1") for n in range(33)],
    ],
)
def test_names_and_order_of_variables_are_checked(variables: list[tuple[str, str]]) -> None:
    assert problems(variables=variables)[0].field.startswith("variables")
