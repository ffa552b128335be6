"""Writes documents: with styles and wrapped lines on a terminal, as they are elsewhere."""

from __future__ import annotations

import click

from release_passport.cli.render.text import Document, Line
from release_passport.cli.session import is_terminal

_STYLES = {
    "strong": "bold",
    "dim": "dim",
    "next": "cyan",
    "warning": "bold yellow",
    "ALLOW": "bold green",
    "ALLOW_WITH_CANARY": "bold yellow",
    "REQUIRE_APPROVAL": "bold blue",
    "HOLD": "bold yellow",
    "BLOCK": "bold red",
    "ROLLBACK_RECOMMENDED": "bold white on red",
    "UNSPECIFIED": "bold yellow",
}


def show(document: Document) -> None:
    """Write the document to standard output."""
    if not is_terminal():
        click.echo(str(document), nl=False)
        return
    from rich.console import Console

    console = Console(highlight=False, markup=False, emoji=False)
    for line in document.lines:
        _show_line(console, line)


def _show_line(console: object, line: Line) -> None:
    from rich.console import Console
    from rich.text import Text

    assert isinstance(console, Console)
    text = Text()
    for span in line.spans:
        text.append(span.text, style=_STYLES.get(span.style, ""))
    if not line.spans:
        console.print()
        return
    hang = line.indent + line.hang
    width = max(console.width - hang, 20)
    for index, part in enumerate(text.wrap(console, width, overflow="fold")):
        part.rstrip()
        console.print(
            Text(" " * (hang if index else line.indent)).append_text(part), overflow="ignore", no_wrap=True
        )
