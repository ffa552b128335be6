"""Compile the expressions of a rule, once for each content."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from cel_expr_python import cel

from release_passport_server.adapters.cel.analysis import VARIABLE, Analysis, Rules, analyse, use_result
from release_passport_server.adapters.cel.environment import built_in_kinds, environment
from release_passport_server.adapters.cel.limits import Measure, measure
from release_passport_server.adapters.cel.link import link
from release_passport_server.adapters.cel.path import path_of
from release_passport_server.adapters.cel.presence import compile_presence
from release_passport_server.adapters.cel.program import CELCondition, CELText, Program
from release_passport_server.adapters.cel.runtime import Runtime
from release_passport_server.adapters.cel.shape import shape_of_message
from release_passport_server.adapters.cel.source import Source, compile_source
from release_passport_server.domain.expression import CompiledRule, ExpressionProblem
from release_passport_server.ports.expressions import NeedOptions

MAX_VARIABLES = 32
_CACHED = 4096
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _Variables:
    """The variables of a policy, compiled in order, and the environment in which a rule can read them."""

    env: cel.Env
    sources: dict[str, Source]
    analyses: dict[str, Analysis]
    measures: dict[str, Measure]
    problems: tuple[ExpressionProblem, ...]


@dataclass(frozen=True, slots=True)
class _Compiled:
    """One expression with what it reads."""

    source: Source
    analysis: Analysis
    linked: bytes


class CELCompiler:
    """Compiles rules; the same content is compiled once.

    A rule reads a policy's variable `x` as `variables.x`. A variable may read those before it.
    """

    def __init__(self) -> None:
        """Declare every kind of evidence."""
        self._kinds = built_in_kinds()
        self._shapes = {kind: shape_of_message(message) for kind, message in self._kinds.items()}
        self._env = environment(self._kinds, {})
        self._runtime = Runtime(self._env, {kind: message.full_name for kind, message in self._kinds.items()})
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
        compiled = self._rule(when, expect, message, tuple(variables), wanted, strict)
        return list(compiled) if isinstance(compiled, tuple) else compiled

    def _compile_rule(
        self,
        when: str,
        expect: str,
        message: str,
        pairs: Pairs,
        wanted: tuple[tuple[str, bool], ...],
        strict: bool,
    ) -> CompiledRule | tuple[ExpressionProblem, ...]:
        variables = self._variables(pairs, strict)
        needs = dict(wanted)
        problems = list(variables.problems)

        def compiled(field: str, text: str, wants: cel.Type, rules: Rules) -> _Compiled | None:
            result = self._compile(field, text, variables, wants, rules, needs)
            if isinstance(result, _Compiled):
                return result
            problems.extend(result)
            return None

        parts = (
            compiled("when", when, cel.Type.BOOL, Rules(strict, evidence=False)) if when else None,
            compiled("expect", expect, cel.Type.BOOL, Rules(strict)),
            compiled("message", message, cel.Type.STRING, Rules(strict=False)) if message else None,
        )
        if problems or parts[1] is None:
            return tuple(problems)
        when_part, expect_part, message_part = parts
        return CompiledRule(
            when=CELCondition(self._program(when_part, needs)) if when_part else None,
            expect=CELCondition(self._program(expect_part, needs)),
            message=CELText(self._program(message_part, needs)) if message_part else None,
            evidence_kinds=frozenset(expect_part.analysis.kinds),
            reads_now=any(part.analysis.reads_now for part in (when_part, expect_part) if part),
        )

    def _program(self, compiled: _Compiled, needs: Mapping[str, bool]) -> Program:
        required = compiled.analysis.required()
        presence = compile_presence(required, self._shapes, needs) if required else None
        return Program(
            compiled.source.text,
            self._env.deserialize(compiled.linked),
            self._runtime,
            presence,
            compiled.analysis.reads_attempt,
        )

    def _compile(
        self,
        field: str,
        text: str,
        variables: _Variables,
        wants: cel.Type,
        rules: Rules,
        needs: Mapping[str, bool],
    ) -> _Compiled | list[ExpressionProblem]:
        source = compile_source(variables.env, field, text)
        if isinstance(source, list):
            return source
        analysis = analyse(source.checked, self._shapes, variables.analyses, rules)
        use_result(analysis, source.checked.root.id)
        problems = analysis.problems + measure(source.checked, variables.measures).problems
        root = source.checked.root.id
        problems += [
            (root, f"{path_of(kind)} is read and `{kind}` is not in the rule's needs")
            for kind in sorted(analysis.kinds - needs.keys())
            if rules.evidence
        ]
        if source.type.name() != wants.name():
            problems.append(
                (root, f"the expression gives {_named(source.type)}, it must give {_named(wants)}")
            )
        if problems:
            return [source.problem(node_id, problem) for node_id, problem in problems]
        linked = link(
            source.checked, [(n, s.checked) for n, s in variables.sources.items() if n in analysis.variables]
        )
        try:
            self._env.deserialize(linked)
        except RuntimeError:
            return [
                source.problem(
                    root, "the expression with its variables is nested too deeply; make it simpler"
                )
            ]
        return _Compiled(source, analysis, linked)

    def _compile_variables(self, pairs: Pairs, strict: bool) -> _Variables:
        found = _Variables(self._env, {}, {}, {}, ())
        if len(pairs) > MAX_VARIABLES:
            problem = ExpressionProblem("variables", 1, 1, f"there are more than {MAX_VARIABLES} variables")
            return _Variables(self._env, {}, {}, {}, (problem,))
        problems: list[ExpressionProblem] = []
        for name, text in pairs:
            field = VARIABLE + name
            if not _NAME.fullmatch(name) or name in found.sources:
                problem = "a variable's name is [a-z][a-z0-9_]{0,62} and is used once"
                problems.append(ExpressionProblem(VARIABLE + name[:63], 1, 1, problem))
                continue
            source = compile_source(found.env, field, text)
            if isinstance(source, list):
                problems += source
                continue
            analysis = analyse(source.checked, self._shapes, found.analyses, Rules(strict))
            size = measure(source.checked, found.measures)
            problems += [source.problem(node_id, text) for node_id, text in analysis.problems + size.problems]
            found.sources[name], found.analyses[name], found.measures[name] = source, analysis, size
            types = {VARIABLE + known: known_source.type for known, known_source in found.sources.items()}
            env = environment(self._kinds, types)
            found = _Variables(env, found.sources, found.analyses, found.measures, ())
        return _Variables(found.env, found.sources, found.analyses, found.measures, tuple(problems))


def _named(type_: cel.Type) -> str:
    names: dict[str, str] = {"BOOL": "true or false", "STRING": "text", "DYN": "a value of unknown type"}
    return names.get(type_.name(), f"a value of type {type_.name().lower()}")
