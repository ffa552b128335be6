"""What identifies facts that fail, apart from their values: a waiver covers these and no others."""

from __future__ import annotations

from collections.abc import Iterator

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

# Fields that name something, wherever they stand in a kind's facts.
_NAMES = frozenset({"id", "name", "rule", "policy", "check", "incident_id", "ticket", "flag", "uri"})


def identities(facts: Message) -> list[str]:
    """Return everything that facts name, sorted: ids of vulnerabilities, rules, incidents, failed tests."""
    return sorted(set(_named(facts, "")))


def _named(message: Message, path: str) -> Iterator[str]:
    for field, value in message.ListFields():
        at = f"{path}.{field.name}" if path else field.name
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            parts = value if field.is_repeated else (value,)
            for part in parts:
                if isinstance(part, Message):
                    yield from _named(part, at)
        elif field.type == FieldDescriptor.TYPE_STRING and (field.name in _NAMES or field.is_repeated):
            texts = value if field.is_repeated else (value,)
            yield from (f"{at}={text}" for text in texts)
