"""Presence: what an expression reads must be in the evidence, or the expression is not evaluated.

CEL gives zero, false and the empty list for what is absent, and zero passes. So the paths that an expression
reads are gathered into a tree for each kind, and each tree becomes a chain of closures that returns the first absent
path.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from google.protobuf.descriptor import Descriptor

from release_passport_server.adapters.cel.json_presence import json_check
from release_passport_server.adapters.cel.path import EACH, Read, Tree, path_of, plant
from release_passport_server.adapters.cel.shape import JSON, Form, Shape, shape_of_field

# A check takes a value and returns None, or the absent path as seen from that value.
Check = Callable[[Any], str | None]


def compile_presence(
    reads: Iterable[Read], shapes: Mapping[str, Shape], allow_empty: Mapping[str, bool]
) -> Callable[[Mapping[str, object]], str | None]:
    """Return a function from evidence by kind to the first path of `reads` that is not present, or None."""
    checks = [
        (kind, path_of(kind), _check(shapes.get(kind, JSON), tree, allow_empty.get(kind, False)))
        for kind, tree in plant(reads).items()
    ]

    if len(checks) == 1:
        return _of_one_kind(*checks[0])

    def first_missing(evidence: Mapping[str, object]) -> str | None:
        for kind, path, check in checks:
            item = evidence.get(kind)
            if item is None:
                return path
            missing = check(item)
            if missing is not None:
                return path + missing
        return None

    return first_missing


def _of_one_kind(kind: str, path: str, check: Check) -> Callable[[Mapping[str, object]], str | None]:
    def first_missing(evidence: Mapping[str, object]) -> str | None:
        item = evidence.get(kind)
        missing = "" if item is None else check(item)
        return None if missing is None else path + missing

    return first_missing


def _check(shape: Shape, tree: Tree, allow_empty: bool) -> Check:
    match shape.form:
        case Form.MESSAGE:
            return _message_check(shape, tree, allow_empty)
        case Form.LIST:
            return _list_check(shape, tree)
        case Form.MAP:
            return _map_check(shape, tree)
        case Form.JSON:
            return json_check(tree, allow_empty)
        case Form.SCALAR:
            return _scalar_check(shape)


def _scalar_check(shape: Shape) -> Check:
    counts = shape.counts
    if counts is None:
        return lambda value: None
    return lambda value: None if counts(value) else ""


def _message_check(shape: Shape, tree: Tree, allow_empty: bool) -> Check:
    assert shape.message is not None
    fields = shape.message.fields_by_name
    complete = "complete" if allow_empty and "complete" in fields else ""
    plain = _plain_fields(shape.message, tree)
    if plain:
        return _fields_check(plain)
    checks = []
    for step, child in tree.children.items():
        descriptor = fields[step.name]
        inner = shape_of_field(descriptor)
        if inner.form in (Form.LIST, Form.MAP):
            checks.append(_entries_check(step.name, _check(inner, child, False), complete))
        elif descriptor.has_presence:
            checks.append(_field_check(step.name, inner, child))
        else:
            checks.append(_bare_field_check(step.name, _check(inner, child, False)))
    if len(checks) == 1:
        return checks[0]

    def check(message: Any) -> str | None:
        for one in checks:
            missing = one(message)
            if missing is not None:
                return missing
        return None

    return check


def _plain_fields(message: Descriptor, tree: Tree) -> list[str]:
    """Return the fields that are read, if each of them counts as soon as it is set; else nothing."""
    names = [step.name for step in tree.children]
    for name in names:
        descriptor = message.fields_by_name[name]
        shape = shape_of_field(descriptor)
        if shape.form is not Form.SCALAR or shape.counts is not None or not descriptor.has_presence:
            return []
    return names


def _fields_check(names: list[str]) -> Check:
    """Check what most rules read, scalars that can tell absent from zero, without a call for each."""

    def check(message: Any) -> str | None:
        for name in names:
            if not message.HasField(name):
                return "." + name
        return None

    return check


def _field_check(name: str, shape: Shape, tree: Tree) -> Check:
    path = "." + name
    if shape.form is Form.SCALAR and shape.counts is None:
        return _fields_check([name])
    inner = _check(shape, tree, False)

    def check(message: Any) -> str | None:
        if not message.HasField(name):
            return path
        missing = inner(getattr(message, name))
        return None if missing is None else path + missing

    return check


def _bare_field_check(name: str, inner: Check) -> Check:
    """Check a scalar that cannot tell absent from zero: zero counts as absent."""
    path = "." + name

    def check(message: Any) -> str | None:
        value = getattr(message, name)
        return path if not value or inner(value) is not None else None

    return check


def _entries_check(name: str, inner: Check, complete: str) -> Check:
    """Check a list or a map: it has entries, or the item says in `complete` that there are none."""
    path = "." + name

    def check(message: Any) -> str | None:
        entries = getattr(message, name)
        if not entries:
            return None if complete and message.HasField(complete) and getattr(message, complete) else path
        missing = inner(entries)
        return None if missing is None else path + missing

    return check


def _element_check(shape: Shape, tree: Tree) -> Check | None:
    """Return the check of each entry, or None when nothing of an entry is read."""
    assert shape.element is not None
    each = tree.children.get(EACH)
    if each is None and not tree.value:
        return None
    if shape.element.form is Form.SCALAR and shape.element.counts is None:
        return None
    return _check(shape.element, each or Tree(value=True), False)


def _list_check(shape: Shape, tree: Tree) -> Check:
    each = _element_check(shape, tree)
    if each is None:
        return lambda entries: None

    def check(entries: Any) -> str | None:
        for index, entry in enumerate(entries):
            missing = each(entry)
            if missing is not None:
                return f"[{index}]{missing}"
        return None

    return check


def _map_check(shape: Shape, tree: Tree) -> Check:
    assert shape.element is not None
    element = shape.element
    each = _element_check(shape, tree)
    keys = {s.name: _check(element, child, False) for s, child in tree.children.items() if s is not EACH}

    def check(entries: Any) -> str | None:
        for key, inner in keys.items():
            missing = inner(entries[key]) if key in entries else ""
            if missing is not None:
                return f"[{json.dumps(key)}]{missing}"
        if each is None:
            return None
        for key in entries:
            missing = each(entries[key])
            if missing is not None:
                return f"[{json.dumps(key)}]{missing}"
        return None

    return check
