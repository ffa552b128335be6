"""The audit table as it is read: in the order of its leaves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from release_passport_server.adapters.sql.newest import revision_after
from release_passport_server.adapters.sql.tables import audit, heads
from release_passport_server.domain.record import Listed, LoggedEntry, Page
from release_passport_server.ports.store import AuditFilter

# A subject is looked for in so many entries at once: there is no index by subject, which every act would pay for.
SCANNED = 10_000


def leaf_count(connection: Connection, tenant: str) -> int:
    """Return how many entries were written."""
    count = connection.execute(select(heads.c.leaf_count).where(heads.c.tenant == tenant)).scalar()
    return int(count or 0)


def entries_at(connection: Connection, tenant: str, revisions: Sequence[int]) -> tuple[LoggedEntry, ...]:
    """Return the entries of these revisions."""
    c = audit.c
    rows = select(audit).where(c.tenant == tenant, c.revision.in_(revisions)).order_by(c.revision, c.index)
    return tuple(_entry(row) for row in connection.execute(rows))


def list_audit(connection: Connection, tenant: str, wanted: AuditFilter, page: Page) -> Listed[LoggedEntry]:
    """Return entries by leaf; with a subject a part of the list can be short while it goes on."""
    first = max(wanted.from_leaf, revision_after(page.after) + 1 if page.after else 0)
    if wanted.from_time is not None:
        first = max(first, _first_at(connection, tenant, wanted.from_time))
    end = None if wanted.to_time is None else _first_at(connection, tenant, wanted.to_time)
    c = audit.c
    rows = _ordered(select(audit).where(c.tenant == tenant, c.leaf_index >= first))
    if wanted.subject:
        looked_at = min(first + SCANNED, leaf_count(connection, tenant) if end is None else end)
        rows, end = rows.where(c.subject == wanted.subject), looked_at
    if end is not None:
        rows = rows.where(c.leaf_index < end)
    found = [_entry(row) for row in connection.execute(rows.limit(page.size + 1))]
    items = tuple(found[: page.size])
    if len(found) > page.size:
        return Listed(items, str(items[-1].leaf_index))
    goes_on = bool(wanted.subject) and end is not None and end == first + SCANNED
    return Listed(items, str(end - 1) if goes_on and end is not None else "")


def _first_at(connection: Connection, tenant: str, time: datetime) -> int:
    """Return the first leaf of this time or later: times never go back along leaves."""
    low, high = 0, leaf_count(connection, tenant)
    c = audit.c
    while low < high:
        middle = (low + high) // 2
        rows = _ordered(select(c.time).where(c.tenant == tenant, c.leaf_index >= middle))
        found = connection.execute(rows.limit(1)).scalar()
        low, high = (middle + 1, high) if found is not None and found < time else (low, middle)
    return low


def _ordered(rows: Select[Any]) -> Select[Any]:
    return rows.order_by(audit.c.leaf_index)


def _entry(row: Row[Any]) -> LoggedEntry:
    return LoggedEntry(
        leaf_index=row.leaf_index,
        revision=row.revision,
        principal=row.principal,
        action=row.action,
        subject=row.subject,
        time=row.time,
        body=row.body,
        salt=row.salt,
        leaf=row.leaf,
    )
