"""Paths into evidence: what an expression reads, gathered into one tree for each kind."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

CUSTOM = "custom:"


class StepKind(Enum):
    """How a path goes on."""

    FIELD = "field"
    KEY = "key"
    EACH = "each"


class Step(NamedTuple):
    """One step of a path."""

    kind: StepKind
    name: str = ""


EACH = Step(StepKind.EACH)


class Read(NamedTuple):
    """A path that is read. `sized` says that only the entries count, not what they are."""

    kind: str
    steps: tuple[Step, ...]
    sized: bool = False


@dataclass(slots=True)
class Tree:
    """The paths that go on from one place; `read` says that one ends here, `value` that its value is used."""

    children: dict[Step, Tree] = field(default_factory=dict)
    read: bool = False
    value: bool = False


def plant(reads: Iterable[Read]) -> dict[str, Tree]:
    """Return a tree for each kind, in a stable order."""
    trees: dict[str, Tree] = {}
    for read in sorted(reads, key=lambda read: (read.kind, [(s.kind.value, s.name) for s in read.steps])):
        tree = trees.setdefault(read.kind, Tree())
        for step in read.steps:
            tree = tree.children.setdefault(step, Tree())
        tree.read = True
        tree.value = tree.value or not read.sized
    return trees


def path_of(kind: str) -> str:
    """Return how an expression names an evidence kind."""
    if kind.startswith(CUSTOM):
        return f"evidence.custom[{json.dumps(kind.removeprefix(CUSTOM))}]"
    return f"evidence.{kind}"
