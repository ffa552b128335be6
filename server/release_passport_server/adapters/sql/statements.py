"""Pieces of statements that several readers share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Delete,
    FromClause,
    Select,
    Table,
    Text,
    Update,
    and_,
    bindparam,
    case,
    column,
    delete,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    text,
    true,
    tuple_,
    update,
)

from release_passport_server.adapters.sql import tables
from release_passport_server.adapters.sql.documents import LATCHES
from release_passport_server.adapters.sql.lists import among
from release_passport_server.domain.access import Scope
from release_passport_server.domain.case import MAX_SERIES
from release_passport_server.domain.glob import is_exact
from release_passport_server.wire.history import FEW

EVIDENCE_COLUMNS = tuple(one.name for one in tables.evidence.c if one.name != "bundle_digest")
_DECISION_COLUMNS = [one.name for one in tables.decisions.c if one.name != "case_body"]
_VERIFIED = (
    "key",
    "facts_digest",
    "observe_time",
    "verification",
    "verification_reason",
    "signer",
    "samples",
    "inconclusive",
    "proof",
)
# How rollouts stand of what most likely still runs.
_RUNNING = ("", "PASSED", "EXPIRED_WITHOUT_DATA")
_SERIES = ("tenant", "subject", "kind", "key", "source")


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


def evidence_rows(item: Any = tables.evidence, source: FromClause | None = None) -> Select[Any]:
    """Return the select of items with their facts; `source` is what the items are joined to, if anything."""
    whole = (item if source is None else source).outerjoin(tables.bodies, _body_of(item))
    return select(*(item.c[name] for name in EVIDENCE_COLUMNS), tables.bodies.c.body).select_from(whole)


@lru_cache
def evidence_about(dialect: str, *, every: bool) -> Select[Any]:
    """Return the select of the newest observations of every series about any of `:subjects`, oldest first.

    Of kinds `:many` (or of all, where `every`) these are MAX_SERIES, of kinds `:few` FEW, of others one. Several at
    one time may give more: whoever reads cuts them off.
    """
    series = tables.series
    count: Any = literal(MAX_SERIES)
    if not every:
        few, many = (among(dialect, series.c.kind, name) for name in ("few", "many"))
        count = case((many, MAX_SERIES), (few, FEW), else_=1)
    item, source = (_newest_laterally if dialect == "postgresql" else _newest_since)(series, count)
    rows = evidence_rows(item, source).where(
        series.c.tenant == bindparam("tenant"), among(dialect, series.c.subject, "subjects")
    )
    return rows.order_by(item.c.observe_time, item.c.receive_time, item.c.name)


def _newest_laterally(series: Table, count: ColumnElement[int]) -> tuple[Any, FromClause]:
    """Return the series with their newest items; the limit keeps the planner from reading all of the table."""
    item = tables.evidence
    rows = select(item).where(*(item.c[name] == series.c[name] for name in _SERIES)).correlate(series)
    # By nothing but the time, which the index has: any more, and the whole series would be sorted.
    newest = rows.order_by(item.c.observe_time.desc())
    row = newest.fetch(count, with_ties=True).lateral("newest")
    return row, series.join(row, true())


def _newest_since(series: Table, count: ColumnElement[int]) -> tuple[Any, FromClause]:
    """Return the series with the items since the oldest that is wanted, where no subquery can be limited for each."""
    item, older = tables.evidence, tables.evidence.alias("older")

    def time_of(place: int) -> Any:
        times = select(older.c.observe_time).where(*(older.c[name] == series.c[name] for name in _SERIES))
        times = times.order_by(older.c.observe_time.desc()).limit(1).offset(place - 1)
        return times.correlate(series).scalar_subquery()

    since = case((count == 1, time_of(1)), (count == FEW, time_of(FEW)), else_=time_of(MAX_SERIES))
    wanted = and_(
        *(item.c[name] == series.c[name] for name in _SERIES),
        item.c.observe_time >= func.coalesce(since, text("-9223372036854775807")),
    )
    # There is no series without an item; the outer join makes SQLite begin with the series.
    return item, series.outerjoin(item, wanted)


@lru_cache
def histories(dialect: str) -> Select[Any]:
    """Return the select of what earlier rollouts in the same place say of each of the releases `:asked`."""
    asked = given_rows(dialect, "asked", "release", "service", "environment", "content")
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

    passed_before = select(attempt.release).where(
        attempt.tenant == bindparam("tenant"),
        attempt.content_digest == asked.c.content,
        passed,
        # Under its own name it goes back where something else was begun since.
        or_(attempt.release != asked.c.release, _others_since(asked, attempt)),
    )
    restores = passed_before.correlate(asked).exists()
    going_wrong = and_(
        attempt.outcome != "PASSED", or_(_one_of(attempt.outcome, ("", "ROLLED_BACK")), latched)
    )
    return select(
        asked.c.release,
        newest().label("previous"),
        newest(passed, attempt.content_digest != asked.c.content, ~latched).label("target"),
        restores.label("is_restore"),
        # Only asked where there is something to restore, which is seldom.
        case(
            (
                restores,
                newest(
                    attempt.content_digest != asked.c.content,
                    attempt.start_time >= _last_good(asked),
                    going_wrong,
                ),
            )
        ).label("way_back_from"),
        _overtaken_by(asked, newest(_one_of(attempt.outcome, _RUNNING))).label("overtaken_by"),
    )


def _others_since(asked: FromClause, passed: Any) -> Any:
    """Say whether a rollout of other content was begun there after one that passed."""
    other = tables.attempts.alias("since")
    begun = exists().where(
        *_there(other, asked),
        other.c.content_digest != asked.c.content,
        other.c.start_time > passed.start_time,
    )
    return begun.correlate(asked, tables.attempts)


def _last_good(asked: FromClause) -> Any:
    """Return when the last rollout there began whose content stayed, null where none ever did."""
    good = tables.attempts.alias("good")
    times = select(good.c.start_time).where(
        *_there(good, asked), _one_of(good.c.outcome, [one for one in _RUNNING if one])
    )
    return times.correlate(asked).order_by(good.c.start_time.desc()).limit(1).scalar_subquery()


def _one_of(outcome: ColumnElement[str], outcomes: Sequence[str]) -> ColumnElement[bool]:
    """Say whether an outcome is one of these; an IN would be written anew for each execution."""
    return or_(*(outcome == one for one in outcomes))


def _there(attempt: Any, asked: FromClause) -> Sequence[ColumnElement[bool]]:
    return (
        attempt.c.tenant == bindparam("tenant"),
        attempt.c.service == asked.c.service,
        attempt.c.environment == asked.c.environment,
    )


def _overtaken_by(asked: FromClause, running: Any) -> Any:
    """Return the release that runs where it was made after the one asked about, which did not pass there itself."""
    other, own, attempt = (
        tables.releases.alias("running"),
        tables.releases.alias("own"),
        tables.attempts.alias("own_"),
    )
    made = select(own.c.revision).where(own.c.tenant == bindparam("tenant"), own.c.name == asked.c.release)
    passed = exists().where(
        attempt.c.tenant == bindparam("tenant"),
        attempt.c.content_digest == asked.c.content,
        attempt.c.outcome == "PASSED",
    )
    newer = select(other.c.name).where(
        other.c.tenant == bindparam("tenant"),
        other.c.name == running,
        other.c.content_digest != asked.c.content,
        other.c.revision > made.correlate(asked).scalar_subquery(),
        ~passed.correlate(asked),
    )
    return newer.correlate(asked).scalar_subquery()


@lru_cache
def newest_decisions(dialect: str) -> Select[Any]:
    """Return the select of the newest decision of each of the releases `:asked`, without the case's body."""
    asked, table = given_rows(dialect, "asked", "release"), tables.decisions
    if dialect == "postgresql":
        rows = select(table).where(table.c.tenant == bindparam("tenant"), table.c.release == asked.c.release)
        # The limit keeps the planner from reading all of the table.
        row = rows.order_by(table.c.revision.desc()).limit(1).correlate(asked).lateral("newest")
        return decision_rows(row, asked.join(row, true()))
    other = table.alias("other")
    newest = (
        select(func.max(other.c.revision))
        .where(other.c.tenant == bindparam("tenant"), other.c.release == asked.c.release)
        .correlate(asked)
        .scalar_subquery()
    )
    wanted = tuple_(table.c.release, table.c.revision).in_(select(asked.c.release, newest))
    return decision_rows().where(table.c.tenant == bindparam("tenant"), wanted)


def verified_anew(tenant: str, name: str, row: Mapping[str, Any]) -> Update:
    """Return what replaces what came of verifying an item."""
    c = tables.evidence.c
    values = {one: row[one] for one in _VERIFIED}
    return update(tables.evidence).where(c.tenant == tenant, c.name == name).values(values)


def empty_series(tenant: str, row: Mapping[str, Any]) -> Delete:
    """Return what removes the series of an item's subject and kind that no item is in any more."""
    series, item = tables.series, tables.evidence
    there = exists().where(*(item.c[name] == series.c[name] for name in _SERIES))
    about = and_(*(series.c[name] == row[name] for name in ("subject", "kind", "source")))
    return delete(series).where(series.c.tenant == tenant, about, ~there)


def decision_rows(decision: Any = tables.decisions, source: FromClause | None = None) -> Select[Any]:
    """Return the select of decisions without the case's body, which is large and which only a replay reads."""
    columns = (decision.c[name] for name in _DECISION_COLUMNS)
    return select(*columns).select_from(decision if source is None else source)


def given_rows(dialect: str, name: str, *columns: str) -> FromClause:
    """Return a table out of a parameter: a JSON list of objects, so that the statement is always the same."""
    if dialect == "postgresql":
        typed = ", ".join(f'"{one}" text' for one in columns)
        rows = f"SELECT * FROM json_to_recordset(CAST(:{name} AS json)) AS given({typed})"  # noqa: S608
    else:
        parts = ", ".join(f"json_extract(value, '$.{one}') AS \"{one}\"" for one in columns)
        rows = f"SELECT {parts} FROM json_each(:{name})"  # noqa: S608
    return text(rows).columns(*(column(one, Text) for one in columns)).subquery(f"{name}_rows")


def _body_of(item: Any) -> ColumnElement[bool]:
    return and_(tables.bodies.c.tenant == item.c.tenant, tables.bodies.c.digest == item.c.facts_digest)
