"""What people record, for people."""

from __future__ import annotations

from collections.abc import Sequence

from release_passport.cli.render.names import last_part, release_words
from release_passport.cli.render.text import Document, table
from release_passport.cli.render.view import time_words
from release_passport.v1 import freeze_pb2


def freezes(items: Sequence[freeze_pb2.Freeze]) -> Document:
    """Return freezes as a table."""
    rows = [
        (last_part(item.name), item.title, _scope_words(item), freeze_state(item), item.rrule, item.creator)
        for item in items
    ]
    headers = ("id", "title", "where", "state", "recurs", "creator")
    return table(headers, rows, empty="no freezes")


def freeze_state(item: freeze_pb2.Freeze) -> str:
    """Return in a few words whether a freeze is on, and what comes next."""
    if item.HasField("end_time"):
        return f"ended {time_words(item.end_time)}"
    if item.on:
        return f"on until {time_words(item.next_time)}"
    return f"from {time_words(item.next_time)}" if item.HasField("next_time") else "over"


def exemptions(items: Sequence[freeze_pb2.FreezeExemption]) -> Document:
    """Return exemptions from freezes as a table."""
    rows = [
        (
            item.name,
            last_part(item.freeze),
            release_words(item.release),
            item.ticket,
            f"ended by {item.ended_by}" if item.ended_by else f"until {time_words(item.expire_time)}",
            item.creator,
        )
        for item in items
    ]
    return table(("name", "freeze", "release", "ticket", "state", "creator"), rows, empty="no exemptions")


def _scope_words(item: freeze_pb2.Freeze) -> str:
    services = " ".join(item.services) or "*"
    labels = {**item.service_labels, **item.environment_labels}
    words = f"{services} in {' '.join(item.environments) or '*'}"
    return " ".join([words, *(f"{key}={value}" for key, value in sorted(labels.items()))])
