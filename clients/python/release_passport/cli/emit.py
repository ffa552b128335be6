"""Writes the result of a command: a document for people, or a message as data."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from release_passport.cli.session import Session

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from release_passport.cli.render.text import Document


def emit(session: Session, message: Message, document: Document) -> None:
    """Write one result in the form that was asked for."""
    if session.output == "table":
        from release_passport.cli.render.screen import show

        show(document)
        return
    from release_passport.cli.render.machine import write_message

    write_message(message, session.output)


def emit_list(session: Session, messages: Iterable[Message], document: Document) -> None:
    """Write a list of results in the form that was asked for."""
    if session.output == "table":
        from release_passport.cli.render.screen import show

        show(document)
        return
    from release_passport.cli.render.machine import as_data, write_data

    write_data([as_data(message) for message in messages], session.output)


def labels_text(labels: Iterable[tuple[str, str]]) -> str:
    """Return labels on one line."""
    return ", ".join(f"{key}={value}" for key, value in sorted(labels))
