"""The durable record on SQLite or PostgreSQL."""

from __future__ import annotations

import asyncio
import logging
import secrets
import threading
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar, cast

from sqlalchemy import Connection, Engine, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from release_passport_server.adapters.sql import feed_rows, migrate, tables
from release_passport_server.adapters.sql.acts import GATES
from release_passport_server.adapters.sql.aside import Aside
from release_passport_server.adapters.sql.batch import Failpoint
from release_passport_server.adapters.sql.catalog import Catalogs
from release_passport_server.adapters.sql.documents import TENANTS, TOKENS
from release_passport_server.adapters.sql.engine import DatabaseTimeouts, FileLock, database_time, open_engine
from release_passport_server.adapters.sql.failures import RETRY_AFTER, begins_anew, told
from release_passport_server.adapters.sql.lists import among
from release_passport_server.adapters.sql.log_store import SQLLog
from release_passport_server.adapters.sql.outage import Outage, probe
from release_passport_server.adapters.sql.patience import Patience
from release_passport_server.adapters.sql.reader import SQLReader
from release_passport_server.adapters.sql.requests import Act, Ask, Request, Waiting
from release_passport_server.adapters.sql.writer import Writer
from release_passport_server.domain.catalog import Tenant
from release_passport_server.domain.errors import Unavailable
from release_passport_server.domain.gate import Gate
from release_passport_server.domain.record import Listed, Page
from release_passport_server.ports.judging import Judged, Judgement
from release_passport_server.ports.store import Reader, Transaction, Written

logger = logging.getLogger(__name__)
T = TypeVar("T")
MAX_CLOCK_DIFFERENCE = timedelta(seconds=2)
# Far more than are let in at once: callers who gave up stay in the queue until the writer comes by.
MAX_WAITING = 4096
# Revisions that are removed from a feed in one transaction.
TRIMMED_AT_ONCE = 1000


class SQLStore:
    """The store; every call leaves the event loop free."""

    def __init__(
        self,
        engine: Engine,
        writer: Writer,
        outage: Outage,
        clock: Callable[[], datetime],
        *,
        readers: int,
        owned: ExitStack,
        turn: AbstractContextManager[object] | None = None,
    ) -> None:
        self._engine = engine
        self._outage = outage
        self._clock = clock
        self._writer = writer
        self._readers = ThreadPoolExecutor(readers, thread_name_prefix="passport-reader")
        self._owned = owned
        self._turn = turn
        self._catalogs = Catalogs()

    @classmethod
    def open(
        cls,
        url: str,
        clock: Callable[[], datetime],
        *,
        pool_size: int = 10,
        password: str | None = None,
        timeouts: DatabaseTimeouts | None = None,
        before_lock: Failpoint | None = None,
    ) -> SQLStore:
        """Return the store of a database; raise Unavailable where another process has its SQLite file."""
        owned = ExitStack()
        path = sqlite_path(url)
        if path is not None:
            owned.enter_context(FileLock(path))
        outage = Outage(lambda writes: probe(engine, writes))
        engine = open_engine(
            url,
            pool_size=pool_size,
            password=password,
            timeouts=timeouts or DatabaseTimeouts(),
            patience=Patience(suspect=outage.suspect, away_since=outage.away_since),
        )
        owned.callback(engine.dispose)
        owned.callback(outage.close)
        # SQLite lets one write at a time, and has whoever waits for it sleep, longer each time.
        turn = None if path is None else threading.Lock()
        writer = Writer(engine, secrets.token_hex(8), clock, outage, before_lock=before_lock, turn=turn)
        writer.start()
        return cls(engine, writer, outage, clock, readers=pool_size, owned=owned, turn=turn)

    @property
    def aside(self) -> Aside:
        """Return what runs small transactions across tenants, at the database's time."""

        def time(connection: Connection) -> datetime:
            return database_time(connection, self._clock)

        return Aside(self._engine, self._readers, time, self._turn)

    @property
    def log(self) -> SQLLog:
        """Return the leaves and tiles of every tenant's log, whose methods block."""
        return SQLLog(self._engine)

    @property
    def commits(self) -> int:
        """Return how many transactions were committed."""
        return self._writer.commits

    def on_due(self, told: Callable[[Collection[str]], None]) -> None:
        """Have it told, from another thread, which kinds of jobs were just committed that are due at once."""
        self._writer.woken = told

    async def read(self, tenant: str, act: Callable[[Reader], T]) -> T:
        """Run `act` on a snapshot."""
        return await self._off_loop(lambda connection: act(SQLReader(connection, tenant, self._catalogs)))

    async def write(self, tenant: str, act: Callable[[Transaction], T]) -> Written[T]:
        """Run `act` in a transaction that it shares with other writers."""
        return cast("Written[T]", await self._queued(lambda waiting: Act(tenant, act, waiting)))

    async def judge(self, question: Judgement) -> Judged:
        """Decide and record one question, gathered with the others that wait."""
        return cast("Judged", await self._queued(lambda waiting: Ask(question, waiting)))

    async def blocking(self, act: Callable[[], T]) -> T:
        """Run what blocks on one of the threads that read, so that no more connections are taken than there are."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, act)

    async def list_tenants(self, page: Page) -> Listed[Tenant]:
        """Return tenants by id."""

        def act(connection: Connection) -> Listed[Tenant]:
            c = tables.documents.c
            rows = select(c.body).where(c.collection == TENANTS.name, c.id > page.after)
            rows = rows.order_by(c.id).limit(page.size + 1)
            found = [TENANTS.decode(row.body) for row in connection.execute(rows)]
            items = tuple(found[: page.size])
            return Listed(items, items[-1].tenant_id if len(found) > page.size else "")

        return await self._off_loop(act)

    async def tenant_of_token(self, token_id: str) -> str | None:
        """Return the tenant that a token belongs to."""

        def act(connection: Connection) -> str | None:
            c = tables.documents.c
            rows = select(c.tenant).where(c.collection == TOKENS.name, c.id == token_id)
            return connection.execute(rows).scalar()

        return await self._off_loop(act)

    def on_decided(self, told: Callable[[Collection[str]], None]) -> None:
        """Have it told, from another thread, for which tenants this process has just committed changes of decisions."""
        self._writer.decided = told

    async def revisions(self, tenants: Collection[str]) -> Mapping[str, int]:
        """Return the head revision of each of these tenants that has one."""

        def act(connection: Connection) -> dict[str, int]:
            c = tables.heads.c
            dialect = connection.dialect.name
            rows = select(c.tenant, c.revision).where(among(dialect, c.tenant, "tenants"))
            found = connection.execute(rows, {"tenants": sorted(tenants)})
            return {row.tenant: row.revision for row in found}

        return await self._off_loop(act, snapshot=False)

    async def find_gate(self, gate_id: str) -> tuple[str, Gate] | None:
        """Return a gate and the tenant that it belongs to."""

        def act(connection: Connection) -> tuple[str, Gate] | None:
            c = tables.documents.c
            rows = select(c.tenant, c.body).where(c.collection == GATES.name, c.id == gate_id)
            row = connection.execute(rows).first()
            return None if row is None else (str(row.tenant), GATES.decode(row.body))

        return await self._off_loop(act)

    async def trim_feed(self, tenant: str, window: timedelta) -> None:
        """Remove what is older than the window from a tenant's feed, a part at a time."""

        def act(connection: Connection, now: datetime) -> bool:
            return feed_rows.trim(connection, tenant, now - window, TRIMMED_AT_ONCE)

        while await self.aside.write(act):
            pass

    async def ready(self) -> None:
        """Return when the store answers, with a schema that this version can use and a clock like this host's."""

        def look(connection: Connection) -> tuple[bool, datetime]:
            return migrate.is_usable(connection), database_time(connection, self._clock)

        self._outage.require(writes=True)
        # No snapshot: a database that is far away would take several round trips more for that.
        current, time = await self._off_loop(look, snapshot=False)
        if not current:
            text = "the schema is older than this version: run `passport-server migrate`"
            raise Unavailable("STORE_UNAVAILABLE", text, retry_after=RETRY_AFTER)
        if abs(self._clock() - time) > MAX_CLOCK_DIFFERENCE:
            text = "this host's clock differs from the database's by more than 2 s: mend time synchronisation"
            raise Unavailable("STORE_UNAVAILABLE", text, retry_after=RETRY_AFTER)

    def migrate(self) -> None:
        """Bring the schema to this version; blocks."""
        migrate.upgrade(self._engine)

    def schema_usable(self) -> bool:
        """Say whether the schema is this version's, or a later one; blocks."""
        with self._engine.connect().execution_options(passport_reads=True) as connection:
            return migrate.is_usable(connection)

    async def close(self) -> None:
        """Write what is queued, then let go of the database."""
        await asyncio.get_running_loop().run_in_executor(None, self.shut)

    def shut(self) -> None:
        """Write what is queued, then let go of the database; blocks."""
        self._writer.stop()
        self._readers.shutdown()
        self._owned.close()

    async def _queued(self, request: Callable[[Waiting], Request]) -> object:
        self._outage.require(writes=True)
        if self._writer.waiting >= MAX_WAITING:
            text = "too much waits to be written: retry as RetryInfo says"
            raise Unavailable("OVERLOADED", text, retry_after=RETRY_AFTER)
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        self._writer.put(request(Waiting(loop, future)))
        return await future

    async def _off_loop(self, act: Callable[[Connection], T], *, snapshot: bool = True) -> T:
        self._outage.require()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, self._reading, act, snapshot)

    def _reading(self, act: Callable[[Connection], T], snapshot: bool) -> T:
        # Those who waited for a thread need not find out what is known by now.
        self._outage.require()
        try:
            try:
                return self._look(act, snapshot)
            except DBAPIError as error:
                if not begins_anew(error):
                    raise
                return self._look(act, snapshot)
        except SQLAlchemyError as error:
            logger.exception("a read failed")
            self._outage.failed(error, writes=False)
            raise told(error) from error

    def _look(self, act: Callable[[Connection], T], snapshot: bool) -> T:
        options: dict[str, object] = {"passport_reads": True}
        if self._engine.dialect.name == "postgresql":
            level = "REPEATABLE READ" if snapshot else "AUTOCOMMIT"
            options |= {"isolation_level": level, "postgresql_readonly": True}
        with self._engine.connect().execution_options(**options) as connection, connection.begin():
            return act(connection)


def sqlite_path(url: str) -> Path | None:
    """Return the file of a SQLite URL, or None for another database."""
    parsed = make_url(url)
    return Path(parsed.database or "") if parsed.get_backend_name() == "sqlite" else None
