"""Rows of evidence as the driver gives them: the same observations are read again and again, and never change."""

from __future__ import annotations

from functools import lru_cache
from types import SimpleNamespace
from typing import Any, cast

from sqlalchemy import CursorResult, Row

from release_passport_server.adapters.sql import tables
from release_passport_server.adapters.sql.codec import item_of
from release_passport_server.adapters.sql.statements import EVIDENCE_COLUMNS
from release_passport_server.adapters.sql.tables import Moment, moment
from release_passport_server.domain.evidence import EvidenceItem

# Items that are kept in memory, and how large the facts of one may be.
KEPT, KEPT_BYTES = 4096, 4096

_NAMES = (*EVIDENCE_COLUMNS, "body")
_TIMES = [name for name in EVIDENCE_COLUMNS if isinstance(tables.evidence.c[name].type, Moment)]
_SUBJECT, _BODY = _NAMES.index("subject"), _NAMES.index("body")


def items_by_subject(result: CursorResult[Any]) -> list[tuple[str, EvidenceItem]]:
    """Return what a select of `evidence_rows` gave, each item with its subject, past SQLAlchemy's work for each row."""
    assert result.cursor is not None
    rows = result.cursor.fetchall()
    result.close()
    return [(row[_SUBJECT], _item(tuple(row))) for row in rows]


def _item(values: tuple[Any, ...]) -> EvidenceItem:
    return _made(values) if len(values[_BODY] or b"") > KEPT_BYTES else _kept(values)


def _made(values: tuple[Any, ...]) -> EvidenceItem:
    row = SimpleNamespace(**dict(zip(_NAMES, values, strict=True)))
    for name in _TIMES:
        time = getattr(row, name)
        setattr(row, name, None if time is None else moment(time))
    return item_of(cast(Row[Any], row))


# Of the whole row, so that what was revoked or verified anew since is another one.
_kept = lru_cache(KEPT)(_made)
