"""The feed as streams read it: changes of decisions in the order of revisions, each with the mark of its history."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, func, select

from release_passport_server.adapters.sql.tables import (
    audit,
    decisions,
    feed,
    feed_scopes,
    heads,
    jobs,
    microseconds,
)
from release_passport_server.domain.canonical import canonical
from release_passport_server.domain.errors import OutOfRange
from release_passport_server.domain.job import REEVALUATE
from release_passport_server.domain.watch import HAPPENINGS, DecisionChange, FeedPart, Happening, Mark

CHECK_BYTES = 8
# A row has a method of the name of the column `index`.
_ROWS: Select[Any] = select(
    feed.c.revision, feed.c.index.label("place"), feed.c.type, feed.c.subject, feed.c.time
)


class FeedBroken(RuntimeError):
    """The feed has a hole, which no commit leaves."""


def head_of(connection: Connection, tenant: str) -> Mark:
    """Return the mark of the newest revision."""
    row = connection.execute(select(heads.c.revision, heads.c.epoch).where(heads.c.tenant == tenant)).first()
    if row is None:
        return Mark(1, 0, b"")
    return mark_of(connection, tenant, row.revision) or Mark(row.epoch, row.revision, b"")


def mark_of(connection: Connection, tenant: str, revision: int) -> Mark | None:
    """Return the mark of a revision; None where the feed does not hold it."""
    c = feed.c
    rows = connection.execute(_ROWS.where(c.tenant == tenant, c.revision == revision).order_by(c.index))
    found = rows.all()
    if not found:
        return None
    return _marks(connection, tenant, found, _epoch(connection, tenant))[revision]


def oldest(connection: Connection, tenant: str) -> int:
    """Return the oldest revision that is kept, 0 where there is none."""
    return connection.execute(select(func.min(feed.c.revision)).where(feed.c.tenant == tenant)).scalar() or 0


def part_after(connection: Connection, tenant: str, revision: int, most: int) -> FeedPart:
    """Return what follows a revision; whole revisions alone, at least one where there is one."""
    rows = _rows(connection, tenant, revision, most)
    epoch = _epoch(connection, tenant)
    if not rows:
        return FeedPart((), {}, mark_of(connection, tenant, revision) or Mark(epoch, revision, b""))
    return _part(connection, tenant, revision, rows, _marks(connection, tenant, rows, epoch))


def part_from(connection: Connection, tenant: str, before: Mark, most: int) -> FeedPart | None:
    """Return what follows a mark; None where it is not of this history any more."""
    rows = _rows(connection, tenant, before.revision - 1, most)
    if not rows or rows[0].revision != before.revision:
        return None
    marks = _marks(connection, tenant, rows, _epoch(connection, tenant))
    if marks[before.revision] != before:
        return None
    later = [row for row in rows if row.revision > before.revision]
    if not later:
        # Nothing follows, or the mark's own revision is as large as a part.
        return part_after(connection, tenant, before.revision, most)
    return _part(connection, tenant, before.revision, later, marks)


def open_releases(connection: Connection, tenant: str, most: int) -> tuple[str, ...]:
    """Return the names of releases whose question is open, by name."""
    c = jobs.c
    rows = select(c.key).where(c.tenant == tenant, c.kind == REEVALUATE).order_by(c.key).limit(most)
    return tuple(connection.execute(rows).scalars())


def trim(connection: Connection, tenant: str, before: datetime, most: int) -> bool:
    """Remove what is older, at most so many revisions, and never the newest; say whether there may be more."""
    row = connection.execute(select(heads.c.revision).where(heads.c.tenant == tenant)).first()
    first = oldest(connection, tenant)
    if row is None or not first:
        return False
    end = min(_first_at(connection, tenant, before, first, row.revision), first + most)
    for table in (feed, feed_scopes):
        connection.execute(delete(table).where(table.c.tenant == tenant, table.c.revision < end))
    return end == first + most


def _part(
    connection: Connection, tenant: str, revision: int, rows: Sequence[Row[Any]], marks: dict[int, Mark]
) -> FeedPart:
    _require_dense(connection, tenant, revision, rows)
    changes = _changes(connection, tenant, rows)
    told = {change.revision: marks[change.revision] for change in changes}
    return FeedPart(changes, told, marks[rows[-1].revision])


def _first_at(connection: Connection, tenant: str, time: datetime, low: int, high: int) -> int:
    """Return the first revision of this time or later, or the newest: times never go back along revisions."""
    while low < high:
        middle = (low + high) // 2
        rows = select(feed.c.time).where(feed.c.tenant == tenant, feed.c.revision == middle)
        found = connection.execute(rows.limit(1)).scalar()
        low, high = (middle + 1, high) if found is not None and found < time else (low, middle)
    return low


def _rows(connection: Connection, tenant: str, revision: int, most: int) -> Sequence[Row[Any]]:
    c = feed.c
    wanted = _ROWS.where(c.tenant == tenant, c.revision > revision).order_by(c.revision, c.index)
    rows = connection.execute(wanted.limit(most)).all()
    if len(rows) < most:
        return rows
    # The last revision may be cut: it is left for the next part, unless it is the only one.
    last = rows[-1].revision
    whole = [row for row in rows if row.revision < last]
    if whole:
        return whole
    return connection.execute(_ROWS.where(c.tenant == tenant, c.revision == last).order_by(c.index)).all()


def _require_dense(connection: Connection, tenant: str, revision: int, rows: Sequence[Row[Any]]) -> None:
    if rows[0].revision != revision + 1 and rows[0].revision == oldest(connection, tenant):
        text = f"revision {revision} is older than what is kept: begin without a resume token"
        raise OutOfRange("REVISION_COMPACTED", text, metadata={"oldest_revision": str(rows[0].revision)})
    expected = revision
    for row in rows:
        if row.revision > expected + 1:
            raise FeedBroken(f"{tenant} has no revision {expected + 1}, but {row.revision}")
        expected = row.revision


def _marks(connection: Connection, tenant: str, rows: Sequence[Row[Any]], epoch: int) -> dict[int, Mark]:
    """Return the mark of each revision: over its events and the salted leaves that the log has of them."""
    c = audit.c
    first, last = rows[0].revision, rows[-1].revision
    leaves = select(c.revision, c.leaf).where(c.tenant == tenant, c.revision.between(first, last))
    said: defaultdict[int, list[object]] = defaultdict(list)
    for row in rows:
        said[row.revision].append([row.type, row.subject, microseconds(row.time)])
    for leaf in connection.execute(leaves.order_by(c.revision, c.index)):
        said[leaf.revision].append(leaf.leaf.hex())
    return {
        revision: Mark(epoch, revision, hashlib.sha256(canonical(texts)).digest()[:CHECK_BYTES])
        for revision, texts in said.items()
    }


def _changes(connection: Connection, tenant: str, rows: Sequence[Row[Any]]) -> tuple[DecisionChange, ...]:
    told = [row for row in rows if row.type in HAPPENINGS]
    if not told:
        return ()
    c = decisions.c
    found = {
        row.name: row
        for row in connection.execute(
            select(c.name, c.release, c.service, c.environment, c.body).where(
                c.tenant == tenant, c.name.in_({row.subject for row in told})
            )
        )
    }
    return tuple(
        DecisionChange(
            Happening(row.type),
            row.revision,
            row.place,
            decision.release,
            decision.service,
            decision.environment,
            decision.body,
        )
        for row in told
        if (decision := found.get(row.subject)) is not None
    )


def _epoch(connection: Connection, tenant: str) -> int:
    return connection.execute(select(heads.c.epoch).where(heads.c.tenant == tenant)).scalar() or 1
