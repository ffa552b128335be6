"""Enum values by their short names: ENFORCE for POLICY_MODE_ENFORCE."""

from __future__ import annotations

import re

from google.protobuf.descriptor import EnumDescriptor


def enum_prefix(enum: EnumDescriptor) -> str:
    """Return what all values of the enum begin with, such as POLICY_MODE_."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", enum.name).upper() + "_"


def short_names(enum: EnumDescriptor) -> list[str]:
    """Return the short names of the values that mean something, in the order of the contract."""
    return [value.name.removeprefix(enum_prefix(enum)) for value in enum.values if value.number]


def short_name(enum: EnumDescriptor, number: int) -> str:
    """Return the short name of a value; UNSPECIFIED for zero and for values that this client does not know."""
    value = enum.values_by_number.get(number)
    return "UNSPECIFIED" if value is None else value.name.removeprefix(enum_prefix(enum))


def enum_number(enum: EnumDescriptor, text: str) -> int:
    """Return the number of a value by its short or full name; ValueError lists the names."""
    name = text.strip().upper().replace("-", "_")
    prefix = enum_prefix(enum)
    value = enum.values_by_name.get(name) or enum.values_by_name.get(prefix + name)
    if value is None or value.number == 0:
        raise ValueError(f"{text[:80]!r} is not one of {', '.join(short_names(enum))}")
    return int(value.number)
