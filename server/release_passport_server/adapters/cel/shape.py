"""The shape of facts as far as presence depends on it, derived from message descriptors."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor

_JSON = frozenset({"google.protobuf.Struct", "google.protobuf.Value", "google.protobuf.ListValue"})
_FLOAT_WRAPPERS = frozenset({"google.protobuf.DoubleValue", "google.protobuf.FloatValue"})
_VALUES = frozenset(
    f"google.protobuf.{name}"
    for name in (
        *("Timestamp", "Duration", "BoolValue", "StringValue", "BytesValue"),
        *("Int32Value", "Int64Value", "UInt32Value", "UInt64Value"),
    )
)

Test = Callable[[Any], bool]


class Form(Enum):
    """What can be done with a value."""

    MESSAGE = "message"
    LIST = "list"
    MAP = "map"
    SCALAR = "scalar"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Shape:
    """A form with what it is made of; `counts` says whether a scalar that is there counts as a value."""

    form: Form
    message: Descriptor | None = None
    element: Shape | None = None
    counts: Test | None = None


PLAIN = Shape(Form.SCALAR)
JSON = Shape(Form.JSON)


def shape_of_message(descriptor: Descriptor) -> Shape:
    """Return the shape of a message; well-known types are values or JSON."""
    name = descriptor.full_name
    if name in _JSON:
        return JSON
    if name in _FLOAT_WRAPPERS:
        return Shape(Form.SCALAR, counts=lambda wrapper: math.isfinite(wrapper.value))
    if name in _VALUES:
        return PLAIN
    return Shape(Form.MESSAGE, message=descriptor)


def shape_of_field(field: FieldDescriptor) -> Shape:
    """Return the shape of what a field holds."""
    message = field.message_type
    if message is not None and message.GetOptions().map_entry:
        return Shape(Form.MAP, element=_shape_of_one(message.fields_by_name["value"]))
    one = _shape_of_one(field)
    return Shape(Form.LIST, element=one) if field.is_repeated else one


def _shape_of_one(field: FieldDescriptor) -> Shape:
    if field.message_type is not None:
        return shape_of_message(field.message_type)
    if field.enum_type is not None:
        # A number that this server does not know says as little as UNSPECIFIED.
        known = frozenset(value.number for value in field.enum_type.values) - {0}
        return Shape(Form.SCALAR, counts=known.__contains__)
    if field.cpp_type in (FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT):
        return Shape(Form.SCALAR, counts=math.isfinite)
    return PLAIN
