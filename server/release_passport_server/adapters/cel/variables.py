"""A policy's variables: compiled in order, each with those before it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cel_expr_python import cel
from google.protobuf.descriptor import Descriptor

from release_passport_server.adapters.cel.analysis import VARIABLE, Analysis, Rules, analyse
from release_passport_server.adapters.cel.environment import environment
from release_passport_server.adapters.cel.limits import Measure, measure
from release_passport_server.adapters.cel.shape import Shape
from release_passport_server.adapters.cel.source import Source, compile_source
from release_passport_server.domain.expression import ExpressionProblem

MAX_VARIABLES = 32
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


@dataclass(slots=True)
class Variables:
    """Compiled variables, and the environment in which an expression can read them as `variables.<name>`."""

    env: cel.Env
    sources: dict[str, Source] = field(default_factory=dict)
    analyses: dict[str, Analysis] = field(default_factory=dict)
    measures: dict[str, Measure] = field(default_factory=dict)
    problems: list[ExpressionProblem] = field(default_factory=list)


def compile_variables(
    pairs: Sequence[tuple[str, str]],
    base: cel.Env,
    kinds: Mapping[str, Descriptor],
    shapes: Mapping[str, Shape],
    *,
    strict: bool,
) -> Variables:
    """Return the variables with all that is wrong with them."""
    found = Variables(base)
    declared: dict[str, cel.Type] = {}
    pending: dict[str, cel.Type] = {}
    if len(pairs) > MAX_VARIABLES:
        found.problems.append(
            ExpressionProblem("variables", 1, 1, f"there are more than {MAX_VARIABLES} variables")
        )
        return found
    for name, text in pairs:
        field_path = VARIABLE + name[:63]
        if not _NAME.fullmatch(name) or name in found.sources:
            problem = "a variable's name is [a-z][a-z0-9_]{0,62}, and each name is used once"
            found.problems.append(ExpressionProblem(field_path, 1, 1, problem))
            continue
        if pending and VARIABLE.rstrip(".") in text:
            # The first compilation in an environment is slow, so there is a new one only where it is needed.
            declared |= pending
            pending = {}
            found.env = environment(kinds, declared)
        source = compile_source(found.env, field_path, text)
        if isinstance(source, list):
            found.problems += source
            continue
        analysis = analyse(source.checked, shapes, found.analyses, Rules(strict))
        size = measure(source.checked, found.measures)
        found.problems += [source.problem(*problem) for problem in analysis.problems + size.problems]
        found.sources[name], found.analyses[name], found.measures[name] = source, analysis, size
        pending[VARIABLE + name] = source.type
    if pending:
        found.env = environment(kinds, declared | pending)
    return found
