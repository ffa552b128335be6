"""The facts of an evidence item: their kind and key, their limits, and their normal form."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, NamedTuple

from google.protobuf import duration_pb2, struct_pb2, timestamp_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
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

INTEGERS = frozenset(
    {
        FieldDescriptor.CPPTYPE_INT32,
        FieldDescriptor.CPPTYPE_INT64,
        FieldDescriptor.CPPTYPE_UINT32,
        FieldDescriptor.CPPTYPE_UINT64,
    }
)
_REALS = frozenset({FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT})
UPPER_BOUND = {
    "coverage_percent": 100,
    "rollout_percent": 100,
    "weight": 100,
    "last_weight": 100,
    "slsa_level": 4,
}
DIGEST = re.compile("sha256:[0-9a-f]{64}")
# The years 1 to 9999, and ten thousand years: the ranges of protobuf's own JSON mapping.
_FIRST_SECOND, _LAST_SECOND = -62_135_596_800, 253_402_300_799
LONGEST_SECONDS = 315_576_000_000
NANOS = range(1_000_000_000)


class Facts(NamedTuple):
    """The one kind of facts that is set."""

    # "custom:domain/name" for a custom one.
    kind: str
    # What tells this item from others of its kind and subject; empty where the kind has no key.
    key: str
    # The kind's own message, the Struct of a custom one.
    message: Message


def read_facts(facts: evidence_pb2.EvidenceFacts) -> Facts:
    """Return which facts these are; raise ValueError if none is set."""
    name = facts.WhichOneof("facts")
    if name is None:
        raise ValueError("the evidence has no facts")
    if name == "custom":
        return Facts(CUSTOM_PREFIX + facts.custom.kind, "", facts.custom.facts)
    message: Message = getattr(facts, name)
    key_field = KINDS[name].key_field
    return Facts(name, "" if key_field is None else getattr(message, key_field), message)


def facts_message(facts: evidence_pb2.EvidenceFacts) -> Message:
    """Return the message of the one kind that is set, the Struct of a custom one; raise ValueError if none is."""
    return read_facts(facts).message


def facts_kind(facts: evidence_pb2.EvidenceFacts) -> str:
    """Return the kind's name, "custom:domain/name" for a custom one; raise ValueError if none is set."""
    return read_facts(facts).kind


def facts_key(facts: evidence_pb2.EvidenceFacts) -> str:
    """Return what tells this item from others of its kind and subject; empty where the kind has no key."""
    return read_facts(facts).key


def normalise_facts(facts: evidence_pb2.EvidenceFacts, *, plain: bool = False) -> evidence_pb2.EvidenceFacts:
    """Return a copy without what is no value: numbers that are not finite, UNSPECIFIED, unknown fields.

    `plain` says that every field that is known has a value.
    """
    copy = evidence_pb2.EvidenceFacts()
    copy.CopyFrom(facts)
    copy.DiscardUnknownFields()
    if not plain:
        _normalise(copy)
    return copy


def check_facts(
    facts: evidence_pb2.EvidenceFacts, path: str, *, derived: bool = False, plain: bool = False
) -> list[Violation]:
    """Return what is wrong with the facts, each with its path below `path`; empty when all is well.

    `derived` says that the server will read the facts out of an envelope: then only their kind is needed. `plain` says
    that there is nothing wrong with any field by itself.
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
    violations = [*own, *(() if plain else _check_message(message, here))]
    if len(violations) > MAX_VIOLATIONS:
        more = len(violations) - MAX_VIOLATIONS
        return [*violations[:MAX_VIOLATIONS], Violation(path, f"and {more} more violations")]
    return violations


def time_problem(time: timestamp_pb2.Timestamp) -> str | None:
    """Return what is wrong with a point in time, or None."""
    if _FIRST_SECOND <= time.seconds <= _LAST_SECOND and time.nanos in NANOS:
        return None
    return "must be a time in the years 1 to 9999"


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
    if name != "metric_sample":
        return
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


@dataclass(frozen=True, slots=True)
class _Rule:
    """What follows from a field's descriptor for its values."""

    name: str
    repeated: bool
    holds_messages: bool
    # What is wrong with one value; None where nothing can be, or where it is a message.
    problem: Callable[[Any], str | None] | None
    # Says of a value whether it is none; None where every value is one.
    is_no_value: Callable[[Any], bool] | None


def _check_message(message: Message, path: str) -> list[Violation]:
    """Return what is wrong with any field that is set, at any depth."""
    if isinstance(message, struct_pb2.Struct):
        return list(check_struct(message, path))
    if isinstance(message, timestamp_pb2.Timestamp):
        problem = time_problem(message)
        return [] if problem is None else [Violation(path, problem)]
    if isinstance(message, duration_pb2.Duration):
        if 0 <= message.seconds <= LONGEST_SECONDS and message.nanos in NANOS:
            return []
        return [Violation(path, "must be a duration from 0 to 10,000 years")]
    violations: list[Violation] = []
    rules = _rules(message.DESCRIPTOR)
    for field, value in message.ListFields():
        rule = rules[field]
        if rule.repeated:
            violations += _check_list(rule, value, f"{path}.{rule.name}")
        elif rule.holds_messages:
            violations += _check_message(value, f"{path}.{rule.name}")
        elif rule.problem is not None and (problem := rule.problem(value)) is not None:
            violations.append(Violation(f"{path}.{rule.name}", problem))
    return violations


def _check_list(rule: _Rule, values: Sequence[Any], path: str) -> list[Violation]:
    if len(values) > MAX_LIST:
        return [Violation(path, f"must have at most {MAX_LIST} entries, has {len(values)}")]
    if rule.holds_messages:
        return [
            violation
            for index, entry in enumerate(values)
            for violation in _check_message(entry, f"{path}[{index}]")
        ]
    if rule.problem is None:
        return []
    problems = enumerate(map(rule.problem, values))
    return [Violation(f"{path}[{index}]", problem) for index, problem in problems if problem is not None]


@cache
def _rules(descriptor: Descriptor) -> Mapping[FieldDescriptor, _Rule]:
    """Return what follows from a type for messages of it: every item that comes in is checked by it."""
    return {
        field: _Rule(
            field.name,
            field.is_repeated,
            field.message_type is not None,
            _problem_of(field),
            None if field.is_repeated else _no_value_of(field),
        )
        for field in descriptor.fields
    }


def _problem_of(field: FieldDescriptor) -> Callable[[Any], str | None] | None:
    """Return what says what is wrong with one string, enum or number, if anything can be."""
    if field.type == FieldDescriptor.TYPE_STRING:
        return _digest_problem if is_digest_field(field) else text_problem
    if field.enum_type is not None:
        return partial(_enum_problem, frozenset(field.enum_type.values_by_number))
    if field.name in UPPER_BOUND:
        return partial(_range_problem, UPPER_BOUND[field.name])
    return _integer_problem if field.cpp_type in INTEGERS else None


def is_digest_field(field: FieldDescriptor) -> bool:
    """Say whether a field's texts are digests."""
    return field.name.endswith(("_digest", "_digests"))


def _digest_problem(value: str) -> str | None:
    return None if DIGEST.fullmatch(value) else 'must be "sha256:" and 64 hexadecimal digits in lower case'


def _enum_problem(known: frozenset[int], value: int) -> str | None:
    return None if value in known else f"has no value {value}"


def _range_problem(upper: int, value: float) -> str | None:
    # A number that is not finite is stored as no value, and is no violation.
    return None if not math.isfinite(value) or 0 <= value <= upper else f"must be from 0 to {upper}"


def _integer_problem(value: int) -> str | None:
    return "must not be negative" if value < 0 else None


def _no_value_of(field: FieldDescriptor) -> Callable[[Any], bool] | None:
    """Return what says that a value is none: a number that is not finite, or UNSPECIFIED."""
    if field.cpp_type in _REALS:
        return _is_not_finite
    return None if field.enum_type is None else _is_unspecified


def _is_not_finite(value: float) -> bool:
    return not math.isfinite(value)


def _is_unspecified(value: int) -> bool:
    return value == 0


def _normalise(message: Message) -> None:
    """Clear, at any depth, each field that is set to what is no value."""
    if isinstance(message, struct_pb2.Struct):
        normalise_struct(message)
        return
    rules = _rules(message.DESCRIPTOR)
    for field, value in message.ListFields():
        rule = rules[field]
        if rule.holds_messages:
            for one in value if rule.repeated else (value,):
                _normalise(one)
        elif rule.is_no_value is not None and rule.is_no_value(value):
            message.ClearField(rule.name)
