"""Limits and normal form of free-form facts (google.protobuf.Struct)."""

from __future__ import annotations

import math
from collections.abc import Iterator

from google.protobuf.struct_pb2 import ListValue, Struct, Value

from release_passport_server.domain.errors import Violation
from release_passport_server.wire.text import MAX_ID_BYTES, text_problem

MAX_DEPTH = 16
MAX_VALUES = 10_000
MAX_FIELDS = 100
MAX_LIST = 1000

_Container = Struct | ListValue


def check_struct(struct: Struct, path: str) -> Iterator[Violation]:
    """Yield what is wrong with the size, the depth, the names or the texts of a Struct."""
    seen = 0
    # A stack in place of recursion: whoever sends it chooses the depth.
    stack: list[tuple[_Container, str, int]] = [(struct, path, 1)]
    while stack:
        container, here, depth = stack.pop()
        seen += _length(container)
        if seen > MAX_VALUES:
            yield Violation(path, f"must have at most {MAX_VALUES} values")
            return
        if depth > MAX_DEPTH:
            yield Violation(here, f"must be at most {MAX_DEPTH} levels deep")
            continue
        too_long = _length_problem(container)
        if too_long is not None:
            yield Violation(here, too_long)
            continue
        for value, place in _entries(container, here):
            inner = _container(value)
            if inner is not None:
                stack.append((inner, place, depth + 1))
            elif (problem := text_problem(value.string_value)) is not None:
                yield Violation(place, problem)
        if isinstance(container, Struct):
            yield from _name_violations(container, here)


def normalise_struct(struct: Struct) -> None:
    """Remove each field, and make null each list entry, that is a number which is not finite."""
    stack: list[_Container] = [struct]
    while stack:
        container = stack.pop()
        if isinstance(container, Struct):
            for name in [name for name, value in container.fields.items() if _is_no_value(value)]:
                del container.fields[name]
        for value, _ in _entries(container, ""):
            if _is_no_value(value):
                value.null_value = 0  # type: ignore[assignment]
            inner = _container(value)
            if inner is not None:
                stack.append(inner)


def _length(container: _Container) -> int:
    return len(container.fields) if isinstance(container, Struct) else len(container.values)


def _length_problem(container: _Container) -> str | None:
    length = _length(container)
    if isinstance(container, Struct):
        return f"must have at most {MAX_FIELDS} fields, has {length}" if length > MAX_FIELDS else None
    return f"must have at most {MAX_LIST} entries, has {length}" if length > MAX_LIST else None


def _entries(container: _Container, path: str) -> Iterator[tuple[Value, str]]:
    """Yield each value with its place, an object's in order of name, so that complaints come in one order."""
    if isinstance(container, Struct):
        for name in sorted(container.fields):
            yield container.fields[name], f"{path}[{name[:64]!r}]"
    else:
        for index, value in enumerate(container.values):
            yield value, f"{path}[{index}]"


def _container(value: Value) -> _Container | None:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return value.struct_value
    return value.list_value if kind == "list_value" else None


def _name_violations(struct: Struct, path: str) -> Iterator[Violation]:
    for name in sorted(struct.fields):
        problem = text_problem(name, max_bytes=MAX_ID_BYTES)
        if not name or problem is not None:
            yield Violation(f"{path}[{name[:64]!r}]", f"the field's name {problem or 'must not be empty'}")


def _is_no_value(value: Value) -> bool:
    return value.WhichOneof("kind") == "number_value" and not math.isfinite(value.number_value)
