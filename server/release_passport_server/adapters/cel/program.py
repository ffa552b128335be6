"""A compiled expression as the domain calls it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cel_expr_python import cel

from release_passport_server.adapters.cel.runtime import MAX_TEXT, Runtime, detail, typed
from release_passport_server.domain.expression import ExpressionContext, ExpressionFailure, MissingFact


@dataclass(frozen=True, slots=True)
class Program:
    """An expression with what must be present before it is evaluated."""

    source: str
    expression: cel.Expression
    runtime: Runtime
    presence: Callable[[Mapping[str, object]], str | None] | None
    reads_attempt: bool

    def run(self, context: ExpressionContext) -> bool | str | MissingFact | ExpressionFailure:
        """Return the value, or the first path that is absent, or why there is no value."""
        if self.presence is not None:
            try:
                missing = self.presence(context.evidence)
            except (AttributeError, TypeError, ValueError, KeyError):
                return ExpressionFailure("evidence is not of its kind's type")
            if missing is not None:
                return MissingFact(missing)
        if self.reads_attempt and context.attempt is None:
            return ExpressionFailure("it reads `attempt`, and no attempt is open")
        try:
            activation = context.scratch.get(self.runtime)
            if activation is None:
                activation = context.scratch[self.runtime] = self.runtime.activation(context)
            result = self.expression.eval(activation)
            value = result.value()
            # Nothing but a boolean has one of these two as its value.
            return value if value is True or value is False else typed(result, value)
        except (RuntimeError, MemoryError, TypeError, ValueError, OverflowError, AttributeError) as error:
            # Budget overruns and exhausted memory are raised, everything else is a value.
            return ExpressionFailure(detail(str(error)))


class CELCondition:
    """A boolean expression; anything but true and false is a reason why there is no answer."""

    __slots__ = ("_run", "source")

    def __init__(self, program: Program) -> None:
        """Take a program whose checked type is bool."""
        self._run = program.run
        self.source = program.source

    def __call__(self, context: ExpressionContext) -> bool | MissingFact | ExpressionFailure:
        """Return the answer, the first path that is not present, or why there is no answer."""
        result = self._run(context)
        if isinstance(result, str):
            return ExpressionFailure("it gave text where true or false was wanted")
        return result


class CELText:
    """A text expression, cut where it would be longer than a stored string may be."""

    __slots__ = ("_program", "source")

    def __init__(self, program: Program) -> None:
        """Take a program whose checked type is string."""
        self._program = program
        self.source = program.source

    def __call__(self, context: ExpressionContext) -> str | ExpressionFailure:
        """Return the text, or why there is none."""
        result = self._program.run(context)
        if isinstance(result, MissingFact):
            return ExpressionFailure(f"{result.path} is not present")
        if isinstance(result, bool):
            return ExpressionFailure("it gave true or false where text was wanted")
        if isinstance(result, str) and len(result.encode()) > MAX_TEXT:
            return result.encode()[: MAX_TEXT - 3].decode(errors="ignore") + "…"
        return result
