"""Facts with which nothing is wrong, read in one pass: checked, found to be normal, and written in canonical form.

Nearly all that come in are like that. What is not is no violation yet: it goes through `check_facts`,
`normalise_facts` and `json_mapping`, which say what is wrong, and make it normal.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Any

from google.protobuf import duration_pb2, timestamp_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from release_passport.v1 import evidence_pb2
from release_passport_server.domain.canonical import canonical_number, canonical_text
from release_passport_server.wire.facts import (
    DIGEST,
    INTEGERS,
    LONGEST_SECONDS,
    MAX_LIST,
    NANOS,
    UPPER_BOUND,
    is_digest_field,
    time_problem,
)
from release_passport_server.wire.text import MAX_TEXT_BYTES, text_problem

# Writes a value; raises _NotPlain or KeyError for one that has to be looked at.
_Form = Callable[[Any], str]

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - its text is given the offset of UTC
_SHORT = MAX_TEXT_BYTES // 4
_BOOLEANS = {False: "false", True: "true"}


class _NotPlain(ValueError):
    """Something may be wrong, not normal, or of a type that is not written here."""


def plain_form(facts: evidence_pb2.EvidenceFacts) -> str | None:
    """Return the canonical form of the JSON mapping of facts with which nothing is wrong; None where that is unsure."""
    name = facts.WhichOneof("facts")
    if name is None or name == "custom":
        return None
    try:
        return _object(facts)
    except (_NotPlain, KeyError):
        return None


def _object(message: Message) -> str:
    forms = _forms(message.DESCRIPTOR)
    members = [
        start + form(value) for field, value in message.ListFields() for start, form in (forms[field],)
    ]
    # Names are letters and digits, and what ends them comes before these: so members are sorted as names are.
    members.sort()
    return "{" + ",".join(members) + "}"


@cache
def _forms(descriptor: Descriptor) -> Mapping[FieldDescriptor, tuple[str, _Form]]:
    """Return how a member of each field begins, and what writes its value."""
    return {field: (f'"{field.json_name}":', _field_form(field)) for field in descriptor.fields}


def _field_form(field: FieldDescriptor) -> _Form:
    form = _value_form(field)
    return partial(_list, form) if field.is_repeated else form


def _value_form(field: FieldDescriptor) -> _Form:
    if field.message_type is not None:
        return _message_form(field.message_type)
    if field.enum_type is not None:
        return _named(field)
    if field.type == FieldDescriptor.TYPE_STRING:
        return _digest if is_digest_field(field) else _text
    if field.type == FieldDescriptor.TYPE_BOOL:
        return _BOOLEANS.__getitem__
    upper = UPPER_BOUND.get(field.name, math.inf)
    if field.type == FieldDescriptor.TYPE_DOUBLE:
        return partial(_real, upper if field.name in UPPER_BOUND else None)
    if field.cpp_type in INTEGERS:
        return partial(_integer, upper, "{}" if field.type == FieldDescriptor.TYPE_INT32 else '"{}"')
    return _other


def _message_form(descriptor: Descriptor) -> _Form:
    if descriptor is timestamp_pb2.Timestamp.DESCRIPTOR:
        return _time
    if descriptor is duration_pb2.Duration.DESCRIPTOR:
        return _duration
    if descriptor.file.package == "google.protobuf" or descriptor.GetOptions().map_entry:
        return _other
    return _object


def _named(field: FieldDescriptor) -> _Form:
    """Return what writes an enum by its name; UNSPECIFIED says no more than a field that is not there."""
    assert field.enum_type is not None
    return {value.number: f'"{value.name}"' for value in field.enum_type.values if value.number}.__getitem__


def _list(form: _Form, values: Any) -> str:
    if len(values) > MAX_LIST:
        raise _NotPlain
    return "[" + ",".join([form(value) for value in values]) + "]"


def _text(value: str) -> str:
    # Nearly every text is short and printable; asking `text_problem` takes longer.
    if (len(value) > _SHORT or not value.isprintable()) and text_problem(value) is not None:
        raise _NotPlain
    return canonical_text(value)


def _digest(value: str) -> str:
    if not DIGEST.fullmatch(value):
        raise _NotPlain
    return f'"{value}"'


def _integer(upper: float, shown: str, value: int) -> str:
    if not 0 <= value <= upper:
        raise _NotPlain
    return shown.format(value)


def _real(upper: float | None, value: float) -> str:
    if not math.isfinite(value) or not (upper is None or 0 <= value <= upper):
        raise _NotPlain
    return canonical_number(value)


def _time(time: timestamp_pb2.Timestamp) -> str:
    if time_problem(time) is not None:
        raise _NotPlain
    nanos = time.nanos
    text = (_EPOCH + timedelta(0, time.seconds)).isoformat()
    if not nanos:
        return f'"{text}Z"'
    if nanos % 1000:
        return f'"{text}.{nanos:09}Z"'
    return f'"{text}.{nanos // 1000:06}Z"' if nanos % 1_000_000 else f'"{text}.{nanos // 1_000_000:03}Z"'


def _duration(duration: duration_pb2.Duration) -> str:
    if not 0 <= duration.seconds <= LONGEST_SECONDS or duration.nanos not in NANOS:
        raise _NotPlain
    return f'"{duration.ToJsonString()}"'


def _other(_: object) -> str:
    raise _NotPlain
