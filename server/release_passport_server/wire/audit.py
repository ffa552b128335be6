"""The audit log as messages, and the strict reading of what is asked about it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from release_passport.v1 import audit_pb2, audit_service_pb2
from release_passport_server.domain.errors import Violation, invalid
from release_passport_server.domain.record import LoggedEntry
from release_passport_server.ports.store import AuditFilter
from release_passport_server.wire.commands import time_or_none
from release_passport_server.wire.text import text_problem
from release_passport_server.wire.times import timestamp

MAX_PATHS = 64
MAX_SUBJECT_BYTES = 512
MAX_LEAF = 2**62
_PATH = re.compile(r"tile/(?:entries|[0-6])/(?:x[0-9]{3}/){0,6}[0-9]{3}(?:\.p/[1-9][0-9]{0,2})?")


def entry_to_proto(entry: LoggedEntry) -> audit_pb2.AuditEntry:
    """Return the resource that shows an entry."""
    return audit_pb2.AuditEntry(
        leaf_index=entry.leaf_index,
        revision=entry.revision,
        principal=entry.principal,
        action=entry.action,
        subject=entry.subject,
        time=timestamp(entry.time),
        body=entry.body or b"",
        salt=entry.salt or b"",
        leaf=entry.leaf,
    )


def filter_of(request: audit_service_pb2.ListAuditEntriesRequest) -> AuditFilter:
    """Return which entries are wanted; raise Invalid."""
    return AuditFilter(
        subject(request.subject),
        time_or_none(request, "from_time"),
        time_or_none(request, "to_time"),
        number(request.from_leaf, "from_leaf"),
    )


def subject(value: str) -> str:
    """Return a name to look for, or nothing; raise Invalid."""
    problem = text_problem(value, max_bytes=MAX_SUBJECT_BYTES)
    if problem is not None:
        raise invalid([Violation("subject", problem)])
    return value


def number(value: int, field: str) -> int:
    """Return a leaf's index or a tree's size; raise Invalid."""
    if not 0 <= value <= MAX_LEAF:
        raise invalid([Violation(field, "must be 0 or a positive number")])
    return value


def paths(given: Sequence[str]) -> tuple[str, ...]:
    """Return paths of the log's files, each once; raise Invalid."""
    if not 1 <= len(given) <= MAX_PATHS:
        raise invalid([Violation("paths", f"must hold 1 to {MAX_PATHS} paths")])
    wrong = [
        Violation(f"paths[{index}]", "must be a path of the layout, such as tile/0/000")
        for index, path in enumerate(given)
        if not is_log_path(path)
    ]
    if wrong:
        raise invalid(wrong)
    return tuple(dict.fromkeys(given))


def is_log_path(path: str) -> bool:
    """Say whether a log can have a tile or a bundle of entries at this path."""
    return _PATH.fullmatch(path) is not None
