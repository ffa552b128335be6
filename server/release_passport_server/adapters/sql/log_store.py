"""The log in the database: leaves out of the audit table, tiles and checkpoints in tables of their own."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, Table, and_, delete, insert, literal, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from release_passport_server.adapters.sql.failures import told
from release_passport_server.adapters.sql.tables import audit, heads, log_heads, log_tiles
from release_passport_server.domain.errors import Conflict
from release_passport_server.ports.log import LogIdentity, LogLeaf, Publication

logger = logging.getLogger(__name__)
CHECKPOINT = "checkpoint"


class SQLLog:
    """Leaves, tiles and checkpoints of every tenant; its methods block."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def leaves(self, tenant: str, first: int, count: int) -> Sequence[LogLeaf]:
        """Return committed leaves in their order; heads are locked until they are committed, so none comes later."""
        c = audit.c
        rows = select(c.leaf_index, c.leaf, c.salt, c.body).where(c.tenant == tenant, c.leaf_index >= first)
        rows = rows.order_by(c.leaf_index).limit(count)
        with self._begun(reads=True) as connection:
            return [LogLeaf(row.leaf_index, row.leaf, row.salt, row.body) for row in connection.execute(rows)]

    def behind(self, origin_of: Callable[[str], str]) -> Mapping[str, int]:
        """Return how many leaves of each tenant are in no tree yet; none where all are."""
        c = heads.c
        with self._begun(reads=True) as connection:
            written = connection.execute(select(c.tenant, c.leaf_count).where(c.leaf_count > 0)).all()
            rows = connection.execute(select(log_heads.c.tenant, log_heads.c.origin, log_heads.c.size)).all()
        logged = {(row.tenant, row.origin): row.size for row in rows}
        left = {
            row.tenant: row.leaf_count - logged.get((row.tenant, origin_of(row.tenant)), 0) for row in written
        }
        return {tenant: count for tenant, count in left.items() if count > 0}

    def origins(self) -> Mapping[str, int]:
        """Return the names of the logs that were begun, with their sizes."""
        with self._begun(reads=True) as connection:
            rows = connection.execute(select(log_heads.c.origin, log_heads.c.size)).all()
        return {row.origin: row.size for row in rows}

    def written(self) -> Mapping[str, tuple[int, int]]:
        """Return how many leaves each tenant has written, and its epoch."""
        c = heads.c
        with self._begun(reads=True) as connection:
            rows = connection.execute(select(c.tenant, c.leaf_count, c.epoch)).all()
        return {row.tenant: (row.leaf_count, row.epoch) for row in rows}

    def continue_as(self, log: LogIdentity, new: LogIdentity, checkpoint: bytes) -> None:
        """Begin a log with all that is in another one; its checkpoint stands as it was signed."""
        c = log_tiles.c
        with self._begun(reads=False) as connection:
            size = connection.execute(select(log_heads.c.size).where(_of(log_heads, log))).scalar() or 0
            for table in (log_heads, log_tiles):
                connection.execute(delete(table).where(_of(table, new)))
            row = {"tenant": new.tenant, "origin": new.origin, "size": size, "token": 0}
            connection.execute(insert(log_heads).values(checkpoint=checkpoint, **row))
            tiles = select(c.tenant, literal(new.origin), c.path, c.content).where(_of(log_tiles, log))
            connection.execute(insert(log_tiles).from_select(["tenant", "origin", "path", "content"], tiles))

    def begin_epoch(self, epoch: int) -> None:
        """Set the epoch of every tenant."""
        with self._begun(reads=False) as connection:
            connection.execute(update(heads).values(epoch=epoch))

    def read(self, log: LogIdentity, path: str) -> bytes | None:
        """Return what stands at a path, None where there is nothing."""
        if path == CHECKPOINT:
            wanted = select(log_heads.c.checkpoint).where(_of(log_heads, log))
        else:
            wanted = select(log_tiles.c.content).where(_of(log_tiles, log), log_tiles.c.path == path)
        with self._begun(reads=True) as connection:
            content: bytes | None = connection.execute(wanted).scalar()
            return content

    def publish(self, log: LogIdentity, content: Mapping[str, bytes], change: Publication) -> None:
        """Keep tiles and checkpoint in one transaction; raise Conflict where another writer was faster."""
        with self._begun(reads=False) as connection:
            self._move_head(connection, log, change)
            c = log_tiles.c
            if content:
                connection.execute(delete(log_tiles).where(_of(log_tiles, log), c.path.in_(list(content))))
                rows = [
                    {"tenant": log.tenant, "origin": log.origin, "path": path, "content": tile}
                    for path, tile in content.items()
                ]
                connection.execute(insert(log_tiles), rows)
            for beginning in change.obsolete:
                inside = and_(c.path >= beginning, c.path < beginning + "\x7f")
                connection.execute(delete(log_tiles).where(_of(log_tiles, log), inside))

    def _move_head(self, connection: Connection, log: LogIdentity, change: Publication) -> None:
        c = log_heads.c
        row = {"size": change.after, "checkpoint": change.checkpoint, "token": change.token}
        mine = and_(_of(log_heads, log), c.size == change.before, c.token <= change.token)
        if connection.execute(update(log_heads).where(mine).values(**row)).rowcount:
            return
        standing = connection.execute(select(c.size, c.token).where(_of(log_heads, log))).first()
        if standing is None and change.before == 0:
            try:
                connection.execute(insert(log_heads).values(tenant=log.tenant, origin=log.origin, **row))
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
