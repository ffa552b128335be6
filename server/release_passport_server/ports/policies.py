"""What services need to turn a policy document into rules that can be judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from release_passport_server.domain.catalog import PolicyDocument
from release_passport_server.domain.expression import ExpressionProblem
from release_passport_server.domain.policy import Match, Policy
from release_passport_server.domain.verdict import Mode


@dataclass(frozen=True, slots=True)
class PolicyOutline:
    """Where a policy applies and how much it says, known without compiling it."""

    mode: Mode
    match: Match


class PolicyCompiler(Protocol):
    """Checks and compiles policies; a compiled revision is kept. Methods use the processor and touch nothing else."""

    def compile(self, document: PolicyDocument) -> Policy:
        """Return the policy ready to be judged; raise Invalid `POLICY_INVALID` with every problem."""
        ...

    def check(self, spec: object) -> tuple[ExpressionProblem, ...]:
        """Return every problem of a spec; none means that it compiles."""
        ...

    def warnings(self, spec: object) -> tuple[str, ...]:
        """Return what weakens a spec, in words."""
        ...

    def weakenings(self, before: object, after: object | None) -> tuple[str, ...]:
        """Return what a change takes back of what a policy asks, in words; no spec means that it is deleted."""
        ...

    def digest(self, spec: object) -> str:
        """Return the digest of a spec's canonical form."""
        ...

    def outline(self, spec: object) -> PolicyOutline:
        """Return where a checked spec applies."""
        ...

    def written(self, spec: object) -> bytes:
        """Return a spec as it is kept."""
        ...

    def read(self, body: bytes) -> object:
        """Return the spec that was kept."""
        ...
