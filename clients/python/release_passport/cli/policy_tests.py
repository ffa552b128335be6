"""Runs the tests of policies on the server, and shows what came out otherwise than expected."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from release_passport.cli.render.junit import Case, junit_xml
from release_passport.cli.render.machine import as_data, write_data
from release_passport.cli.render.screen import show
from release_passport.cli.render.text import Document, Span
from release_passport.cli.session import Session
from release_passport.v1 import policy_service_pb2

if TYPE_CHECKING:
    from release_passport.policy_file import PolicyDocument
    from release_passport.policy_test_file import PolicyTestFile
    from release_passport.strict_yaml import Place

_MAX_CASES = 200


def run_tests(session: Session, files: list[tuple[PolicyTestFile, PolicyDocument]], pattern: str) -> bool:
    """Write how each case came out, and say whether there was one and all passed."""
    shown = Document()
    cases: list[Case] = []
    data: list[dict[str, Any]] = []
    for tests, policy in files:
        for place, result in _results(session, tests, policy, pattern):
            where = f"{tests.file}:{place.line}"
            _add(shown, where, result)
            failure = "" if result.passed else "not as expected"
            cases.append(
                Case(policy.policy.policy_id, result.case_id, failure, "\n".join(result.differences))
            )
            data.append({"file": tests.file, "line": place.line, **as_data(result)})
    failed = sum(bool(case.failure) for case in cases)
    if session.output == "table":
        shown.add(_summary(len(cases), failed))
        show(shown)
    elif session.output == "junit":
        click.echo(junit_xml("policy tests", cases), nl=False)
    else:
        write_data(data, session.output)
    if not cases:
        session.warn("passport: no case was run; that is a failure, not a success")
    return bool(cases) and not failed


def _results(
    session: Session, tests: PolicyTestFile, policy: PolicyDocument, pattern: str
) -> Iterator[tuple[Place, policy_service_pb2.PolicyTestResult]]:
    chosen = [
        (case, place)
        for case, place in zip(tests.cases, tests.places, strict=True)
        if pattern.lower() in case.case_id.lower()
    ]
    for start in range(0, len(chosen), _MAX_CASES):
        part = chosen[start : start + _MAX_CASES]
        request = policy_service_pb2.TestPolicyRequest(policy=policy.policy, cases=[case for case, _ in part])
        results = {result.case_id: result for result in session.client.test_policy(request).results}
        for case, place in part:
            missing = policy_service_pb2.PolicyTestResult(
                case_id=case.case_id, differences=["the server gave no result for this case"]
            )
            yield place, results.get(case.case_id, missing)


def _add(shown: Document, where: str, result: policy_service_pb2.PolicyTestResult) -> None:
    if result.passed:
        shown.add(Span("✓ ", "ALLOW"), result.case_id)
        return
    shown.add(Span("✗ ", "BLOCK"), Span(result.case_id, "strong"), Span(f"  {where}", "dim"))
    for difference in result.differences:
        shown.add(difference, indent=4)
    if not result.differences:
        shown.add("the server did not say what differs", indent=4)


def _summary(count: int, failed: int) -> Span:
    if failed:
        return Span(f"{failed} of {count} cases failed", "BLOCK")
    return Span(f"{count} case{'s' * (count != 1)} passed", "ALLOW") if count else Span("no cases", "BLOCK")
