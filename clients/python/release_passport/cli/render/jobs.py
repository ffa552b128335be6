"""Dead jobs, for people."""

from __future__ import annotations

from collections.abc import Sequence

from release_passport.cli.render.text import Document, pairs, table
from release_passport.cli.render.view import time_words
from release_passport.v1 import job_service_pb2


def jobs(items: Sequence[job_service_pb2.DeadJob]) -> Document:
    """Return dead jobs as a table."""
    rows = [
        (
            one.kind,
            one.key,
            str(one.attempts),
            time_words(one.dead_time),
            one.error.splitlines()[0] if one.error else "",
        )
        for one in items
    ]
    return table(("kind", "key", "tries", "given up", "last error"), rows, empty="nothing was given up")


def answered(kind: str, key: str, what: str) -> Document:
    """Return what becomes of a job."""
    return pairs([("job", f"{kind} {key}"), ("it", what)])
