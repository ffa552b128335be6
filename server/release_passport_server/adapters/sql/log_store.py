"""The log in the database: leaves out of the audit table, tiles and checkpoints in tables of their own."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    LargeBinary,
    MetaData,
    String,
    Table,
    and_,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from release_passport_server.adapters.sql.failures import told
from release_passport_server.adapters.sql.tables import audit
from release_passport_server.domain.errors import Conflict
from release_passport_server.ports.log import LogIdentity, LogLeaf, Publication

logger = logging.getLogger(__name__)
CHECKPOINT = "checkpoint"
_ORIGIN = String(256)


@dataclass(frozen=True, slots=True)
class LogTables:
    """The tables of the logs: where each stands, and what it consists of."""

    heads: Table
    tiles: Table


def log_tables(metadata: MetaData) -> LogTables:
    """Return the tables of the logs, part of a schema."""
    heads = Table(
        "log_heads",
        metadata,
        Column("tenant", String(64), primary_key=True),
        Column("origin", _ORIGIN, primary_key=True),
        Column("size", BigInteger, nullable=False),
        Column("checkpoint", LargeBinary, nullable=False),
        # The fencing token of who wrote last: nobody with a lower one writes any more.
        Column("token", BigInteger, nullable=False),
    )
    tiles = Table(
        "log_tiles",
        metadata,
        Column("tenant", String(64), primary_key=True),
        Column("origin", _ORIGIN, primary_key=True),
        Column("path", String(128), primary_key=True),
        Column("content", LargeBinary, nullable=False),
    )
    return LogTables(heads, tiles)


class SQLLog:
    """Leaves, tiles and checkpoints of every tenant; its methods block."""

    def __init__(self, engine: Engine, tables: LogTables) -> None:
        self._engine = engine
        self._heads = tables.heads
        self._tiles = tables.tiles

    def leaves(self, tenant: str, first: int, count: int) -> Sequence[LogLeaf]:
        """Return committed leaves in their order; heads are locked until they are committed, so none comes later."""
        c = audit.c
        rows = select(c.leaf_index, c.leaf, c.salt, c.body).where(c.tenant == tenant, c.leaf_index >= first)
        rows = rows.order_by(c.leaf_index).limit(count)
        with self._begun(reads=True) as connection:
            return [LogLeaf(row.leaf_index, row.leaf, row.salt, row.body) for row in connection.execute(rows)]

    def read(self, log: LogIdentity, path: str) -> bytes | None:
        """Return what stands at a path, None where there is nothing."""
        if path == CHECKPOINT:
            wanted = select(self._heads.c.checkpoint).where(_of(self._heads, log))
        else:
            wanted = select(self._tiles.c.content).where(_of(self._tiles, log), self._tiles.c.path == path)
        with self._begun(reads=True) as connection:
            content: bytes | None = connection.execute(wanted).scalar()
            return content

    def publish(self, log: LogIdentity, content: Mapping[str, bytes], change: Publication) -> None:
        """Keep tiles and checkpoint in one transaction; raise Conflict where another writer was faster."""
        with self._begun(reads=False) as connection:
            self._move_head(connection, log, change)
            c = self._tiles.c
            if content:
                connection.execute(
                    delete(self._tiles).where(_of(self._tiles, log), c.path.in_(list(content)))
                )
                rows = [
                    {"tenant": log.tenant, "origin": log.origin, "path": path, "content": tile}
                    for path, tile in content.items()
                ]
                connection.execute(insert(self._tiles), rows)
            for beginning in change.obsolete:
                inside = and_(c.path >= beginning, c.path < beginning + "\x7f")
                connection.execute(delete(self._tiles).where(_of(self._tiles, log), inside))

    def _move_head(self, connection: Connection, log: LogIdentity, change: Publication) -> None:
        c = self._heads.c
        row = {"size": change.after, "checkpoint": change.checkpoint, "token": change.token}
        mine = and_(_of(self._heads, log), c.size == change.before, c.token <= change.token)
        if connection.execute(update(self._heads).where(mine).values(**row)).rowcount:
            return
        standing = connection.execute(select(c.size, c.token).where(_of(self._heads, log))).first()
        if standing is None and change.before == 0:
            try:
                connection.execute(insert(self._heads).values(tenant=log.tenant, origin=log.origin, **row))
                return
            except IntegrityError as error:
                raise Conflict("LOG_FENCED", f"somebody else began {log.origin} at this moment") from error
        size, token = (0, 0) if standing is None else (standing.size, standing.token)
        text = (
            f"{log.origin} has {size} leaves by the writer with the token {token};"
            f" {change.token} may not go on from {change.before}"
        )
        raise Conflict("LOG_FENCED", text)

    @contextmanager
    def _begun(self, *, reads: bool) -> Iterator[Connection]:
        options = {"passport_reads": reads}
        try:
            with self._engine.connect().execution_options(**options) as connection, connection.begin():
                yield connection
        except SQLAlchemyError as error:
            logger.exception("the log could not be read or written")
            raise told(error) from error


def _of(table: Table, log: LogIdentity) -> Any:
    return and_(table.c.tenant == log.tenant, table.c.origin == log.origin)
