"""The port to whatever compiles a rule's expressions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from release_passport_server.domain.expression import CompiledRule, ExpressionProblem


@dataclass(frozen=True, slots=True)
class NeedOptions:
    """What a rule's need says that matters to its expressions."""

    allow_empty: bool = False


class ExpressionCompiler(Protocol):
    """Compiles and type-checks the expressions of a rule."""

    def compile_rule(
        self,
        *,
        when: str,
        expect: str,
        message: str,
        variables: Sequence[tuple[str, str]],
        needs: Mapping[str, NeedOptions],
        strict: bool,
    ) -> CompiledRule | list[ExpressionProblem]:
        """Return the compiled rule, or all that is wrong with its expressions.

        `needs` maps each evidence kind that the rule lists; `strict` says that the policy's mode is ENFORCE.
        """
        ...
