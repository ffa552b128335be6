"""Hostile expressions get a clear problem, and the process goes on."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from release_passport.v1 import evidence_pb2 as pb
from release_passport_server.adapters.cel.regex import weight
from release_passport_server.domain.expression import CompiledRule, ExpressionProblem
from support.cel_rules import ask, compile_rule, problems, rule

LIST = "evidence.vulnerability_scan.findings"
TAGS = "evidence.sbom.licenses"

BOMBS = {
    "parentheses": "(" * 2040 + "1" + ")" * 2040 + " == 1",
    "brackets": "[" * 2000 + "1" + "]" * 2000,
    "braces": "{" * 4000,
    "selections": "a" + ".a" * 2000,
    "fields": "evidence.metric_sample" + ".value" * 500,
    "ternaries": "true ? true : " * 250 + "true",
    "additions": "1" + "+1" * 1900 + " == 1",
    "comparisons": "1<" * 1300 + "1",
    "comprehensions": "[1].all(a," * 300 + "true" + ")" * 300,
    "three comprehensions": f"{LIST}.all(a,{LIST}.all(b,{LIST}.all(c, c.id == a.id)))",
    "quotes": '"' * 4001,
    "number": "1" * 4000 + " == 1",
    "too long": "true || " * 600 + "true",
    "nul": "1 == 1 \0 || true",
    "nul in text": "'a\0b' == 'a'",
    "surrogate": "'\ud800' == 'a'",
    "escape": "'\x1b[2J' == 'a'",
    "text that doubles": "['xxxxxxxxxx'].map(a, a+a+a+a).map(a, a+a+a+a).map(a, a+a+a+a).size() == 1",
    "lists that double": "[[1]].map(a, a+a+a).map(a, a+a+a).size() == 1",
    "format in a loop": "[1].map(a, '%d'.format([a])).size() == 1",
    "range": "lists.range(1000000).all(a, true)",
    "replace": "'a'.replace('', 'aaaa').replace('', 'aaaa').size() > 1",
    "pattern that is long": "'a'.matches('" + "a" * 300 + "')",
    "pattern that repeats": "'a'.matches('" + "(a|a?){30}" * 24 + "')",
    "pattern that multiplies": "'a'.matches('((a{100}){100}){100}')",
    "pattern that is wide": r"'a'.matches('\\pL{100}')",
    "pattern that is wrong": "'a'.matches('(')",
    "pattern from evidence": f"{TAGS}.all(t, 'x'.matches(t))",
    "pattern in a nested loop": f"{LIST}.all(f, {LIST}.all(g, f.id.matches('^CVE-[0-9]{{4}}$')))",
    "many filters": " && ".join([f"{LIST}.filter(f, f.id != 'x').size() > 1"] * 20),
    "filter in a loop": f"{LIST}.all(f, {LIST}.filter(g, g.id == f.id).size() == 1)",
    "much in a nested loop": f"{LIST}.all(f, {LIST}.all(g, " + " && ".join(["f.id == g.id"] * 100) + "))",
    "scans in a nested loop": f"{LIST}.all(f, {LIST}.all(g, "
    + " && ".join(["f.id.contains(g.id)"] * 9)
    + "))",
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_with_a_place(name: str) -> None:
    for field in ("expect", "when", "message"):
        given = BOMBS[name] if field != "message" else f"({BOMBS[name]}) ? 'a' : 'b'"
        found = problems(
            given if field == "expect" else "true", **({field: given} if field != "expect" else {})
        )
        assert {problem.field for problem in found} == {field}
        for problem in found:
            assert problem.line >= 1
            assert problem.column >= 1
            assert 0 < len(problem.problem) <= 400
            assert "\0" not in problem.problem
    assert ask("1 < 2") is True


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_as_a_variable(name: str) -> None:
    assert problems(variables=[("v", BOMBS[name])])[0].field == "variables.v"


def test_text_cannot_grow_through_variables() -> None:
    variables = [("v0", "evidence.change_ticket.title")]
    variables += [(f"v{n}", f"variables.v{n - 1} + variables.v{n - 1}") for n in range(1, 32)]
    found = problems("variables.v31 == ''", variables=variables)
    assert "too large" in found[0].problem


def test_comprehensions_cannot_be_nested_through_variables() -> None:
    variables = [("some", f"{LIST}.all(a, {LIST}.all(b, a.id == b.id))")]
    [problem] = problems(f"{LIST}.all(c, variables.some)", variables=variables)
    assert "nested 2 deep" in problem.problem


def test_many_variables_around_each_other_are_refused_or_run() -> None:
    variables = [("v0", "evidence.metric_sample.value")]
    variables += [(f"v{n}", f"variables.v{n - 1} + 1.0") for n in range(1, 32)]
    compiled = compile_rule("variables.v31 > 30", variables=variables)
    if isinstance(compiled, CompiledRule):
        assert ask("variables.v31 > 30", variables=variables, metric_sample=pb.MetricSample(value=1)) is True
    else:
        assert "nested too deeply" in compiled[0].problem


@pytest.mark.parametrize(
    "expression",
    [
        f"{LIST}.all(f, f.severity != 6 || f.fixed_version == '')",
        f"{LIST}.filter(f, f.severity == 6).size() < 3",
        f"{LIST}.filter(f, f.severity == 6).all(f, f.known_exploited == false)",
        f"{LIST}.map(f, f.id) == ['CVE-2026-1']",
        f"{LIST}.all(f, evidence.policy_report.results.exists(r, r.rule == f.id))",
        "evidence.gitops_sync.image_digests.all(d, d.matches('^sha256:[0-9a-f]{64}$'))",
        "evidence.provenance.source_ref.matches('^refs/(heads/main|tags/v[0-9]+[.][0-9]+[.][0-9]+)$')",
        " && ".join(["evidence.metric_sample.value < 500"] * 100),
        "'%s is at %.2f'.format([release.service, evidence.metric_sample.value]) != ''",
        "(" * 20 + "true" + ")" * 20,
    ],
)
def test_ordinary_expressions_are_accepted(expression: str) -> None:
    assert rule(expression).expect.source == expression


@pytest.mark.parametrize(
    ("pattern", "least", "most"),
    [
        ("abc", 3, 3),
        ("^sha256:[0-9a-f]{64}$", 64, 90),
        ("(a|b){10}", 40, 60),
        ("((a{10}){10}){10}", 1000, 2000),
        ("a{1,}", 1, 3),
        ("[]a]{5}", 5, 10),
        (r"\pL", 300, 400),
        (r"\pL{3}", 900, 1300),
        (r"\p{Greek}{3}", 900, 1300),
        (r"\x{10FFFF}{3}", 12, 20),
        ("a{1,64}", 120, 140),
        (r"[\pL\pN]{3}", 900, 2500),
        ("a{", 2, 2),
        (")", 1, 1),
        ("(", 0, 1),
        ("[", 1, 4),
        ("\\", 1, 4),
        ("", 0, 0),
    ],
)
def test_the_weight_of_a_pattern(pattern: str, least: int, most: int) -> None:
    assert least <= weight(pattern) <= most


PIECES = st.sampled_from(
    [
        *(
            "evidence.metric_sample",
            ".value",
            "evidence.custom",
            "['a/b']",
            "release",
            "now",
            "attempt",
            "variables.x",
        ),
        *(
            "has(",
            "size(",
            "(",
            ")",
            "[",
            "]",
            "{",
            "}",
            ".all(x, ",
            ".map(x, ",
            ".filter(x, ",
            ".exists(x, ",
            "x",
        ),
        *(
            "&&",
            "||",
            "!",
            "?",
            ":",
            "==",
            "!=",
            "<",
            "+",
            "-",
            "in",
            "1",
            "1.5",
            "'a'",
            "true",
            "null",
            ",",
            ".",
        ),
        *(
            "\0",
            "\n",
            "é",
            "😀",
            "\\",
            '"',
            "matches('a{9}')",
            "b'a'",
            "1u",
            "@result",
            "__result__",
            "\ud800",
        ),
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=30).map(" ".join) | st.text(max_size=80))
def test_any_text_is_compiled_or_refused(text: str) -> None:
    compiled = compile_rule(text, strict=False, variables=[("x", "evidence.metric_sample")])
    if isinstance(compiled, list):
        assert all(isinstance(problem, ExpressionProblem) for problem in compiled)
    else:
        assert compiled.expect.source == text
