"""Rows that wait to be inserted together, so that a batch costs one statement for each table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

from release_passport_server.adapters.sql import tables
from release_passport_server.adapters.sql.codec import Values

# A later state of these replaces the earlier one.
_REPLACED = {tables.attempts, tables.documents, tables.idempotency}
# These may be there already, and are the same then.
_SHARED = {tables.bodies, tables.series, tables.feed_scopes, tables.release_artifacts}


class Pending:
    """Rows by table, in the order in which they came."""

    def __init__(self) -> None:
        self._rows: defaultdict[Table, list[Values]] = defaultdict(list)
        # Something that waited here has reached the database.
        self.flushed = False

    def __bool__(self) -> bool:
        return bool(self._rows)

    def add(self, table: Table, rows: Iterable[Values]) -> None:
        """Let rows wait."""
        for row in rows:
            self._rows[table].append(row)

    def take(self, other: Pending) -> None:
        """Take over what waits elsewhere."""
        for table, rows in other._rows.items():
            self._rows[table].extend(rows)
        other._rows.clear()
        self.flushed = self.flushed or other.flushed

    def flush(self, connection: Connection) -> None:
        """Insert everything that waits."""
        for table, rows in self._rows.items():
            connection.execute(_insert(table, connection.dialect.name), rows)
            self.flushed = True
        self._rows.clear()


@lru_cache
def _insert(table: Table, dialect: str) -> Any:
    statement: Any = (sqlite if dialect == "sqlite" else postgresql).insert(table)
    if table in _SHARED:
        return statement.on_conflict_do_nothing()
    if table in _REPLACED:
        keys = [column.name for column in table.primary_key]
        others = {one.name: statement.excluded[one.name] for one in table.c if one.name not in keys}
        return statement.on_conflict_do_update(index_elements=keys, set_=others)
    return statement
