"""What a node of an expression takes at worst, in nanoseconds, on the largest accepted evidence.

An item holds at most 64 KiB, lists of 1,000 entries and texts of 4 KiB. So the entries of one list share 64 KiB: what
is read of the entry of a loop that is not inside another one is short on average. The figures were measured with
cel-expr-python 0.1.3 by tests/perf/bench_cel.py, which also looks for expressions that this underestimates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from release_passport_server.adapters.cel import regex
from release_passport_server.adapters.cel.checked import (
    Call,
    Checked,
    Const,
    Ident,
    ListLiteral,
    Node,
    Select,
    Type,
    children,
)

# What evidence can hold: texts of so many bytes, and all in all so many.
TEXT_BYTES = 4096
ITEM_BYTES = 64 * 1024

NODE = 50
# Text and free-form values are copied each time that they are read.
_READ = {Type.TEXT: 1_500, Type.ANY: 1_500}
_READ_OF_ENTRY = {Type.TEXT: 100, Type.ANY: 500}
_CONVERT = 2_000
_SCAN = {
    "size": 4_000,
    "matches": 4_000,
    "lowerAscii": 4_000,
    "upperAscii": 5_000,
    "format": 4_000,
    "charAt": 6_000,
    "substring": 6_000,
    "trim": 11_000,
    **dict.fromkeys(("int", "uint", "double", "bool", "timestamp", "duration"), _CONVERT),
}
# Searching takes as long as both texts together are long, multiplied.
SEARCHES = frozenset({"contains", "indexOf", "lastIndexOf"})
_SEARCH, _SEARCH_OF_BYTE, _SEARCH_OF_ENTRY, _SEARCH_OF_TEXT = 12_000, 30, 14_000, 72_000
_COMPARE, _COMPARE_OF_ENTRY = 300_000, 3_000
_FIND, _FIND_OF_ENTRY = 60_000, 1_000
_GREATEST = 150_000
# For each unit of a regular expression's weight: it is compiled at each call, and runs over as much as there is text.
_REGEX_COMPILE = 450
_REGEX_RUN = 100_000
_REGEX_RUN_STEADY = 10_000
_TEXTS_OF_ENTRIES = ITEM_BYTES // TEXT_BYTES


@dataclass(frozen=True, slots=True)
class At:
    """Where a node stands: inside how many loops, how often it is evaluated, and the names of the loop's entry."""

    depth: int = 0
    times: int = 1
    entry: tuple[str, ...] = ()

    def holds(self, node: Node) -> bool:
        """Say whether a node reads from the entry of a loop that is not inside another one."""
        root = root_of(node)
        return self.depth == 1 and isinstance(root, Ident) and root.name in self.entry


@dataclass(slots=True)
class Cost:
    """Nanoseconds: some in any case, some for each 4 KiB of text, and some for each 4 KiB of two texts, multiplied."""

    fixed: int = 0
    scanning: int = 0
    searching: int = 0

    def add(self, other: Cost) -> None:
        """Add another cost to this one."""
        self.fixed += other.fixed
        self.scanning += other.scanning
        self.searching += other.searching

    def total(self, longest: int) -> int:
        """Return all of it, where the longest text has so many bytes."""
        texts = -(-max(longest, TEXT_BYTES) // TEXT_BYTES)
        return self.fixed + self.scanning * texts + self.searching * texts * texts


def root_of(node: Node) -> Node:
    """Return what a chain of fields, keys and indices begins with."""
    while isinstance(node, Select) or (isinstance(node, Call) and node.function == "_[_]"):
        node = children(node)[0]
    return node


def cost_of(node: Node, at: At, checked: Checked) -> Cost:
    """Return what a node takes, without the nodes under it, as often as it is evaluated."""
    if isinstance(node, Select) and not node.test_only:
        return Cost((NODE + _read(node, at, checked)) * at.times)
    if not isinstance(node, Call):
        return Cost(NODE * at.times)
    cost = _call(node, at, checked)
    cost.fixed += NODE * at.times
    return cost


def _call(node: Call, at: At, checked: Checked) -> Cost:
    function, args = node.function, node.args
    if function == "_[_]":
        return Cost(_read(node, at, checked) * at.times)
    if function in ("_==_", "_!=_"):
        if not all(checked.type_of(arg).whole for arg in args):
            return Cost()
        return Cost((_COMPARE_OF_ENTRY if any(map(at.holds, args)) else _COMPARE) * at.times)
    if function == "@in":
        return Cost(_find(args[-1], at, checked) * at.times)
    if function in ("math.@max", "math.@min"):
        alone = len(args) == 1 and not isinstance(args[0], ListLiteral)
        return Cost(_GREATEST * at.times if alone else 0)
    if function in SEARCHES:
        return _search(args[1], at)
    if function == "matches":
        return _match(node, at)
    return Cost(scanning=_SCAN.get(function, 0) * at.times)


def _read(node: Node, at: At, checked: Checked) -> int:
    return (_READ_OF_ENTRY if at.holds(node) else _READ).get(checked.type_of(node), 0)


def _find(container: Node, at: At, checked: Checked) -> int:
    if isinstance(container, ListLiteral):
        return NODE * len(container.elements)
    if checked.type_of(container) is Type.MAP:
        return 0
    return _FIND_OF_ENTRY if at.holds(container) else _FIND


def _search(wanted: Node, at: At) -> Cost:
    if isinstance(wanted, Const):
        size = len(str(wanted.value).encode(errors="replace"))
        return Cost(scanning=(_SEARCH + _SEARCH_OF_BYTE * size) * at.times)
    if at.holds(wanted):
        return Cost(scanning=_SEARCH_OF_ENTRY * at.times)
    return Cost(searching=_SEARCH_OF_TEXT * at.times)


def _match(node: Call, at: At) -> Cost:
    pattern = node.args[-1]
    if not isinstance(pattern, Const) or not isinstance(pattern.value, str):
        return Cost()
    weight = regex.weight(pattern.value)
    run = _REGEX_RUN_STEADY if regex.steady(pattern.value) else _REGEX_RUN
    runs = min(at.times, _TEXTS_OF_ENTRIES) if at.holds(node.args[0]) else at.times
    return Cost(
        fixed=weight * _REGEX_COMPILE * at.times,
        scanning=_SCAN["matches"] * at.times + weight * run * runs,
    )


def longest_text(node: Node, checked: Checked, of_variables: Mapping[str, int]) -> int:
    """Return how many bytes the longest text that a node puts together may have; evidence alone has 4 KiB."""
    if isinstance(node, Const):
        return len(node.value.encode(errors="replace")) if isinstance(node.value, str) else 0
    if isinstance(node, Ident) and node.name in of_variables:
        return of_variables[node.name]
    lengths = [longest_text(child, checked, of_variables) for child in children(node)]
    if isinstance(node, Call) and node.function == "format":
        return lengths[0] + sum(_shown(part, checked, of_variables) for part in children(node.args[-1]))
    if isinstance(node, Call) and "add_string" in checked.overloads.get(node.id, ()):
        return sum(lengths)
    return max([TEXT_BYTES, *lengths])


def _shown(part: Node, checked: Checked, of_variables: Mapping[str, int]) -> int:
    return ITEM_BYTES if checked.type_of(part).whole else longest_text(part, checked, of_variables)
