"""Reads what is there out of foreign JSON, and nothing else: what is absent or of another type is unknown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from google.protobuf.message import Message

from release_passport_server.wire.intoto.strict_json import JSON

# RFC 3339, without the leap second that Python does not know.
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,12})?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII)


def at(value: JSON, *path: str) -> JSON:
    """Return what stands at the path of keys, None where the path ends early."""
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def text_at(value: JSON, *path: str) -> str | None:
    """Return the text at the path if it is one and not empty."""
    found = at(value, *path)
    return found if isinstance(found, str) and found else None


def objects_at(value: JSON, *path: str) -> list[dict[str, JSON]] | None:
    """Return the list at the path if it is one and all its entries are objects."""
    found = at(value, *path)
    if not isinstance(found, list):
        return None
    objects = [entry for entry in found if isinstance(entry, dict)]
    return objects if len(objects) == len(found) else None


def texts_at(value: JSON, *path: str) -> list[str] | None:
    """Return the list at the path if it is one and all its entries are texts."""
    found = at(value, *path)
    if not isinstance(found, list):
        return None
    texts = [entry for entry in found if isinstance(entry, str)]
    return texts if len(texts) == len(found) else None


def time_at(value: JSON, *path: str) -> datetime | None:
    """Return the RFC 3339 time at the path, in UTC, if it is one."""
    text = text_at(value, *path)
    if text is None or not _TIME.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def fill(message: Message, **values: str | int | bool | datetime | None) -> None:
    """Set the fields whose value is known."""
    for name, value in values.items():
        if isinstance(value, datetime):
            getattr(message, name).FromDatetime(value)
        elif value is not None:
            setattr(message, name, value)


def walk(entries: list[dict[str, JSON]], inner: str) -> Iterator[dict[str, JSON]]:
    """Yield the objects and all objects in their lists of the same name, however deep."""
    waiting = list(entries)
    while waiting:
        entry = waiting.pop()
        yield entry
        waiting.extend(objects_at(entry, inner) or [])
