"""From strict YAML nodes to google.protobuf.Struct, with YAML 1.2's core types."""

from __future__ import annotations

import math
import re

from google.protobuf import struct_pb2

from release_passport.strict_yaml import Mapping, Node, Scalar, Sequence

_NUMBER = re.compile(r"[-+]?([0-9]{1,300}(\.[0-9]{0,300})?|\.[0-9]{1,300})([eE][-+]?[0-9]{1,4})?")
_EXACT = 2**53


def fill_struct(struct: struct_pb2.Struct, node: Node) -> None:
    """Set the struct's fields as the node says; ValueError says what has no place in it."""
    if not isinstance(node, Mapping):
        raise ValueError("must be fields with values")
    for key, value in node.entries.items():
        _fill_value(struct.fields[key], value)


def _fill_value(value: struct_pb2.Value, node: Node) -> None:
    if isinstance(node, Mapping):
        value.struct_value.SetInParent()
        fill_struct(value.struct_value, node)
    elif isinstance(node, Sequence):
        value.list_value.SetInParent()
        for item in node.items:
            _fill_value(value.list_value.values.add(), item)
    else:
        _fill_scalar(value, node)


def _fill_scalar(value: struct_pb2.Value, node: Scalar) -> None:
    if node.is_null:
        value.null_value = struct_pb2.NULL_VALUE
    elif node.plain and node.text in {"true", "false"}:
        value.bool_value = node.text == "true"
    elif node.plain and _NUMBER.fullmatch(node.text):
        number = float(node.text)
        if not math.isfinite(number):
            raise ValueError(f"{node.text[:40]!r} is not a number that can be kept")
        if number.is_integer() and abs(number) > _EXACT:
            raise ValueError(f"{node.text[:40]!r} cannot be kept exactly; write it in quotes")
        value.number_value = number
    else:
        value.string_value = node.text
