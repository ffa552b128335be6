"""Rules and contexts for tests of the CEL adapter."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import cache

from release_passport.v1 import rule_context_pb2
from release_passport_server.adapters.cel.compiler import CELCompiler
from release_passport_server.adapters.cel.environment import built_in_kinds
from release_passport_server.domain.expression import (
    CompiledRule,
    ExpressionContext,
    ExpressionFailure,
    ExpressionProblem,
    MissingFact,
)
from release_passport_server.ports.expressions import NeedOptions

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
CUSTOM = "custom:acme.example/load-test"
LOAD_TEST = 'evidence.custom["acme.example/load-test"]'
ALL_KINDS = (*built_in_kinds(), CUSTOM)

Answer = bool | MissingFact | ExpressionFailure


@cache
def compiler() -> CELCompiler:
    """Return one compiler for all tests."""
    return CELCompiler()


def compile_rule(
    expect: str = "true",
    *,
    when: str = "",
    message: str = "",
    variables: Sequence[tuple[str, str]] = (),
    needs: Iterable[str] = ALL_KINDS,
    strict: bool = True,
    allow_empty: bool = False,
) -> CompiledRule | list[ExpressionProblem]:
    """Compile a rule that needs every kind."""
    return compiler().compile_rule(
        when=when,
        expect=expect,
        message=message,
        variables=variables,
        needs={kind: NeedOptions(allow_empty) for kind in needs},
        strict=strict,
    )


def rule(expect: str = "true", **options: object) -> CompiledRule:
    """Compile a rule that must be accepted."""
    compiled = compile_rule(expect, **options)  # type: ignore[arg-type]
    assert isinstance(compiled, CompiledRule), compiled
    return compiled


def problems(expect: str = "true", **options: object) -> list[ExpressionProblem]:
    """Compile a rule that must be refused."""
    compiled = compile_rule(expect, **options)  # type: ignore[arg-type]
    assert isinstance(compiled, list), f"accepted: {expect}"
    assert compiled
    return compiled


def context(attempt: object | None = None, **evidence: object) -> ExpressionContext:
    """Return a context with evidence by kind; `custom` is the custom kind."""
    items = {CUSTOM if kind == "custom" else kind: facts for kind, facts in evidence.items()}
    release = rule_context_pb2.RuleRelease(
        service="checkout", environment="production", version="1.2.3", service_labels={"tier": "1"}
    )
    return ExpressionContext(release, attempt, NOW, items, {})


def ask(expect: str, **options: object) -> Answer:
    """Compile and evaluate; options of the compiler are told from evidence by their names."""
    known = ("variables", "strict", "allow_empty")
    compiling = {name: options.pop(name) for name in known if name in options}
    return rule(expect, **compiling).expect(context(**options))
