"""What an expression may be made of, and how much it may cost, judged before it is ever run.

The library stops an evaluation after 10,000 iterations; it bounds neither what one iteration does nor the memory that
strings take. So only known functions are let through, strings do not grow inside comprehensions, and an estimate of the
time on the largest accepted evidence has a limit: see cost.py.
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
from release_passport_server.adapters.cel.cost import SEARCHES, At, Cost, cost_of, longest_text, root_of

MAX_BYTES = 4096
MAX_DEPTH = 2
MAX_NODES = 5000
MAX_NANOSECONDS = 50_000_000
# Texts put together may not be longer.
MAX_TEXT_BYTES = 128 * 1024

_ENTRIES = 1000
_ITERATIONS = 10_000
_COPY = 20
_COPY_TEXT = 500

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
_OF_TEXT = frozenset({"size", "matches", "lowerAscii", "upperAscii", "trim", "format"}) | SEARCHES
# fmt: on
FUNCTIONS = _OPERATORS | _CHEAP | _OF_TEXT
_TOO_SLOW = (
    "the expression could take too long on large evidence; use fewer or smaller comprehensions,"
    " prefer exists() and all() to filter() and map(), and keep matches() out of them"
)
_TOO_LONG = "the text that is put together could become too large; use fewer parts"
_GROWING = frozenset({"add_string", "add_bytes", "add_list"})


@dataclass(slots=True)
class Measure:
    """What an expression amounts to together with the variables that it reads; `cost` is its own alone."""

    nodes: int = 0
    depth: int = 0
    cost: Cost = field(default_factory=Cost)
    text: int = 0
    variables: frozenset[str] = frozenset()
    problems: list[tuple[int, str]] = field(default_factory=list)


def measure(checked: Checked, variables: Mapping[str, Measure]) -> Measure:
    """Return the measure of an expression, with a problem for each thing in it that is not allowed."""
    found = Measure()
    _visit(checked.root, At(), checked, variables, found)
    if found.problems:
        return found
    known = {VARIABLE + name: variable.text for name, variable in variables.items()}
    found.text = longest_text(checked.root, checked, known)
    total = Cost()
    total.add(found.cost)
    for name in found.variables:
        # A variable is computed once, however often it is read.
        total.add(variables[name].cost)
    if found.nodes > MAX_NODES:
        found.problems.append(
            (checked.root.id, "the expression with its variables is too large; simplify it")
        )
    elif found.text > MAX_TEXT_BYTES:
        found.problems.append((checked.root.id, _TOO_LONG))
    elif total.total(found.text) > MAX_NANOSECONDS:
        found.problems.append((checked.root.id, _TOO_SLOW))
    return found


def _visit(node: Node, at: At, checked: Checked, variables: Mapping[str, Measure], found: Measure) -> None:
    found.nodes += 1
    found.depth = max(found.depth, at.depth)
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
    found.cost.add(cost_of(node, at, checked))
    for child in children(node):
        _visit(child, at, checked, variables, found)


def _visit_variable(node: Ident, at: At, variable: Measure, found: Measure) -> None:
    found.variables |= variable.variables | {node.name.removeprefix(VARIABLE)}
    found.nodes += variable.nodes
    if variable.depth and at.depth + variable.depth > MAX_DEPTH:
        found.problems.append((node.id, _too_deep()))
    found.depth = max(found.depth, at.depth + variable.depth)


def _visit_comprehension(
    node: Comprehension, at: At, checked: Checked, variables: Mapping[str, Measure], found: Measure
) -> None:
    if at.depth == MAX_DEPTH:
        found.problems.append((node.id, _too_deep()))
        return
    _visit(node.range, at, checked, variables, found)
    entries = len(node.range.elements) if isinstance(node.range, ListLiteral) else _ENTRIES
    # The entries of evidence share its size; those of a list that was made may all be long.
    entry = node.iter_vars if _is_read(node.range) else ()
    inner = At(at.depth + 1, min(at.times * entries, _ITERATIONS), entry)
    added = appended(node)
    step: tuple[Node, ...] = (node.step,)
    if added is not None:
        # The library copies the list for each entry that filter() or map() adds to it.
        found.cost.fixed += _COPY * entries * entries * at.times
        found.cost.scanning += _COPY_TEXT * inner.times
        kept = isinstance(node.step, Call) and node.step.function == "_?_:_"
        step = (children(node.step)[0], added) if kept else (added,)
    for part in (node.accu_init, node.condition, *step, node.result):
        _visit(part, inner, checked, variables, found)


def _is_read(node: Node) -> bool:
    """Say whether a list is one out of the evidence, or what filter() keeps of one."""
    while isinstance(node, Comprehension):
        added = appended(node)
        if not (isinstance(added, Ident) and added.name in node.iter_vars):
            return False
        node = node.range
    root = root_of(node)
    return isinstance(root, Ident) and not root.name.startswith(VARIABLE)


def _too_deep() -> str:
    return f"comprehensions may be nested {MAX_DEPTH} deep; take the inner one out of the outer one"


def _call_problem(node: Call, at: At, overloads: frozenset[str]) -> str:
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
