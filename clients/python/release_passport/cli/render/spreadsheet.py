"""Tables for spreadsheets: CSV in which no cell is taken for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from release_passport.cli.render.text import clean_line

# What a cell may not begin with: a spreadsheet would work it out as a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def csv_text(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return RFC 4180 text with one line of headers."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n", quoting=csv.QUOTE_ALL)
    writer.writerow(name.replace(" ", "_") for name in headers)
    for row in rows:
        writer.writerow(_plain(cell) for cell in row)
    return out.getvalue()


def _plain(cell: str) -> str:
    line = clean_line(cell)
    return f"'{line}" if line.lstrip().startswith(_FORMULA) else line
