"""Presence in free-form facts, whose shape shows only when they come: null and what is not finite is absent."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

from google.protobuf.struct_pb2 import ListValue, Struct, Value

from release_passport_server.adapters.cel.path import EACH, Step, Tree


def json_check(tree: Tree, allow_empty: bool) -> Callable[[Any], str | None]:
    """Return the check of a Struct, Value or ListValue; `allow_empty` is for the item as a whole."""

    def check(value: Any) -> str | None:
        complete = allow_empty and isinstance(value, Struct) and _says_complete(value)
        return _missing(value, tree, False, complete)

    return check


def _says_complete(item: Struct) -> bool:
    return "complete" in item.fields and item.fields["complete"].bool_value


def _missing(given: Any, tree: Tree, may_be_empty: bool, members_may_be_empty: bool = False) -> str | None:
    """Return the first absent path from here; an absent value itself is the empty path."""
    value = _opened(given)
    if isinstance(value, Struct):
        return _missing_in_struct(value, tree, may_be_empty, members_may_be_empty)
    if isinstance(value, ListValue):
        return _missing_in_list(value, tree, may_be_empty)
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    return next((_shown(step) for step in tree.children), None)


def _opened(value: Any) -> Any:
    if isinstance(value, Value):
        kind = value.WhichOneof("kind")
        return None if kind in (None, "null_value") else getattr(value, kind)
    return value


def _shown(step: Step) -> str:
    return (
        "[]"
        if step is EACH
        else f".{step.name}"
        if step.name.isidentifier()
        else f"[{json.dumps(step.name)}]"
    )


def _missing_in_struct(
    value: Struct, tree: Tree, may_be_empty: bool, members_may_be_empty: bool
) -> str | None:
    if tree.value:
        # Comparing whole objects would take an absent member for a difference.
        return ""
    if not value.fields and (tree.read or EACH in tree.children):
        return None if may_be_empty else ""
    for step, child in tree.children.items():
        for key in value.fields if step is EACH else (step.name,):
            if key not in value.fields:
                return _shown(step)
            missing = _missing(value.fields[key], child, members_may_be_empty)
            if missing is not None:
                return f"[{json.dumps(key)}]{missing}" if step is EACH else _shown(step) + missing
    return None


def _missing_in_list(value: ListValue, tree: Tree, may_be_empty: bool) -> str | None:
    if not value.values:
        return None if may_be_empty else ""
    for step, child in tree.children.items():
        if step is not EACH:
            return _shown(step)
        for index, entry in enumerate(value.values):
            missing = _missing(entry, child, False)
            if missing is not None:
                return f"[{index}]{missing}"
    for index, entry in enumerate(value.values if tree.value else ()):
        if _missing(entry, Tree(value=True), False) is not None or isinstance(_opened(entry), ListValue):
            return f"[{index}]"
    return None
