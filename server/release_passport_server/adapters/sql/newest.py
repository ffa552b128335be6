"""Lists, newest first: a page costs as much at any depth and however rare its rows are.

A stream is what has the same values in some columns; an index on these and the revision has its rows in order. Where
a filter means many streams, the newest row of each tells which of them can be on the page at all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    Table,
    and_,
    bindparam,
    func,
    or_,
    select,
    true,
)

from release_passport_server.adapters.sql.statements import given_rows
from release_passport_server.domain.errors import Invalid, Violation

_LAST_REVISION = 2**63 - 1
# Makes the select of rows of a table, or of what has its columns, joined to what is given.
Rows = Callable[[Any, FromClause], Select[Any]]


@dataclass(frozen=True, slots=True)
class Behind:
    """A place in a list: behind it are older revisions, and in the same one lesser names."""

    revision: int
    name: str

    @classmethod
    def parse(cls, after: str) -> Behind | None:
        """Return the place that a list gave; raise Invalid for what no list gave."""
        if not after:
            return None
        number, _, name = after.partition(" ")
        return cls(revision_after(number if name else ""), name)


def revision_after(after: str) -> int:
    """Return the revision that a list goes on after; raise Invalid for what no list gave."""
    if not (after.isascii() and after.isdecimal() and int(after[:20]) <= _LAST_REVISION):
        violation = Violation("page_token", "is no place in this list; leave it out to begin at the start")
        raise Invalid("PAGE_TOKEN_INVALID", f"page_token {violation.description}", violations=[violation])
    return int(after[:20])


def newest_first(
    rows: Select[Any], behind: Behind | None, revision: ColumnElement[int], name: ColumnElement[str]
) -> Select[Any]:
    """Return the rows behind a place in the order of newest revisions, names within one."""
    if behind is not None:
        # The first condition is what an index can begin at; both engines read an OR from the top.
        rows = rows.where(revision <= behind.revision, or_(revision < behind.revision, name < behind.name))
    return rows.order_by(revision.desc(), name.desc())


@dataclass(frozen=True)
class Streams:
    """The rows of a tenant that have the same values in `fixed`, and one of several in `columns` together."""

    table: Table
    rows: Rows
    columns: tuple[str, ...]
    values: Sequence[tuple[str, ...]]
    fixed: Mapping[str, str | int] = field(default_factory=dict)

    def page(self, connection: Connection, tenant: str, behind: Behind | None, count: int) -> list[Any]:
        """Return so many rows behind a place, newest revisions first, names within one from the greatest down."""
        given = {"tenant": tenant, "count": count, **self.fixed}
        shape = _Shape(connection.dialect.name, self.table, self.rows, self.columns, tuple(self.fixed))
        found: list[Any] = []
        if behind is not None:
            asked = {"streams": self._json(self.values), "revision": behind.revision}
            same = connection.execute(_of_revision(shape), given | asked)
            found = sorted((row for row in same if row.name < behind.name), key=_name, reverse=True)
        if len(found) < count:
            given["before"] = _LAST_REVISION if behind is None else behind.revision
            found += self._older(connection, shape, given)
        return found[:count]

    def _older(self, connection: Connection, shape: _Shape, given: Mapping[str, object]) -> Iterator[Any]:
        asked = {**given, "streams": self._json(self.values)}
        heads = connection.execute(_newest_of_each(shape), asked).all()
        if not heads:
            return iter(())
        # With so many streams there is no row below the newest of the last of them on the page.
        full = len(heads) >= given["count"]  # type: ignore[operator]
        asked["floor"] = heads[-1].newest if full else 0
        asked["streams"] = self._json([[getattr(head, name) for name in self.columns] for head in heads])
        return iter(connection.execute(_down_to(shape), asked))

    def _json(self, values: Sequence[Sequence[object]]) -> str:
        return json.dumps([dict(zip(self.columns, one, strict=True)) for one in values])


@dataclass(frozen=True, slots=True)
class _Shape:
    """What makes the statements of two lists the same."""

    dialect: str
    table: Table
    rows: Rows
    columns: tuple[str, ...]
    fixed: tuple[str, ...]

    def belongs(self, row: Any, stream: Any) -> ColumnElement[bool]:
        """Return the condition that a row is one of a stream."""
        return and_(
            row.c.tenant == bindparam("tenant"),
            *(row.c[name] == stream.c[name] for name in self.columns),
            *(row.c[name] == bindparam(name) for name in self.fixed),
        )


def _name(row: Any) -> str:
    name: str = row.name
    return name


@lru_cache
def _newest_of_each(shape: _Shape) -> Select[Any]:
    """Return the select of the streams whose newest rows are the newest, with all that are level with the last."""
    stream, other = given_rows(shape.dialect, "streams", *shape.columns), shape.table.alias("other")
    newest = select(func.max(other.c.revision)).where(
        shape.belongs(other, stream), other.c.revision < bindparam("before")
    )
    heads = select(*stream.c, newest.correlate(stream).scalar_subquery().label("newest")).subquery("heads")
    rank = func.rank().over(order_by=heads.c.newest.desc().nulls_last()).label("rank")
    ranked = select(heads, rank).subquery("ranked")
    # Only out here: a condition further in would have each newest row looked up twice.
    there = and_(ranked.c.rank <= bindparam("count"), ranked.c.newest.is_not(None))
    return select(ranked).where(there).order_by(ranked.c.rank)


@lru_cache
def _down_to(shape: _Shape) -> Select[Any]:
    """Return the select of the newest rows of all streams, of each no more than are wanted."""
    row, source = (_newest_laterally if shape.dialect == "postgresql" else _newest_by_bounds)(shape)
    rows = shape.rows(row, source).order_by(row.c.revision.desc(), row.c.name.desc())
    return rows.limit(bindparam("count"))


def _newest_laterally(shape: _Shape) -> tuple[Any, FromClause]:
    """Return the streams with their newest rows; the limit keeps the planner from reading all of the table."""
    stream, table = given_rows(shape.dialect, "streams", *shape.columns), shape.table
    rows = select(*table.c).where(shape.belongs(table, stream), _between(table))
    newest = rows.order_by(table.c.revision.desc()).fetch(bindparam("count"), with_ties=True)
    row = newest.correlate(stream).lateral("newest")
    return row, stream.join(row, true())


def _newest_by_bounds(shape: _Shape) -> tuple[Any, FromClause]:
    """Return the streams with their newest rows, where a subquery cannot be limited for each stream."""
    table, other = shape.table, shape.table.alias("other")
    stream = given_rows(shape.dialect, "streams", *shape.columns)
    last = select(other.c.revision).where(shape.belongs(other, stream), _between(other))
    last = last.order_by(other.c.revision.desc()).limit(1).offset(bindparam("count") - 1)
    oldest = func.coalesce(last.correlate(stream).scalar_subquery(), bindparam("floor"))
    # No stream is without such a row; the outer join makes the planner begin with the streams.
    wanted = and_(
        shape.belongs(table, stream), table.c.revision < bindparam("before"), table.c.revision >= oldest
    )
    return table, stream.outerjoin(table, wanted)


def _between(row: Any) -> ColumnElement[bool]:
    return and_(row.c.revision < bindparam("before"), row.c.revision >= bindparam("floor"))


@lru_cache
def _of_revision(shape: _Shape) -> Select[Any]:
    """Return the select of the streams' rows of one revision."""
    stream, table = given_rows(shape.dialect, "streams", *shape.columns), shape.table
    one = select(stream.c[shape.columns[0]]).where(shape.belongs(table, stream)).correlate(table)
    return shape.rows(table, table).where(
        table.c.tenant == bindparam("tenant"), table.c.revision == bindparam("revision"), one.exists()
    )
