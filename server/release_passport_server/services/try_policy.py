"""Decide the cases that come with a policy, with this policy and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from release_passport_server.domain.access import Principal, Verb
from release_passport_server.domain.catalog import PolicyDocument
from release_passport_server.domain.errors import Violation, invalid
from release_passport_server.domain.policy_case import PolicyCase, PolicyCaseResult, run_policy_tests
from release_passport_server.ports.access import Authorizer
from release_passport_server.ports.policies import PolicyCompiler

# Rules times artifacts of all cases: more would hold a processor for seconds.
MAX_WORK = 20_000
_UNSET = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class TryPolicy:
    """Tests a policy before it counts; nothing is stored and no stored evidence is read."""

    access: Authorizer
    compiler: PolicyCompiler

    async def __call__(
        self, principal: Principal, policy_id: str, spec: object, cases: Sequence[PolicyCase]
    ) -> tuple[PolicyCaseResult, ...]:
        """Return how each case came out; raise Invalid `POLICY_INVALID` for a policy that does not compile."""
        self.access.require_somewhere(principal, Verb.POLICIES)
        document = PolicyDocument(policy_id, 0, self.compiler.digest(spec), spec, "", _UNSET, _UNSET)
        return await asyncio.to_thread(self._run, document, cases)

    def _run(self, document: PolicyDocument, cases: Sequence[PolicyCase]) -> tuple[PolicyCaseResult, ...]:
        policy = self.compiler.compile(document)
        work = len(policy.rules) * sum(len(given.case.release.identity.artifacts) for given in cases)
        if work > MAX_WORK:
            text = f"ask for {work} answers of rules about artifacts; test at most {MAX_WORK} at once"
            raise invalid([Violation("cases", text)])
        return run_policy_tests(policy, cases)
