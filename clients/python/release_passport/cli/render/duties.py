"""Who did what about releases: a table for people, CSV for spreadsheets, Markdown for reports."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from release_passport.cli.render.markdown import escape
from release_passport.cli.render.names import release_words
from release_passport.cli.render.spreadsheet import csv_text
from release_passport.cli.render.text import Document, table
from release_passport.cli.render.view import time_words
from release_passport.enum_names import short_name
from release_passport.v1 import audit_pb2

_COLUMNS: tuple[tuple[str, tuple[audit_pb2.Duty, ...]], ...] = (
    ("created", (audit_pb2.DUTY_CREATED,)),
    ("authored", (audit_pb2.DUTY_AUTHORED,)),
    ("submitted", (audit_pb2.DUTY_SUBMITTED,)),
    ("started", (audit_pb2.DUTY_STARTED,)),
    ("approved", (audit_pb2.DUTY_APPROVED,)),
    ("rejected", (audit_pb2.DUTY_REJECTED,)),
    ("waiver asked", (audit_pb2.DUTY_WAIVER_REQUESTED,)),
    ("waiver granted", (audit_pb2.DUTY_WAIVER_GRANTED,)),
    ("overrode", (audit_pb2.DUTY_OVERRODE, audit_pb2.DUTY_RECORDED)),
    ("reviewed", (audit_pb2.DUTY_REVIEWED,)),
    ("exempted", (audit_pb2.DUTY_EXEMPTED,)),
)
_HEADERS = ("release", "time", *(name for name, _ in _COLUMNS), "authors known", "conflicts")


def as_table(items: Sequence[audit_pb2.ReleaseDuties]) -> Document:
    """Return a table of who decided, and under it every conflict in words."""
    found = [_row(item) for item in items]
    # Of many columns most are empty nearly always.
    filled = [i for i in range(len(_HEADERS)) if i == 0 or any(row[i] for row in found)]
    rows = [tuple(row[i] for i in filled) for row in found]
    document = table([_HEADERS[i] for i in filled], rows, empty="no releases")
    document.gap()
    for item in items:
        for conflict in item.conflicts:
            document.add(f"{release_words(item.release)}: {_code(conflict)}: {conflict.text}")
    return document


def as_csv(items: Iterable[audit_pb2.ReleaseDuties]) -> str:
    """Return RFC 4180 text in which no cell is a formula."""
    rows = (
        (item.release, item.create_time.ToJsonString(), *_row(item)[2:], _details(item)) for item in items
    )
    return csv_text((*_HEADERS, "details"), rows)


def as_markdown(items: Iterable[audit_pb2.ReleaseDuties]) -> str:
    """Return a table in Markdown, with the conflicts in words under it."""
    shown = list(items)
    lines = [_line(_HEADERS), "|" + "---|" * len(_HEADERS)]
    lines += [_line([escape(cell) for cell in _row(item)]) for item in shown]
    said = [
        f"- {escape(release_words(item.release))}: {_code(conflict)}: {escape(conflict.text)}"
        for item in shown
        for conflict in item.conflicts
    ]
    return "\n".join([*lines, *(["", *said] if said else [])]) + "\n"


def _row(item: audit_pb2.ReleaseDuties) -> tuple[str, ...]:
    done = (_who(item, duties) for _, duties in _COLUMNS)
    known = "yes" if item.authors_known else "no"
    codes = dict.fromkeys(_code(conflict) for conflict in item.conflicts)
    return (release_words(item.release), time_words(item.create_time), *done, known, " ".join(codes))


def _who(item: audit_pb2.ReleaseDuties, wanted: Sequence[audit_pb2.Duty]) -> str:
    return " ".join(dict.fromkeys(one.principal for one in item.duties if one.duty in wanted))


def _details(item: audit_pb2.ReleaseDuties) -> str:
    return "; ".join(f"{_code(conflict)}: {conflict.text}" for conflict in item.conflicts)


def _code(conflict: audit_pb2.DutyConflict) -> str:
    return short_name(audit_pb2.DutyConflictCode.DESCRIPTOR, conflict.code)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
