"""Pieces of statements that several readers share."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select

from release_passport_server.adapters.sql import tables
from release_passport_server.domain.access import Scope
from release_passport_server.domain.case import MAX_SERIES
from release_passport_server.domain.errors import Invalid, Violation
from release_passport_server.domain.glob import is_exact

_PLACE = re.compile(r"([0-9]{1,18}) ([!-~]{1,512})", re.ASCII)
_EVIDENCE_COLUMNS = [column for column in tables.evidence.c if column.name != "bundle_digest"]


def in_scopes(
    scopes: Sequence[Scope], service: ColumnElement[str], environment: ColumnElement[str]
) -> ColumnElement[bool]:
    """Return the condition that a row lies in one of the scopes; no scope means nothing."""
    if not scopes:
        return false()
    return or_(*(and_(_any(s.services, service), _any(s.environments, environment)) for s in scopes))


def _any(globs: Sequence[str], column: ColumnElement[str]) -> ColumnElement[bool]:
    return or_(*(_like(glob, column) for glob in globs)) if globs else false()


def _like(glob: str, column: ColumnElement[str]) -> ColumnElement[bool]:
    if is_exact(glob):
        return column == glob
    # Ids are lower case, so it does not matter that SQLite's LIKE ignores case; globs are taken as lower case too.
    escaped = glob.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    pattern = escaped.replace("*", "%").replace("?", "_")
    return and_(column.like(pattern, escape="\\"), func.lower(glob) == glob)


def place(revision: int, name: str) -> str:
    """Return where in a list, newest first, a row stands."""
    return f"{revision} {name}"


def before(after: str, revision: ColumnElement[int], name: ColumnElement[str]) -> ColumnElement[bool]:
    """Return the condition that a row comes after this place in a list, newest first; raise Invalid for no place."""
    match = _PLACE.fullmatch(after)
    if match is None:
        text = "the page token is none that a list gave: leave it out and begin again"
        raise Invalid("PAGE_TOKEN_INVALID", text, violations=[Violation("page_token", text)])
    at = int(match[1])
    return or_(revision < at, and_(revision == at, name < match[2]))


def evidence_rows() -> Select[Any]:
    """Return the select of items with their facts."""
    joined = tables.evidence.outerjoin(
        tables.bodies,
        and_(
            tables.bodies.c.tenant == tables.evidence.c.tenant,
            tables.bodies.c.digest == tables.evidence.c.facts_digest,
        ),
    )
    return select(*_EVIDENCE_COLUMNS, tables.bodies.c.body).select_from(joined)


def evidence_about(tenant: str, subjects: Sequence[str]) -> Select[Any]:
    """Return the select of the newest observations of every series about any of the subjects."""
    table = tables.evidence
    place = func.row_number().over(
        partition_by=[table.c.subject, table.c.kind, table.c.key, table.c.source],
        order_by=[table.c.observe_time.desc(), table.c.receive_time.desc(), table.c.name.desc()],
    )
    numbered = (
        select(table.c.name, place.label("place"))
        .where(table.c.tenant == tenant, table.c.subject.in_(subjects))
        .subquery()
    )
    names = select(numbered.c.name).where(numbered.c.place <= MAX_SERIES)
    rows = evidence_rows().where(table.c.tenant == tenant, table.c.name.in_(names))
    return rows.order_by(table.c.observe_time, table.c.receive_time, table.c.name)
