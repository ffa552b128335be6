"""What a rule's expression is to the domain: something compiled elsewhere that answers, or says what it lacks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class MissingFact:
    """A path that the expression reads is not present in the evidence, so nothing was evaluated."""

    path: str


@dataclass(frozen=True, slots=True)
class ExpressionFailure:
    """The expression could not be evaluated: an error, an exhausted budget, or a wrong type."""

    detail: str


@dataclass(frozen=True, slots=True)
class ExpressionContext:
    """The values that an expression may read.

    `release` and `attempt` are RuleContext messages; `evidence` maps a kind to its facts message.
    `scratch` belongs to the adapter, which may keep its prepared activation there.
    """

    release: object
    attempt: object | None
    now: datetime
    evidence: Mapping[str, object]
    scratch: dict[object, object]


class Condition(Protocol):
    """A compiled boolean expression."""

    @property
    def source(self) -> str:
        """Return the expression as its author wrote it."""
        ...

    def __call__(self, context: ExpressionContext) -> bool | MissingFact | ExpressionFailure:
        """Return the answer, the first path that is not present, or why there is no answer."""
        ...


class Text(Protocol):
    """A compiled string expression, such as a rule's message."""

    @property
    def source(self) -> str:
        """Return the expression as its author wrote it."""
        ...

    def __call__(self, context: ExpressionContext) -> str | ExpressionFailure:
        """Return the text, or why there is none."""
        ...


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule's expressions, type-checked, and what they read."""

    when: Condition | None
    expect: Condition
    message: Text | None
    evidence_kinds: frozenset[str]
    reads_now: bool


@dataclass(frozen=True, slots=True)
class ExpressionProblem:
    """Why an expression was refused, with its place: `field` is `expect`, `when`, `message` or `variables.x`."""

    field: str
    line: int
    column: int
    problem: str
