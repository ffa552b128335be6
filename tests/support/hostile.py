"""Well-formed requests with one field made hostile: every text, number, enum, time and list that a method takes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

TEXTS = {
    "separators": "../a/b%2F",
    "look-alike": "\u0441heckout",
    "invisible": "check\u200bout",
    "nul": "check\x00out",
    "escape": "\x1b[31mred",
    "newline": "checkout\n",
    "quotes": "x' OR '1'='1",
    "glob": "*",
    "huge": "a" * 70_000,
}
NUMBERS = (-1, -(2**31), 2**31 - 1)
LONG = 10_001


def hostile(request: Message) -> Iterator[tuple[str, str, Message]]:
    """Yield each changed copy with the path of what was changed and how it is hostile."""
    for path, field, _ in list(_fields(request, ())):
        for label, value in _values(field):
            changed = type(request)()
            changed.CopyFrom(request)
            holder = _at(changed, path[:-1])
            if _set(holder, field, value):
                yield _shown(path), label, changed


def lengthened(request: Message) -> Iterator[tuple[str, str, Message]]:
    """Yield a copy for each list that is filled, with far too many entries."""
    for path, field, holder in list(_fields(request, ())):
        if not field.is_repeated or not getattr(holder, field.name):
            continue
        changed = type(request)()
        changed.CopyFrom(request)
        target = getattr(_at(changed, path[:-1]), field.name)
        if _is_map(field):
            _fill(target, {f"key-{number}": "x" for number in range(LONG)})
        else:
            target.extend([target[0]] * LONG)
        yield _shown(path), "too many", changed


def _fields(
    message: Message, path: tuple[Any, ...]
) -> Iterator[tuple[tuple[Any, ...], FieldDescriptor, Message]]:
    """Yield each field of a message and, where a message is set in it, those below it."""
    fields: list[Any] = list(message.DESCRIPTOR.fields)
    for field in fields:
        here = (*path, field.name)
        oneof = field.containing_oneof
        chosen = message.WhichOneof(oneof.name) if oneof is not None else None
        if chosen is None or chosen == field.name:
            yield here, field, message
        if field.type != FieldDescriptor.TYPE_MESSAGE or _is_map(field):
            continue
        value = getattr(message, field.name)
        if field.is_repeated:
            for index, one in enumerate(value):
                yield from _fields(one, (*here, index))
        elif message.HasField(field.name):
            yield from _fields(value, here)


def _values(field: FieldDescriptor) -> Iterator[tuple[str, Any]]:
    if _is_map(field):
        yield from ((f"{label} key", {text: "x"}) for label, text in TEXTS.items())
        yield from ((f"{label} value", {"key": text}) for label, text in TEXTS.items())
    elif field.cpp_type == FieldDescriptor.CPPTYPE_STRING and field.type == FieldDescriptor.TYPE_STRING:
        yield from TEXTS.items()
    elif field.type == FieldDescriptor.TYPE_BYTES:
        yield from (("no envelope", b"\xff\x00"), ("huge", b"{" * 2_000_000))
    elif field.cpp_type == FieldDescriptor.CPPTYPE_ENUM:
        yield from (("unknown number", 99), ("negative", -5))
    elif field.cpp_type in (FieldDescriptor.CPPTYPE_INT32, FieldDescriptor.CPPTYPE_INT64):
        yield from ((str(number), number) for number in NUMBERS)
    elif field.cpp_type in (FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT):
        yield from ((str(number), number) for number in (math.nan, math.inf, -math.inf, -1.0))
    elif field.message_type is not None and not field.is_repeated:
        yield "left out", None
        if field.message_type.full_name == "google.protobuf.Timestamp":
            for seconds, nanos in ((2**62, 0), (-(2**62), 0), (4_102_444_800, 0), (0, -1), (0, 2**31 - 1)):
                yield (
                    f"time {seconds} {nanos}",
                    Timestamp(seconds=seconds, nanos=nanos),
                )
        if field.message_type.full_name == "google.protobuf.Duration":
            for seconds in (2**62, -(2**62), -1):
                yield f"duration {seconds}", Duration(seconds=seconds)


def _set(holder: Message, field: FieldDescriptor, value: Any) -> bool:
    if value is None:
        if not holder.HasField(field.name):
            return False
        holder.ClearField(field.name)
    elif field.is_repeated:
        target = getattr(holder, field.name)
        if _is_map(field):
            target.clear()
            _fill(target, value)
        else:
            del target[:]
            target.append(value)
    elif field.cpp_type == FieldDescriptor.CPPTYPE_MESSAGE:
        getattr(holder, field.name).CopyFrom(value)
    else:
        setattr(holder, field.name, value)
    return True


def _fill(target: Any, value: Mapping[str, str]) -> None:
    """Set the entries of a map of texts, or of a Struct's."""
    for key, text in value.items():
        if target.GetEntryClass().DESCRIPTOR.fields_by_name["value"].message_type is None:
            target[key] = text
        else:
            target[key].string_value = text


def _is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def _at(message: Message, path: tuple[Any, ...]) -> Any:
    found: Any = message
    for part in path:
        found = found[part] if isinstance(part, int) else getattr(found, part)
    return found


def _shown(path: tuple[Any, ...]) -> str:
    """Return a path as violations name it, such as `evidence[0].subject`."""
    words = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return words.removeprefix(".")
