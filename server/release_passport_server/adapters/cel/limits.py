"""What an expression may be made of, and how much it may cost, judged before it is ever run.

The library stops an evaluation after 10,000 iterations; it bounds neither what one iteration does nor the memory that
strings take. So only known functions are let through, strings do not grow inside comprehensions, and an estimate of the
time on the largest accepted evidence (lists of 1,000 entries, strings of 4 KiB, 64 KiB in all) has a limit.
The figures were measured with cel-expr-python 0.1.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from release_passport_server.adapters.cel import regex
from release_passport_server.adapters.cel.analysis import VARIABLE
from release_passport_server.adapters.cel.checked import (
    Call,
    Checked,
    Comprehension,
    Const,
    Ident,
    ListLiteral,
    Node,
    StructLiteral,
    appended,
    children,
)

MAX_BYTES = 4096
MAX_DEPTH = 2
MAX_NODES = 5000
MAX_NANOSECONDS = 50_000_000

_ENTRIES = 1000
_ITERATIONS = 10_000
_NODE = 50
_SCAN = 4_000
_COPY = 20
# A regular expression is compiled at each call; running it costs as much as the text is long.
_REGEX_COMPILE = 550
_REGEX_RUN = 10_000

# fmt: off
_OPERATORS = frozenset({
    "_&&_", "_||_", "!_", "_?_:_", "_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_", "_+_", "_-_", "_*_", "_/_",
    "_%_", "-_", "_[_]", "@in", "@not_strictly_false",
})
_CHEAP = frozenset({
    "int", "uint", "double", "string", "bool", "timestamp", "duration", "startsWith", "endsWith", "charAt",
    "substring", "getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear",
    "getHours", "getMinutes", "getSeconds", "getMilliseconds", "math.@max", "math.@min", "math.abs",
    "math.ceil", "math.floor", "math.round",
})
_SCANNING = frozenset({
    "size", "contains", "matches", "lowerAscii", "upperAscii", "trim", "indexOf", "lastIndexOf", "format",
})
# fmt: on
FUNCTIONS = _OPERATORS | _CHEAP | _SCANNING
_TOO_SLOW = (
    "the expression could take too long on large evidence; use fewer or smaller comprehensions,"
    " prefer exists() and all() to filter() and map(), and keep matches() out of them"
)
_GROWING = frozenset({"add_string", "add_bytes", "add_list"})


@dataclass(slots=True)
class Measure:
    """What an expression amounts to together with the variables that it reads."""

    nodes: int = 0
    depth: int = 0
    own_nanoseconds: int = 0
    nanoseconds: int = 0
    variables: frozenset[str] = frozenset()
    problems: list[tuple[int, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _At:
    """Where a node stands: inside how many comprehensions, and how often it is evaluated."""

    depth: int = 0
    times: int = 1


def measure(checked: Checked, variables: Mapping[str, Measure]) -> Measure:
    """Return the measure of an expression, with a problem for each thing in it that is not allowed."""
    found = Measure()
    _visit(checked.root, _At(), checked, variables, found)
    # A variable is computed once, however often it is read.
    inherited = sum(variables[name].own_nanoseconds for name in found.variables)
    found.nanoseconds = found.own_nanoseconds + inherited
    if found.problems:
        return found
    if found.nodes > MAX_NODES:
        found.problems.append(
            (checked.root.id, "the expression with its variables is too large; simplify it")
        )
    elif found.nanoseconds > MAX_NANOSECONDS:
        found.problems.append((checked.root.id, _TOO_SLOW))
    return found


def _visit(node: Node, at: _At, checked: Checked, variables: Mapping[str, Measure], found: Measure) -> None:
    found.nodes += 1
    found.depth = max(found.depth, at.depth)
    found.own_nanoseconds += _NODE * at.times
    if isinstance(node, Comprehension):
        _visit_comprehension(node, at, checked, variables, found)
        return
    if isinstance(node, Ident) and node.name.startswith(VARIABLE):
        _visit_variable(node, at, variables[node.name.removeprefix(VARIABLE)], found)
    elif isinstance(node, StructLiteral) and node.message_name:
        found.problems.append((node.id, "a message cannot be built in a rule; compare single fields"))
    elif isinstance(node, Call):
        problem = _call_problem(node, at, checked.overloads.get(node.id, frozenset()))
        if problem:
            found.problems.append((node.id, problem))
        else:
            found.own_nanoseconds += _call_cost(node, at.times)
    for child in children(node):
        _visit(child, at, checked, variables, found)


def _visit_variable(node: Ident, at: _At, variable: Measure, found: Measure) -> None:
    found.variables |= variable.variables | {node.name.removeprefix(VARIABLE)}
    found.nodes += variable.nodes
    if variable.depth and at.depth + variable.depth > MAX_DEPTH:
        found.problems.append((node.id, _too_deep()))
    found.depth = max(found.depth, at.depth + variable.depth)


def _visit_comprehension(
    node: Comprehension, at: _At, checked: Checked, variables: Mapping[str, Measure], found: Measure
) -> None:
    if at.depth == MAX_DEPTH:
        found.problems.append((node.id, _too_deep()))
        return
    _visit(node.range, at, checked, variables, found)
    entries = len(node.range.elements) if isinstance(node.range, ListLiteral) else _ENTRIES
    inner = _At(at.depth + 1, min(at.times * entries, _ITERATIONS))
    added = appended(node)
    step: tuple[Node, ...] = (node.step,)
    if added is not None:
        # The library copies the list for each entry that filter() or map() adds to it.
        found.own_nanoseconds += _COPY * entries * entries * at.times
        kept = isinstance(node.step, Call) and node.step.function == "_?_:_"
        step = (children(node.step)[0], added) if kept else (added,)
    for part in (node.accu_init, node.condition, *step, node.result):
        _visit(part, inner, checked, variables, found)


def _too_deep() -> str:
    return f"comprehensions may be nested {MAX_DEPTH} deep; take the inner one out of the outer one"


def _call_problem(node: Call, at: _At, overloads: frozenset[str]) -> str:
    if node.function not in FUNCTIONS:
        return f"`{node.function}` is not available in rules"
    grows = overloads & _GROWING
    if grows and overloads <= {"add_list", "add_bytes"}:
        return "lists and bytes cannot be added in a rule"
    if at.depth and (grows or node.function == "format"):
        return "text cannot be put together inside a comprehension; do it outside"
    if node.function == "matches":
        return _regex_problem(node.args[-1])
    return ""


def _regex_problem(pattern: Node) -> str:
    if not isinstance(pattern, Const) or not isinstance(pattern.value, str):
        return "the regular expression must be written out as a literal"
    if len(pattern.value) > regex.MAX_LENGTH:
        return f"the regular expression is longer than {regex.MAX_LENGTH} characters"
    if regex.weight(pattern.value) > regex.MAX_WEIGHT:
        return "the regular expression repeats too much; use smaller counts"
    return ""


def _call_cost(node: Call, times: int) -> int:
    scan = _SCAN * times if node.function in _SCANNING else 0
    pattern = node.args[-1] if node.function == "matches" else None
    if isinstance(pattern, Const) and isinstance(pattern.value, str):
        return scan + regex.weight(pattern.value) * (_REGEX_COMPILE * times + _REGEX_RUN)
    return scan
