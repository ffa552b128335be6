"""The heads of tenants: read, locked in sorted order, and moved on as the last statement of a batch."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, Connection, Select, and_, bindparam, func, null, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from release_passport_server.adapters.sql import tables
from release_passport_server.adapters.sql.batch_state import Head
from release_passport_server.adapters.sql.bulk import Beside
from release_passport_server.adapters.sql.codec import Values
from release_passport_server.adapters.sql.lists import among
from release_passport_server.adapters.sql.tables import microseconds


@lru_cache
def _heads(dialect: str, *, lock: bool) -> Select[Any]:
    # The database's own time, which all its servers share; SQLite's is the host's.
    time = func.clock_timestamp() if dialect == "postgresql" else null()
    rows = select(tables.heads, time.label("time")).where(among(dialect, tables.heads.c.tenant, "tenants"))
    # Every process locks in this order, so that none waits for another in a circle.
    rows = rows.order_by(tables.heads.c.tenant)
    return rows.with_for_update(of=tables.heads) if lock else rows


_TO = {
    "revision": "to_revision",
    "last_decide_time": "to_time",
    "leaf_count": "to_leaves",
    "access_generation": "to_generation",
    "catalog_revision": "to_catalog",
}
_MOVED = (
    update(tables.heads)
    .where(tables.heads.c.tenant == bindparam("of"))
    .values({column: bindparam(name, type_=BigInteger) for column, name in _TO.items()})
)
_MOVED_FROM_JSON = (
    f"UPDATE heads SET {', '.join(f'{column} = given.{name}' for column, name in _TO.items())}"  # noqa: S608
    f' FROM json_to_recordset(%s::json) AS given("of" text, {", ".join(f"{one} bigint" for one in _TO.values())})'
    ' WHERE heads.tenant = given."of"'
)


class Heads:
    """The heads of the tenants of one batch."""

    def __init__(self, connection: Connection, tenants: Sequence[str]) -> None:
        self._connection = connection
        self._tenants = sorted(tenants)
        self._stored: dict[str, Head] = {}
        self.locked = False
        self.now: dict[str, Head] = {}
        # When the heads were read, by the database's clock; None on SQLite, and where there is no head yet.
        self.time: datetime | None = None

    def read(self, *, lock: bool) -> None:
        """Read the heads, or read and lock them; only locked ones may be moved."""
        found = self._select(lock=lock)
        missing = [tenant for tenant in self._tenants if tenant not in found]
        if missing and lock:
            self._create(missing)
            found = self._select(lock=True)
        self._stored = {tenant: found.get(tenant, Head()) for tenant in self._tenants}
        self.now = {tenant: replace(head) for tenant, head in self._stored.items()}
        self.locked = lock

    def moved(self) -> list[Values]:
        """Return the heads that moved, as they are to be stored."""
        return [
            {
                "of": tenant,
                "to_revision": head.revision,
                "to_time": microseconds(head.last_decide_time),
                "to_leaves": head.leaf_count,
                "to_generation": head.access_generation,
                "to_catalog": head.catalog_revision,
            }
            for tenant, head in self.now.items()
            if head != self._stored[tenant]
        ]

    def write(self) -> None:
        """Store the heads that moved."""
        moved = self.moved()
        if moved:
            self._connection.execute(_MOVED, moved)

    def beside(self) -> list[Beside]:
        """Return what stores the heads that moved, to go along with the batch's rows."""
        moved = self.moved()
        return [Beside("moved", _MOVED_FROM_JSON, json.dumps(moved))] if moved else []

    def catalog_revision(self, tenant: str) -> int | None:
        """Return the revision of the tenant's catalogue, or None where this batch changes it."""
        revision = self.now[tenant].catalog_revision
        return revision if revision == self._stored[tenant].catalog_revision else None

    def changed_since(self, revisions: Mapping[str, int]) -> dict[str, frozenset[str]]:
        """Return the scopes that others' revisions behind the given ones have touched, by tenant."""
        c = tables.feed_scopes.c
        behind = [
            and_(c.tenant == tenant, c.revision > revision, c.revision <= self.now[tenant].revision)
            for tenant, revision in revisions.items()
            if self.now[tenant].revision > revision
        ]
        if not behind:
            return {}
        found: dict[str, set[str]] = {}
        for row in self._connection.execute(select(c.tenant, c.scope).where(or_(*behind)).distinct()):
            found.setdefault(row.tenant, set()).add(row.scope)
        return {tenant: frozenset(scopes) for tenant, scopes in found.items()}

    def _select(self, *, lock: bool) -> dict[str, Head]:
        statement = _heads(self._connection.dialect.name, lock=lock)
        rows = self._connection.execute(statement, {"tenants": self._tenants}).all()
        times = [row.time for row in rows if row.time is not None]
        self.time = max(times).astimezone(UTC) if times else None
        return {
            row.tenant: Head(
                row.revision,
                row.last_decide_time,
                row.leaf_count,
                row.access_generation,
                row.catalog_revision,
                row.epoch,
            )
            for row in rows
        }

    def _create(self, tenants: Sequence[str]) -> None:
        dialect: Any = sqlite if self._connection.dialect.name == "sqlite" else postgresql
        first = {
            "revision": 0,
            "last_decide_time": datetime(1970, 1, 1, tzinfo=UTC),
            "epoch": 1,
            "leaf_count": 0,
            "access_generation": 0,
            "catalog_revision": 0,
        }
        rows = [{"tenant": tenant, **first} for tenant in tenants]
        self._connection.execute(dialect.insert(tables.heads).on_conflict_do_nothing(), rows)
