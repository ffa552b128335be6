"""Rows by the million into a store of either engine: COPY on PostgreSQL, executemany on SQLite, indexes after."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import Column, Engine, Table, insert, literal, select, update

from release_passport_server.adapters.sql import tables
from release_passport_server.adapters.sql.batch_state import Head
from release_passport_server.adapters.sql.documents import ENVIRONMENTS, SERVICES
from release_passport_server.adapters.sql.engine import DatabaseTimeouts, open_engine
from release_passport_server.adapters.sql.tables import Moment, metadata

Row = Mapping[str, Any]
# The bulk of a store: what is built anew after the rows are in.
_LARGE = (
    "audit", "bodies", "decisions", "evidence", "feed", "feed_scopes", "release_artifacts", "releases", "series",
)  # fmt: skip
_HOURS = 6 * 3600.0


class Bulk:
    """A store that nobody else uses while it is filled."""

    def __init__(self, url: str) -> None:
        patient = DatabaseTimeouts(statement=_HOURS, lock=60, idle=_HOURS, answer=_HOURS)
        self.engine: Engine = open_engine(
            url, pool_size=2, password=os.environ.get("PGPASSWORD"), timeouts=patient
        )
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        # The schema may be newer than these tables; what is not there is not filled.
        self._large = [metadata.tables[name] for name in _LARGE if name in metadata.tables]

    def close(self) -> None:
        """Let go of the database."""
        self.engine.dispose()

    def run(self, *statements: str) -> None:
        """Run statements outside of any transaction."""
        with self._raw() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def heads(self) -> dict[str, Head]:
        """Return the tenants' heads."""
        with self.engine.connect() as connection:
            rows = connection.execute(select(tables.heads)).all()
        names = [field.name for field in fields(Head)]
        return {row.tenant: Head(**{name: getattr(row, name) for name in names}) for row in rows}

    def move(self, heads: Mapping[str, Head]) -> None:
        """Store the heads."""
        with self.engine.begin() as connection:
            for tenant, head in heads.items():
                moved = update(tables.heads).where(tables.heads.c.tenant == tenant)
                connection.execute(moved.values(**asdict(head)))

    def copy_catalog(self, tenant: str, other: str) -> None:
        """Give another tenant the same services, environments and policies."""
        shared = {
            tables.policy_revisions: None,
            tables.documents: tables.documents.c.collection.in_((SERVICES.name, ENVIRONMENTS.name)),
        }
        with self.engine.begin() as connection:
            for table, which in shared.items():
                columns = [literal(other) if c.name == "tenant" else c for c in table.c]
                rows = select(*columns).where(table.c.tenant == tenant)
                rows = rows if which is None else rows.where(which)
                connection.execute(insert(table).from_select(list(table.c.keys()), rows))

    def load(self, rows: Mapping[Table, Sequence[Row]]) -> None:
        """Insert rows, all of them in one transaction."""
        with self._raw() as cursor:
            cursor.execute("BEGIN")
            for table, some in rows.items():
                (self._insert if self.is_sqlite else self._copy)(cursor, table, some)
            cursor.execute("COMMIT")

    @contextmanager
    def without_indexes(self) -> Iterator[None]:
        """Keep the indexes of the large tables away meanwhile, and have statistics after."""
        indexes = [index for table in self._large for index in table.indexes]
        for index in indexes:
            index.drop(self.engine, checkfirst=True)
        if not self.is_sqlite:
            self.run(*(f"ALTER TABLE {table.name} DROP CONSTRAINT pk_{table.name}" for table in self._large))
        yield
        if not self.is_sqlite:
            for table in self._large:
                keys = ", ".join(f'"{column.name}"' for column in table.primary_key)
                self.run(
                    "SET maintenance_work_mem = '512MB'",
                    f"ALTER TABLE {table.name} ADD CONSTRAINT pk_{table.name} PRIMARY KEY ({keys})",
                )
        for index in indexes:
            index.create(self.engine)
        self.settle()

    def settle(self) -> None:
        """Bring the store into the state in which it would be after years: statistics, and nothing left to write."""
        if self.is_sqlite:
            self.run("PRAGMA wal_checkpoint(TRUNCATE)")
        else:
            self.run("SET maintenance_work_mem = '512MB'", "VACUUM (ANALYZE)", "CHECKPOINT")

    @contextmanager
    def _raw(self) -> Iterator[Any]:
        connection = self.engine.raw_connection()
        try:
            driver: Any = connection.driver_connection
            if not self.is_sqlite:
                driver.autocommit = True
            cursor = driver.cursor()
            # Whoever fills a store can do it again: the disk is waited for once, at the end.
            for statement in self._hasty:
                cursor.execute(statement)
            yield cursor
            cursor.close()
        finally:
            connection.invalidate()

    @property
    def _hasty(self) -> Sequence[str]:
        if self.is_sqlite:
            return ("PRAGMA synchronous=OFF", "PRAGMA cache_size=-1000000", "PRAGMA temp_store=FILE")
        return ("SET synchronous_commit = off",)

    @staticmethod
    def _insert(cursor: Any, table: Table, rows: Sequence[Row]) -> None:
        columns = list(table.columns)
        names = ", ".join(f'"{column.name}"' for column in columns)
        marks = ", ".join("?" * len(columns))
        cursor.executemany(
            f"INSERT OR REPLACE INTO {table.name} ({names}) VALUES ({marks})", _tuples(columns, rows)
        )

    @staticmethod
    def _copy(cursor: Any, table: Table, rows: Sequence[Row]) -> None:
        columns = list(table.columns)
        names = ", ".join(f'"{column.name}"' for column in columns)
        with cursor.copy(f"COPY {table.name} ({names}) FROM STDIN".encode()) as copy:
            for row in _tuples(columns, rows):
                copy.write_row(row)


def _tuples(columns: Sequence[Column[Any]], rows: Iterable[Row]) -> Iterator[list[Any]]:
    bound: list[tuple[str, Callable[[Any, Any], Any] | None]] = [
        (column.name, column.type.process_bind_param if isinstance(column.type, Moment) else None)
        for column in columns
    ]
    for row in rows:
        values = [row.get(name) if bind is None else bind(row.get(name), None) for name, bind in bound]
        yield values
