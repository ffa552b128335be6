"""Runs the tests beside a policy without a server, with the engine and the compiler that the server has."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from release_passport.policy_file import load_policy_file
from release_passport.policy_test_file import load_policy_test_file
from release_passport_server.adapters.cel.compiler import CELCompiler
from release_passport_server.adapters.cel.policies import CELPolicies
from release_passport_server.domain.catalog import PolicyDocument
from release_passport_server.domain.policy_case import PolicyCaseResult, run_policy_tests
from release_passport_server.wire.policy_cases import policy_cases

TENANT = "acme"
_TIME = datetime(2026, 1, 1, tzinfo=UTC)


@cache
def policies() -> CELPolicies:
    """Return the compiler; making one takes a while."""
    return CELPolicies(CELCompiler())


def run(policy_file: Path) -> tuple[PolicyCaseResult, ...]:
    """Return how the cases of `<name>_test.yaml` beside a policy come out."""
    tests = load_policy_test_file(policy_file.with_name(f"{policy_file.stem}_test.yaml"))
    policy = load_policy_file(policy_file)
    compiler = policies()
    document = PolicyDocument(
        policy.policy_id, 1, compiler.digest(policy.spec), policy.spec, "user:test", _TIME, _TIME
    )
    return run_policy_tests(compiler.compile(document), policy_cases(TENANT, tests.cases))
