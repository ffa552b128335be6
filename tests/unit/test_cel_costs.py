"""What would take long on the largest evidence is refused, however ordinary each part of it looks."""

from __future__ import annotations

import pytest

from release_passport_server.adapters.cel.regex import steady
from support.cel_rules import LOAD_TEST, problems, rule

FINDINGS = "evidence.vulnerability_scan.findings"
LICENSES = "evidence.sbom.licenses"
TITLE = "evidence.change_ticket.title"
ID = "evidence.change_ticket.id"
LONG = [("long", f"({'+'.join([TITLE] * 8)}) + ({'+'.join([TITLE] * 8)})")]
EXPLODING = "[ab]*a[ab]{60}c"


@pytest.mark.parametrize(
    "expression",
    [
        f"{LICENSES}.all(t, {LICENSES} == {LICENSES})",
        f"{LICENSES}.all(t, {LICENSES} != {LICENSES}.filter(x, true))",
        f"{LOAD_TEST}.list.all(t, {LOAD_TEST}.list == {LOAD_TEST}.other)",
        f"{LICENSES}.all(t, !{TITLE}.contains({ID}))",
        f"{LICENSES}.all(t, {TITLE}.indexOf({ID}) < 0)",
        f"{LICENSES}.all(t, {FINDINGS}.all(f, {TITLE} != t && {ID} != t && {TITLE} != f.id && {ID} != f.id))",
        f"{LICENSES}.all(t, {FINDINGS}.all(f, {LOAD_TEST}.a > 1.0 && {LOAD_TEST}.b > 1.0))",
        f"{LICENSES}.all(t, math.greatest({LOAD_TEST}.list) > 0.0)",
        f"{LICENSES}.all(t, t.matches('{EXPLODING}'))",
        f"{LICENSES}.all(t, {TITLE}.matches('^[ab]{{20}}'))",
        " && ".join([f"!{TITLE}.matches('{EXPLODING}')"] * 9),
        f"{LICENSES}.map(t, {TITLE}).all(t, t.matches('[a-z]{{8}}c'))",
    ],
)
def test_what_takes_long_on_large_evidence_is_refused(expression: str) -> None:
    [problem] = problems(expression)
    assert "could take too long on large evidence" in problem.problem


@pytest.mark.parametrize(
    "expression",
    [
        f"{FINDINGS}.all(f, f.id in {LICENSES})",
        f"{FINDINGS}.all(f, {LICENSES}.exists(t, f.id in {LICENSES}))",
    ],
)
def test_looking_through_a_list_for_each_entry_is_refused(expression: str) -> None:
    [problem] = problems(expression, strict=False)
    assert "could take too long on large evidence" in problem.problem


@pytest.mark.parametrize(
    "expression",
    [
        f"{LICENSES}.all(t, variables.long.size() > 0 && variables.long.trim() != t)",
        f"{LICENSES}.all(t, !variables.long.contains(t))",
        " && ".join(["!variables.long.contains(variables.long)"] * 3),
        f"!variables.long.matches('{EXPLODING}')",
    ],
)
def test_a_long_text_counts_as_often_as_it_is_longer_than_evidence(expression: str) -> None:
    [problem] = problems(expression, variables=LONG)
    assert "could take too long on large evidence" in problem.problem
    assert rule("variables.long.size() > 0", variables=LONG).expect.source


def test_a_text_that_is_put_together_has_a_greatest_length() -> None:
    doubled = [*LONG, ("longer", "variables.long + variables.long + variables.long")]
    problem = problems("variables.longer != ''", variables=doubled)[0]
    assert "too large" in problem.problem
    assert problem.field == "variables.longer"
    shown = f"'%s %s %s'.format([{LICENSES}, {LICENSES}, {TITLE}]) != ''"
    assert "too large" in problems(shown)[0].problem


@pytest.mark.parametrize(
    "expression",
    [
        f"{LICENSES} == {LICENSES}",
        f"{LOAD_TEST}.list.all(f, f.a == {LOAD_TEST}.a && f.b == 'x')",
        f"{LICENSES}.all(t, !(t in ['GPL-3.0', 'AGPL-3.0']) && !t.contains('proprietary'))",
        f"{FINDINGS}.all(f, evidence.policy_report.results.exists(r, r.rule == f.id))",
        f"{FINDINGS}.filter(f, f.severity == 6).all(f, f.id.matches('^CVE-[0-9]{{4}}-[0-9]+$'))",
        "evidence.rollout_status.canary_image_digests.all(d, d.matches('^sha256:[0-9a-f]{64}$'))",
        f"'%s by %s: %s'.format([{TITLE}, {ID}, {LICENSES}]).size() > 0",
    ],
)
def test_ordinary_loops_are_accepted(expression: str) -> None:
    assert rule(expression).expect.source == expression


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("^sha256:[0-9a-f]{64}$", True),
        ("sha256:[0-9a-f]{64}$", False),
        ("^CVE-[0-9]{4}-[0-9]+$", True),
        ("^a*b$", False),
        ("^(a|b)$", False),
        ("^a{1,2}$", False),
        ("^a{2}[.]b$", True),
    ],
)
def test_a_steady_pattern_has_one_way_to_go_on(pattern: str, expected: bool) -> None:
    assert steady(pattern) is expected
