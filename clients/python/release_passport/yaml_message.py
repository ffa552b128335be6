"""From strict YAML nodes to protobuf messages, led by the message's descriptor; every problem with its place."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any

from google.protobuf import duration_pb2, struct_pb2, timestamp_pb2
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from release_passport.durations import parse_duration
from release_passport.enum_names import enum_number
from release_passport.strict_yaml import FileInvalid, Mapping, Node, Place, Problem, Scalar, Sequence
from release_passport.yaml_struct import fill_struct

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,18})")
_NUMBER = re.compile(r"[-+]?([0-9]{1,300}(\.[0-9]{0,300})?|\.[0-9]{1,300})([eE][-+]?[0-9]{1,4})?")
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,9})?(Z|z|[-+][0-9]{2}:[0-9]{2})"
)
_RANGES = {
    FieldDescriptor.TYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_INT64: (-(2**63), 2**63 - 1),
}


class MessageReader:
    """Fills messages from the nodes of one file, and collects the problems and the places of what it read."""

    def __init__(self, file: str, *, camel_case: bool = False) -> None:
        self.file = file
        self.camel_case = camel_case
        self.problems: list[Problem] = []
        self.nodes: dict[str, Node] = {}

    def fill(self, message: Message, node: Node, path: str = "") -> None:
        """Set the fields of the message as the node says; unknown and misspelt fields are problems."""
        self.nodes[path] = node
        if isinstance(node, Scalar) and node.is_null:
            return
        if not isinstance(node, Mapping):
            self.refuse(node.place, f"{path or 'the document'} must be fields with values")
            return
        fields = {field.name: field for field in message.DESCRIPTOR.fields}
        if self.camel_case:
            fields |= {field.json_name: field for field in message.DESCRIPTOR.fields}
        for key, value in node.entries.items():
            field = fields.get(key)
            if field is None:
                near = get_close_matches(key, sorted(f.name for f in message.DESCRIPTOR.fields), 1)
                hint = f"; did you mean {near[0]!r}?" if near else ""
                self.refuse(
                    node.places[key], f"{key[:80]!r} is not a field of {path or 'this document'}{hint}"
                )
                continue
            other = _other_of_oneof(message, field)
            if other:
                self.refuse(
                    node.places[key], f"{field.name} cannot stand beside {other}: exactly one of them"
                )
                continue
            self._fill_field(message, field, value, f"{path}.{field.name}" if path else field.name)

    def refuse(self, place: Place, text: str) -> None:
        """Note a problem."""
        self.problems.append(Problem(self.file, place, text))

    def finish(self) -> None:
        """Raise FileInvalid if there was any problem."""
        if self.problems:
            raise FileInvalid(sorted(self.problems, key=lambda p: (p.place.line, p.place.column)))

    def _fill_field(self, message: Message, field: Any, node: Node, path: str) -> None:
        self.nodes[path] = node
        if isinstance(node, Scalar) and node.is_null:
            return
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            self._fill_map(getattr(message, field.name), node, path)
        elif field.is_repeated:
            self._fill_list(message, field, node, path)
        elif field.message_type is not None:
            part = getattr(message, field.name)
            part.SetInParent()
            self._fill_message(part, node, path)
        elif (value := self._scalar(field, node, path)) is not None:
            setattr(message, field.name, value)

    def _fill_list(self, message: Message, field: FieldDescriptor, node: Node, path: str) -> None:
        if not isinstance(node, Sequence):
            self.refuse(node.place, f"{path} must be a list")
            return
        target = getattr(message, field.name)
        for index, item in enumerate(node.items):
            where = f"{path}[{index}]"
            self.nodes[where] = item
            if field.message_type is not None:
                self._fill_message(target.add(), item, where)
            elif (value := self._scalar(field, item, where)) is not None:
                target.append(value)

    def _fill_map(self, target: Any, node: Node, path: str) -> None:
        if not isinstance(node, Mapping):
            self.refuse(node.place, f"{path} must be names with texts")
            return
        for key, value in node.entries.items():
            if isinstance(value, Scalar):
                target[key] = value.text
            else:
                self.refuse(value.place, f"{path}.{key} must be a text")

    def _fill_message(self, message: Message, node: Node, path: str) -> None:
        try:
            if isinstance(message, duration_pb2.Duration):
                message.FromTimedelta(parse_duration(self._text(node, path)))
            elif isinstance(message, timestamp_pb2.Timestamp):
                message.FromDatetime(parse_time(self._text(node, path)))
            elif isinstance(message, struct_pb2.Struct):
                fill_struct(message, node)
            else:
                self.fill(message, node, path)
        except ValueError as error:
            self.refuse(node.place, f"{path}: {error}")

    def _text(self, node: Node, path: str) -> str:
        if not isinstance(node, Scalar):
            raise ValueError("must be a single value")
        return node.text

    def _scalar(self, field: FieldDescriptor, node: Node, path: str) -> object | None:
        try:
            return _scalar_value(field, self._text(node, path), quoted=not getattr(node, "plain", True))
        except ValueError as error:
            self.refuse(node.place, f"{path}: {error}")
            return None


def parse_time(text: str) -> datetime:
    """Return the moment that the text says, such as 2026-03-02T10:00:00Z; ValueError says how to write one."""
    if _TIME.fullmatch(text):
        try:
            return datetime.fromisoformat(re.sub(r"(\.[0-9]{6})[0-9]+", r"\1", text).upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    raise ValueError(f"{text[:40]!r} is not a time; write it as 2026-03-02T10:00:00Z")


def _scalar_value(field: FieldDescriptor, text: str, *, quoted: bool) -> object:
    if field.enum_type is not None:
        return enum_number(field.enum_type, text)
    if field.type == FieldDescriptor.TYPE_STRING:
        return text
    if field.type == FieldDescriptor.TYPE_BYTES:
        return _from_base64(text)
    if field.type == FieldDescriptor.TYPE_BOOL:
        if quoted or text not in {"true", "false"}:
            raise ValueError(f"{text[:40]!r} is neither true nor false")
        return text == "true"
    if field.type in _RANGES:
        lowest, highest = _RANGES[field.type]
        if not _INTEGER.fullmatch(text) or not lowest <= int(text) <= highest:
            raise ValueError(f"{text[:40]!r} is not a whole number between {lowest} and {highest}")
        return int(text)
    if quoted or not _NUMBER.fullmatch(text) or float(text) in {float("inf"), float("-inf")}:
        raise ValueError(f"{text[:40]!r} is not a number")
    return float(text)


def _from_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("is not base64") from None


def _other_of_oneof(message: Message, field: Any) -> str | None:
    oneof = field.containing_oneof
    if oneof is None or len(oneof.fields) < 2:
        return None
    other = message.WhichOneof(oneof.name)
    return None if other == field.name else other
