"""evidence.proto keeps the promises that rules stand on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import cast

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from release_passport.v1 import evidence_pb2
from release_passport_server.domain.kind import CUSTOM, KINDS, Kind

PROTO = Path(__file__).parents[2] / "proto" / "release_passport" / "v1" / "evidence.proto"
OURS = "release_passport."
FACTS = cast(Descriptor, evidence_pb2.EvidenceFacts.DESCRIPTOR)
BINDING = re.compile(
    r"// Binds to: (?P<binds>[a-z, ]+)\. Key: (?P<key>\w+)\. Default max_age: (?P<max_age>\w+)\.\n"
)
# An analysis without a measurement has not measured: such a list is never honestly empty.
NEVER_EMPTY = {"AnalysisMetric.measurements"}


def inner(message: Descriptor) -> Iterator[Descriptor]:
    """Yield the message of each field that holds one."""
    for field in message.fields:
        if field.message_type is not None:
            yield field.message_type


def kind_messages() -> dict[str, Descriptor]:
    """Return the message of each kind by the kind's name."""
    return dict(zip((field.name for field in FACTS.fields), inner(FACTS), strict=True))


def fact_messages() -> Iterator[Descriptor]:
    """Yield each message of ours that can be reached from EvidenceFacts."""
    seen = set()
    queue = list(kind_messages().values())
    while queue:
        message = queue.pop()
        if message.full_name in seen or not message.full_name.startswith(OURS):
            continue
        seen.add(message.full_name)
        queue.extend(inner(message))
        yield message


def comment_of(message: str) -> str:
    """Return the comment above a top-level message."""
    found = re.search(rf"((?:^//.*\n)+)^message {message} {{", PROTO.read_text(), re.MULTILINE)
    assert found, f"{message} has no comment"
    return found.group(1)


def age_text(age: timedelta) -> str:
    minutes = int(age.total_seconds()) // 60
    return f"{minutes // 60}h" if minutes % 60 == 0 else f"{minutes}m"


def kinds() -> dict[str, Kind]:
    return {**KINDS, "custom": CUSTOM}


def test_no_scalar_of_the_facts_reads_as_zero_when_it_is_absent() -> None:
    silent = [
        f"{message.name}.{field.name}"
        for message in fact_messages()
        for field in message.fields
        if not field.is_repeated and not field.has_presence
    ]
    assert silent == []


def test_each_list_of_the_facts_can_say_that_it_is_complete() -> None:
    unsaid = [
        f"{message.name}.{field.name}"
        for message in fact_messages()
        for field in message.fields
        if field.is_repeated and "complete" not in message.fields_by_name
    ]
    assert set(unsaid) == NEVER_EMPTY


def test_the_kinds_are_the_fields_of_the_facts() -> None:
    assert set(kinds()) == {field.name for field in FACTS.oneofs_by_name["facts"].fields}


def test_the_comment_of_each_kind_says_what_the_domain_does() -> None:
    said = {}
    for name, message in kind_messages().items():
        line = BINDING.findall(comment_of(message.name))
        assert len(line) == 1, f"{message.name} must have one line 'Binds to: ...'"
        said[name] = line[0]
    assert said == {
        name: (", ".join(kind.binds), kind.key_field or "none", age_text(kind.max_age))
        for name, kind in kinds().items()
    }


def test_key_and_samples_fields_exist_with_their_types() -> None:
    for name, kind in KINDS.items():
        fields = kind_messages()[name].fields_by_name
        if kind.key_field is not None:
            assert fields[kind.key_field].type == FieldDescriptor.TYPE_STRING, name
        if kind.samples_field is not None:
            assert fields[kind.samples_field].type == FieldDescriptor.TYPE_INT64, name


def test_each_subject_type_is_a_field_of_the_subject() -> None:
    assert list(evidence_pb2.EvidenceSubject.DESCRIPTOR.fields_by_name) == [
        "artifact_digest",
        "source_revision",
        "manifest_digest",
        "release",
        "attempt",
        "workload",
    ]
