"""The facts of an evidence item: their kind and key, their limits, and their normal form."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence

from google.protobuf import duration_pb2, struct_pb2, timestamp_pb2
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from release_passport.v1 import evidence_pb2
from release_passport_server.domain.errors import Violation
from release_passport_server.domain.kind import CUSTOM_PREFIX, KINDS, is_custom_name
from release_passport_server.wire.struct_limits import check_struct, normalise_struct
from release_passport_server.wire.text import MAX_ID_BYTES, text_problem

MAX_FACTS_BYTES = 64 * 1024
MAX_LIST = 1000
# More than this many complaints about one item help nobody, and do not fit into an answer's trailer.
MAX_VIOLATIONS = 20

_INTEGERS = frozenset(
    {
        FieldDescriptor.CPPTYPE_INT32,
        FieldDescriptor.CPPTYPE_INT64,
        FieldDescriptor.CPPTYPE_UINT32,
        FieldDescriptor.CPPTYPE_UINT64,
    }
)
_REALS = frozenset({FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT})
_UPPER_BOUND = {
    "coverage_percent": 100,
    "rollout_percent": 100,
    "weight": 100,
    "last_weight": 100,
    "slsa_level": 4,
}
_DIGEST = re.compile("sha256:[0-9a-f]{64}")
# The years 1 to 9999, and ten thousand years: the ranges of protobuf's own JSON mapping.
_FIRST_SECOND, _LAST_SECOND = -62_135_596_800, 253_402_300_799
_LONGEST_SECONDS = 315_576_000_000
_NANOS = range(1_000_000_000)


def facts_message(facts: evidence_pb2.EvidenceFacts) -> Message:
    """Return the message of the one kind that is set, the Struct of a custom one; raise ValueError if none is."""
    name = _field_set(facts)
    message: Message = facts.custom.facts if name == "custom" else getattr(facts, name)
    return message


def facts_kind(facts: evidence_pb2.EvidenceFacts) -> str:
    """Return the kind's name, "custom:domain/name" for a custom one; raise ValueError if none is set."""
    name = _field_set(facts)
    return CUSTOM_PREFIX + facts.custom.kind if name == "custom" else name


def facts_key(facts: evidence_pb2.EvidenceFacts) -> str:
    """Return what tells this item from others of its kind and subject; empty where the kind has no key."""
    name = _field_set(facts)
    key_field = KINDS[name].key_field if name in KINDS else None
    return "" if key_field is None else str(getattr(getattr(facts, name), key_field))


def normalise_facts(facts: evidence_pb2.EvidenceFacts) -> evidence_pb2.EvidenceFacts:
    """Return a copy without what is no value: numbers that are not finite, UNSPECIFIED, unknown fields."""
    copy = evidence_pb2.EvidenceFacts()
    copy.CopyFrom(facts)
    copy.DiscardUnknownFields()
    _normalise(copy)
    return copy


def check_facts(facts: evidence_pb2.EvidenceFacts, path: str, *, derived: bool = False) -> list[Violation]:
    """Return what is wrong with the facts, each with its path below `path`; empty when all is well.

    `derived` says that the server will read the facts out of an envelope: then only their kind is needed.
    """
    name = facts.WhichOneof("facts")
    if name is None:
        return [Violation(path, "required: set exactly one kind of facts that this server knows")]
    size = facts.ByteSize()
    if size > MAX_FACTS_BYTES:
        return [Violation(path, f"must be at most {MAX_FACTS_BYTES} bytes, is {size}")]
    message: Message = getattr(facts, name)
    here = f"{path}.{name}"
    own = [] if derived else _check_kind(facts, name, here)
    violations = [*own, *_check_message(message, here)]
    if len(violations) > MAX_VIOLATIONS:
        more = len(violations) - MAX_VIOLATIONS
        return [*violations[:MAX_VIOLATIONS], Violation(path, f"and {more} more violations")]
    return violations


def time_problem(time: timestamp_pb2.Timestamp) -> str | None:
    """Return what is wrong with a point in time, or None."""
    if _FIRST_SECOND <= time.seconds <= _LAST_SECOND and time.nanos in _NANOS:
        return None
    return "must be a time in the years 1 to 9999"


def _field_set(facts: evidence_pb2.EvidenceFacts) -> str:
    name = facts.WhichOneof("facts")
    if name is None:
        raise ValueError("the evidence has no facts")
    return str(name)


def _check_kind(facts: evidence_pb2.EvidenceFacts, name: str, path: str) -> Iterator[Violation]:
    """Yield what is wrong for this kind alone: its key, its name, its contradictions."""
    if name == "custom":
        if not is_custom_name(facts.custom.kind):
            yield Violation(
                f"{path}.kind", 'must be "domain/name" in lower case, such as "acme.example/load-test"'
            )
        if not facts.custom.HasField("facts"):
            yield Violation(f"{path}.facts", "required")
        return
    key_field = KINDS[name].key_field
    if key_field is not None:
        yield from _check_key(facts_key(facts), f"{path}.{key_field}")
    sample = facts.metric_sample
    if sample.no_data and sample.HasField("value") and math.isfinite(sample.value):
        yield Violation(f"{path}.no_data", "contradicts `value`: leave out the one that is not so")


def _check_key(key: str, path: str) -> Iterator[Violation]:
    if not key:
        yield Violation(path, "required: it tells this item from others of its kind")
    elif key != key.strip() or "\n" in key or "\t" in key:
        yield Violation(path, "must not begin or end with a space, nor contain a newline or tab")
    elif len(key.encode()) > MAX_ID_BYTES:
        yield Violation(path, f"must be at most {MAX_ID_BYTES} bytes")


def _check_message(message: Message, path: str) -> Iterator[Violation]:
    """Yield what is wrong with any field that is set, at any depth."""
    if isinstance(message, struct_pb2.Struct):
        yield from check_struct(message, path)
    elif isinstance(message, timestamp_pb2.Timestamp):
        problem = time_problem(message)
        if problem is not None:
            yield Violation(path, problem)
    elif isinstance(message, duration_pb2.Duration):
        if not 0 <= message.seconds <= _LONGEST_SECONDS or message.nanos not in _NANOS:
            yield Violation(path, "must be a duration from 0 to 10,000 years")
    else:
        for field, value in message.ListFields():
            yield from _check_field(field, value, f"{path}.{field.name}")


def _check_field(field: FieldDescriptor, value: object, path: str) -> Iterator[Violation]:
    if not field.is_repeated:
        yield from _check_value(field, value, path)
        return
    assert isinstance(value, Sequence)
    if len(value) > MAX_LIST:
        yield Violation(path, f"must have at most {MAX_LIST} entries, has {len(value)}")
        return
    for index, entry in enumerate(value):
        yield from _check_value(field, entry, f"{path}[{index}]")


def _check_value(field: FieldDescriptor, value: object, path: str) -> Iterator[Violation]:
    if isinstance(value, Message):
        yield from _check_message(value, path)
        return
    problem = _scalar_problem(field, value)
    if problem is not None:
        yield Violation(path, problem)


def _scalar_problem(field: FieldDescriptor, value: object) -> str | None:
    """Return what is wrong with one string, enum or number, or None."""
    if isinstance(value, str):
        if field.name.endswith(("_digest", "_digests")) and not _DIGEST.fullmatch(value):
            return 'must be "sha256:" and 64 hexadecimal digits in lower case'
        return text_problem(value)
    if field.enum_type is not None:
        return None if value in field.enum_type.values_by_number else f"has no value {value}"
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _number_problem(field, value)
    return None


def _number_problem(field: FieldDescriptor, value: float) -> str | None:
    upper = _UPPER_BOUND.get(field.name)
    # A number that is not finite is stored as no value, and is no violation.
    if upper is not None and math.isfinite(value) and not 0 <= value <= upper:
        return f"must be from 0 to {upper}"
    if field.cpp_type in _INTEGERS and value < 0:
        return "must not be negative"
    return None


def _normalise(message: Message) -> None:
    """Clear, at any depth, each field that is set to what is no value."""
    if isinstance(message, struct_pb2.Struct):
        normalise_struct(message)
        return
    for field, value in message.ListFields():
        if isinstance(value, Message):
            _normalise(value)
        elif field.is_repeated:
            for entry in value:
                if isinstance(entry, Message):
                    _normalise(entry)
        elif _is_no_value(field, value):
            message.ClearField(field.name)


def _is_no_value(field: FieldDescriptor, value: object) -> bool:
    if field.cpp_type in _REALS:
        return not math.isfinite(value)  # type: ignore[arg-type]
    return field.enum_type is not None and value == 0
