"""Compile the expressions of a rule, once for each content."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from cel_expr_python import cel

from release_passport_server.adapters.cel.analysis import Analysis, Rules, analyse, use_result
from release_passport_server.adapters.cel.environment import built_in_kinds, environment
from release_passport_server.adapters.cel.limits import measure
from release_passport_server.adapters.cel.link import link
from release_passport_server.adapters.cel.path import path_of
from release_passport_server.adapters.cel.presence import compile_presence
from release_passport_server.adapters.cel.program import CELCondition, CELText, Program
from release_passport_server.adapters.cel.runtime import Runtime
from release_passport_server.adapters.cel.shape import shape_of_message
from release_passport_server.adapters.cel.source import Source, compile_source
from release_passport_server.adapters.cel.variables import Variables, compile_variables
from release_passport_server.domain.expression import CompiledRule, ExpressionProblem
from release_passport_server.ports.expressions import NeedOptions

_CACHED = 4096


@dataclass(frozen=True, slots=True)
class _RuleText:
    """The content of a rule as far as its expressions go: the key of the cache."""

    when: str
    expect: str
    message: str
    variables: tuple[tuple[str, str], ...]
    needs: tuple[tuple[str, bool], ...]
    strict: bool


@dataclass(frozen=True, slots=True)
class _Expression:
    """One field of a rule, with the type that it must give and how it may read."""

    field: str
    text: str
    type: cel.Type
    rules: Rules


class CELCompiler:
    """Compiles rules; the same content is compiled once.

    A rule reads a policy's variable `x` as `variables.x`. A variable may read those before it.
    """

    def __init__(self) -> None:
        """Declare every kind of evidence."""
        self._kinds = built_in_kinds()
        self._shapes = {kind: shape_of_message(message) for kind, message in self._kinds.items()}
        self._env = environment(self._kinds, {})
        self._runtime = Runtime(self._env, self._kinds)
        self._rule = lru_cache(_CACHED)(self._compile_rule)
        self._variables = lru_cache(_CACHED)(self._compile_variables)

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
        wanted = tuple((kind, options.allow_empty) for kind, options in sorted(needs.items()))
        compiled = self._rule(_RuleText(when, expect, message, tuple(variables), wanted, strict))
        return list(compiled) if isinstance(compiled, tuple) else compiled

    def _compile_rule(self, rule: _RuleText) -> CompiledRule | tuple[ExpressionProblem, ...]:
        variables = self._variables(rule.variables, rule.strict)
        needs = dict(rule.needs)
        problems = list(variables.problems)
        programs: dict[str, Program] = {}
        analyses: list[Analysis] = []
        for expression in _expressions(rule):
            compiled = self._compile(expression, variables, needs)
            if isinstance(compiled, list):
                problems += compiled
                continue
            programs[expression.field], analysis = compiled
            if expression.field != "message":
                analyses.append(analysis)
        if problems:
            return tuple(problems)
        return CompiledRule(
            when=CELCondition(programs["when"]) if "when" in programs else None,
            expect=CELCondition(programs["expect"]),
            message=CELText(programs["message"]) if "message" in programs else None,
            evidence_kinds=frozenset(kind for analysis in analyses for kind in analysis.kinds),
            reads_now=any(analysis.reads_now for analysis in analyses),
        )

    def _compile(
        self, expression: _Expression, variables: Variables, needs: Mapping[str, bool]
    ) -> tuple[Program, Analysis] | list[ExpressionProblem]:
        source = compile_source(variables.env, expression.field, expression.text)
        if isinstance(source, list):
            return source
        analysis = analyse(source.checked, self._shapes, variables.analyses, expression.rules)
        use_result(analysis, source.checked.root.id)
        problems = [
            *analysis.problems,
            *measure(source.checked, variables.measures).problems,
            *(_need_problems(analysis, needs) if expression.rules.evidence else ()),
            *_type_problems(source, expression.type),
        ]
        if problems:
            return [source.problem(*problem) for problem in problems]
        inlined = [(name, s.checked) for name, s in variables.sources.items() if name in analysis.variables]
        try:
            linked = self._env.deserialize(link(source.checked, inlined))
        except RuntimeError:
            problem = "the expression with its variables is nested too deeply; simplify it"
            return [source.problem(source.checked.root.id, problem)]
        required = analysis.required()
        presence = compile_presence(required, self._shapes, needs) if required else None
        return Program(source.text, linked, self._runtime, presence, analysis.reads_attempt), analysis

    def _compile_variables(self, pairs: tuple[tuple[str, str], ...], strict: bool) -> Variables:
        return compile_variables(pairs, self._env, self._kinds, self._shapes, strict=strict)


def _expressions(rule: _RuleText) -> list[_Expression]:
    given = [_Expression("expect", rule.expect, cel.Type.BOOL, Rules(rule.strict))]
    if rule.when:
        given.insert(0, _Expression("when", rule.when, cel.Type.BOOL, Rules(rule.strict, evidence=False)))
    if rule.message:
        # A message is shown and decides nothing, so it may ask what is there.
        given.append(_Expression("message", rule.message, cel.Type.STRING, Rules(strict=False)))
    return given


def _need_problems(analysis: Analysis, needs: Mapping[str, bool]) -> list[tuple[int, str]]:
    return [
        (node_id, f"{path_of(kind)} is read, and `{kind}` is not in the rule's needs")
        for kind, node_id in analysis.kinds.items()
        if kind not in needs
    ]


def _type_problems(source: Source, wanted: cel.Type) -> list[tuple[int, str]]:
    if source.type.name() == wanted.name():
        return []
    problem = f"the expression gives {_named(source.type)}; it must give {_named(wanted)}"
    return [(source.checked.root.id, problem)]


def _named(type_: cel.Type) -> str:
    names = {"BOOL": "true or false", "STRING": "text", "DYN": "a value of unknown type"}
    return names.get(type_.name(), f"a value of type {type_.name()}")
