"""The heads of tenants: read, locked in sorted order, and moved on as the last statement of a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, and_, bindparam, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from release_passport_server.adapters.sql import tables
from release_passport_server.adapters.sql.batch_state import Head

_HEADS = (
    select(tables.heads)
    .where(tables.heads.c.tenant.in_(bindparam("tenants", expanding=True)))
    # Every process locks in this order, so that none waits for another in a circle.
    .order_by(tables.heads.c.tenant)
)
_LOCKED_HEADS = _HEADS.with_for_update()
_MOVED = (
    update(tables.heads)
    .where(tables.heads.c.tenant == bindparam("of"))
    .values(
        revision=bindparam("to_revision"),
        last_decide_time=bindparam("to_time"),
        leaf_count=bindparam("to_leaves"),
        access_generation=bindparam("to_generation"),
        catalog_revision=bindparam("to_catalog"),
    )
)


class Heads:
    """The heads of the tenants of one batch."""

    def __init__(self, connection: Connection, tenants: Sequence[str]) -> None:
        self._connection = connection
        self._tenants = sorted(tenants)
        self._stored: dict[str, Head] = {}
        self.locked = False
        self.now: dict[str, Head] = {}

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

    def write(self) -> bool:
        """Store the heads that moved; say whether there was one."""
        moved = [
            {
                "of": tenant,
                "to_revision": head.revision,
                "to_time": head.last_decide_time,
                "to_leaves": head.leaf_count,
                "to_generation": head.access_generation,
                "to_catalog": head.catalog_revision,
            }
            for tenant, head in self.now.items()
            if head != self._stored[tenant]
        ]
        if moved:
            self._connection.execute(_MOVED, moved)
        return bool(moved)

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
        rows = self._connection.execute(_LOCKED_HEADS if lock else _HEADS, {"tenants": self._tenants})
        return {
            row.tenant: Head(
                row.revision,
                row.last_decide_time,
                row.leaf_count,
                row.access_generation,
                row.catalog_revision,
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
