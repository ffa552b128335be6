"""Has PostgreSQL look at tables that grow fast: by itself it does so up to a minute after the first rows came."""

from __future__ import annotations

import logging

from sqlalchemy import Engine, text

from release_passport_server.adapters.sql.tables import metadata

logger = logging.getLogger(__name__)

# After so many rows of this process it is looked which tables nobody has looked at, and then after four times as many.
FIRST, LAST = 1000, 100_000
# A table of this size is read by indexes; of a smaller one any plan will do.
BYTES = 16 * 8192

_NOT_LOOKED_AT = text(
    "SELECT relname FROM pg_class WHERE relname = ANY(:names) AND relnamespace = current_schema()::regnamespace"
    " AND pg_relation_size(oid) >= :bytes"
    # Of a table that was empty then there are none; the view shows everybody those of their own tables.
    " AND NOT EXISTS (SELECT FROM pg_stats WHERE schemaname = current_schema() AND tablename = relname)"
)


class Statistics:
    """What one writer has put, until PostgreSQL has looked at it once."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._rows = 0
        self._next = FIRST if engine.dialect.name == "postgresql" else LAST

    def wrote(self, rows: int) -> None:
        """Count rows that were committed, and look at the tables where it is time."""
        self._rows += rows
        if self._next >= LAST or self._rows < self._next:
            return
        while self._next <= self._rows:
            self._next *= 4
        try:
            self._look()
        except Exception:
            # What was committed must not seem to have failed.
            logger.warning("PostgreSQL could not look at its tables", exc_info=True)

    def _look(self) -> None:
        with self._engine.begin() as connection:
            given = {"names": sorted(metadata.tables), "bytes": BYTES}
            names = connection.execute(_NOT_LOOKED_AT, given).scalars().all()
            if names:
                connection.exec_driver_sql(f"ANALYZE {', '.join(names)}")
