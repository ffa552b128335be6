"""Pieces of statements that several readers share."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    Text,
    and_,
    bindparam,
    case,
    column,
    exists,
    false,
    func,
    or_,
    select,
    text,
    true,
    tuple_,
)

from release_passport_server.adapters.sql import tables
from release_passport_server.adapters.sql.documents import LATCHES
from release_passport_server.adapters.sql.lists import among
from release_passport_server.domain.access import Scope
from release_passport_server.domain.case import MAX_SERIES
from release_passport_server.domain.errors import Invalid, Violation
from release_passport_server.domain.glob import is_exact

_EVIDENCE_COLUMNS = [one for one in tables.evidence.c if one.name != "bundle_digest"]
_SERIES = ("tenant", "subject", "kind", "key", "source")
_LAST_REVISION = 2**63 - 1


def in_scopes(
    scopes: Sequence[Scope], service: ColumnElement[str], environment: ColumnElement[str]
) -> ColumnElement[bool]:
    """Return the condition that a row lies in one of the scopes; no scope means nothing."""
    if not scopes:
        return false()
    return or_(*(and_(_any(s.services, service), _any(s.environments, environment)) for s in scopes))


def _any(globs: Sequence[str], place: ColumnElement[str]) -> ColumnElement[bool]:
    return or_(*(_like(glob, place) for glob in globs)) if globs else false()


def _like(glob: str, place: ColumnElement[str]) -> ColumnElement[bool]:
    if glob == "*":
        return true()
    if is_exact(glob):
        return place == glob
    if glob != glob.lower():
        # Ids are in lower case, and SQLite's LIKE would not care.
        return false()
    escaped = glob.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return place.like(escaped.replace("*", "%").replace("?", "_"), escape="\\")


def revision_after(after: str) -> int:
    """Return the revision that a list goes on after; raise Invalid for what no list gave."""
    if not (after.isascii() and after.isdecimal() and int(after[:20]) <= _LAST_REVISION):
        violation = Violation("page_token", "is no place in this list; leave it out to begin at the start")
        raise Invalid("PAGE_TOKEN_INVALID", f"page_token {violation.description}", violations=[violation])
    return int(after[:20])


def newest_first(
    rows: Select[Any], after: str, revision: ColumnElement[int], name: ColumnElement[str]
) -> Select[Any]:
    """Return the rows behind a place in the order of newest revisions, names within one."""
    if after:
        number, _, last_name = after.partition(" ")
        last = revision_after(number if last_name else "")
        rows = rows.where(or_(revision < last, and_(revision == last, name < last_name)))
    return rows.order_by(revision.desc(), name.desc())


def evidence_rows() -> Select[Any]:
    """Return the select of items with their facts."""
    return select(*_EVIDENCE_COLUMNS, tables.bodies.c.body).select_from(
        tables.evidence.outerjoin(tables.bodies, _body_of_item())
    )


@lru_cache
def evidence_about(dialect: str, *, every: bool) -> Select[Any]:
    """Return the select of the newest observations of every series about any of `:subjects`, oldest first.

    Of kinds `:with_history` (or of all, where `every`) these are MAX_SERIES, of others the newest. Several at
    one time may give more: whoever reads cuts them off.
    """
    item, series, older = tables.evidence, tables.series, tables.evidence.alias("older")

    def newest_but(count: int) -> ColumnElement[Any]:
        times = select(older.c.observe_time).where(*(older.c[name] == series.c[name] for name in _SERIES))
        times = times.order_by(older.c.observe_time.desc()).limit(1).offset(count)
        return times.correlate(series).scalar_subquery()

    back = newest_but(MAX_SERIES - 1)
    if not every:
        back = case((among(dialect, series.c.kind, "with_history"), back), else_=newest_but(0))
    wanted = and_(
        *(item.c[name] == series.c[name] for name in _SERIES),
        item.c.observe_time >= func.coalesce(back, text("-9223372036854775807")),
    )
    return (
        select(*_EVIDENCE_COLUMNS, tables.bodies.c.body)
        # There is no series without an item; the outer join makes SQLite begin with the series.
        .select_from(series.outerjoin(item, wanted).outerjoin(tables.bodies, _body_of_item()))
        .where(series.c.tenant == bindparam("tenant"), among(dialect, series.c.subject, "subjects"))
        .order_by(item.c.observe_time, item.c.receive_time, item.c.name)
    )


@lru_cache
def histories(dialect: str) -> Select[Any]:
    """Return the select of what earlier rollouts in the same place say of each of the releases `:asked`."""
    asked = _given(dialect, "asked", "release", "service", "environment", "content")
    attempt = tables.attempts.c
    other = and_(attempt.tenant == bindparam("tenant"), attempt.release != asked.c.release)
    here = and_(other, attempt.service == asked.c.service, attempt.environment == asked.c.environment)
    passed = attempt.outcome == "PASSED"
    document = tables.documents.c
    latched = exists().where(
        document.tenant == attempt.tenant,
        document.collection == LATCHES.name,
        document.key == attempt.content_digest,
    )

    def newest(*conditions: ColumnElement[bool]) -> Any:
        rows = select(attempt.release).where(here, *conditions).correlate(asked)
        return rows.order_by(attempt.start_time.desc()).limit(1).scalar_subquery()

    restores = select(attempt.release).where(other, attempt.content_digest == asked.c.content, passed)
    return select(
        asked.c.release,
        newest().label("previous"),
        newest(passed, attempt.content_digest != asked.c.content, ~latched).label("target"),
        restores.correlate(asked).exists().label("is_restore"),
    )


@lru_cache
def newest_decisions(dialect: str) -> Select[Any]:
    """Return the select of the newest decision of each of the releases `:asked`, without the case's body."""
    asked = _given(dialect, "asked", "release")
    table, other = tables.decisions, tables.decisions.alias("other")
    newest = (
        select(func.max(other.c.revision))
        .where(other.c.tenant == bindparam("tenant"), other.c.release == asked.c.release)
        .correlate(asked)
        .scalar_subquery()
    )
    wanted = tuple_(table.c.release, table.c.revision).in_(select(asked.c.release, newest))
    return decision_rows().where(table.c.tenant == bindparam("tenant"), wanted)


def decision_rows() -> Select[Any]:
    """Return the select of decisions without the case's body, which is large and which only a replay reads."""
    return select(*(one for one in tables.decisions.c if one.name != "case_body"))


def _given(dialect: str, name: str, *columns: str) -> FromClause:
    """Return a table out of a parameter: a JSON list of objects, so that the statement is always the same."""
    if dialect == "postgresql":
        typed = ", ".join(f'"{one}" text' for one in columns)
        rows = f"SELECT * FROM json_to_recordset(CAST(:{name} AS json)) AS given({typed})"  # noqa: S608
    else:
        parts = ", ".join(f"json_extract(value, '$.{one}') AS \"{one}\"" for one in columns)
        rows = f"SELECT {parts} FROM json_each(:{name})"  # noqa: S608
    return text(rows).columns(*(column(one, Text) for one in columns)).subquery(f"{name}_rows")


def _body_of_item() -> ColumnElement[bool]:
    return and_(
        tables.bodies.c.tenant == tables.evidence.c.tenant,
        tables.bodies.c.digest == tables.evidence.c.facts_digest,
    )
