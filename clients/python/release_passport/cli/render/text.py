"""Text for people: cleaned of what a terminal would obey, and laid out in lines with styles."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

# Escape sequences first, so that their letters do not stay behind; then whatever control character is left, and the
# characters that turn the direction of the text or cannot be seen.
_ESCAPES = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[PX^_][^\x1b]*(?:\x1b\\)?|.)?"
)
_CONTROLS = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)


def clean(text: str) -> str:
    """Return the text without escape sequences and control characters; newlines and tabs stay."""
    return _CONTROLS.sub("", _ESCAPES.sub("", text.replace("\r\n", "\n")))


def clean_line(text: str) -> str:
    """Return the text cleaned and on one line."""
    return " ".join(clean(text).split())


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a line in one style: strong, dim, or a verdict's."""

    text: str
    style: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A line, how far it stands in, and how far what wraps from it stands in."""

    spans: tuple[Span, ...] = ()
    indent: int = 0
    hang: int = 0

    def __str__(self) -> str:
        """Return the line without styles."""
        return (" " * self.indent + "".join(span.text for span in self.spans)).rstrip()


@dataclass(slots=True)
class Document:
    """Lines in order."""

    lines: list[Line] = field(default_factory=list)

    def add(self, *parts: str | Span, indent: int = 0, hang: int = 0) -> None:
        """Add a line of pieces; every piece is cleaned and kept on the line."""
        spans = tuple(part if isinstance(part, Span) else Span(part) for part in parts)
        cleaned = tuple(Span(_one_line(span.text), span.style) for span in spans)
        self.lines.append(Line(cleaned, indent, hang))

    def gap(self) -> None:
        """Add an empty line, unless there is one already."""
        if self.lines and self.lines[-1].spans:
            self.lines.append(Line())

    def __str__(self) -> str:
        """Return the document as plain text."""
        return "\n".join(str(line) for line in self.lines).strip("\n") + "\n"


def _one_line(text: str) -> str:
    return re.sub(r"[\n\t]+", " ", clean(text))


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], *, empty: str) -> Document:
    """Return aligned columns under their headers, or the text for none."""
    document = Document()
    if not rows:
        document.add(Span(empty, "dim"))
        return document
    cleaned = [tuple(clean_line(cell) for cell in row) for row in rows]
    widths = [max(len(row[i]) for row in (tuple(headers), *cleaned)) for i in range(len(headers))]
    document.add(Span("  ".join(h.upper().ljust(w) for h, w in zip(headers, widths, strict=True)), "dim"))
    for row in cleaned:
        document.add("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)))
    return document


def pairs(items: list[tuple[str, str]]) -> Document:
    """Return names with values, aligned; empty values are left out."""
    document = Document()
    shown = [(name, clean_line(value)) for name, value in items if value]
    width = max((len(name) for name, _ in shown), default=0)
    for name, value in shown:
        document.add(Span(name.ljust(width), "dim"), "  ", value, hang=width + 2)
    return document
