"""The one thread that writes: gathers what waits, runs it in one transaction, answers after the commit."""

from __future__ import annotations

import json
import logging
import queue
import threading
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Engine, Table, delete, insert, select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from release_passport_server.adapters.sql import tables
from release_passport_server.adapters.sql.batch import Batch, Failpoint, SpoiledError
from release_passport_server.adapters.sql.bulk import Beside
from release_passport_server.adapters.sql.catalog import Catalogs
from release_passport_server.adapters.sql.engine import connect_to_write, session_of
from release_passport_server.adapters.sql.failures import (
    CommitUnknownError,
    begins_anew,
    is_one_request,
    told,
)
from release_passport_server.adapters.sql.outage import Outage
from release_passport_server.adapters.sql.requests import Answer, Request, deliver
from release_passport_server.adapters.sql.standing import StandingAnswers
from release_passport_server.adapters.sql.statistics import Statistics

logger = logging.getLogger(__name__)

MAX_BATCH = 64
# While more than one call was in flight, wait this long for the next one before a batch begins.
TICK_SECONDS = 0.0005
# Once in so many commits the request ids whose time is over are forgotten.
FORGET_EVERY = 500


_MARKED = (
    "UPDATE writers SET batch = given.batch FROM json_to_record(%s::json) AS given(writer text, batch bigint)"
    " WHERE writers.writer = given.writer"
)


class Writer:
    """Gathers requests and commits them in groups; a lone caller waits for nobody."""

    def __init__(
        self,
        engine: Engine,
        name: str,
        clock: Callable[[], datetime],
        outage: Outage,
        *,
        before_lock: Failpoint | None = None,
        turn: AbstractContextManager[object] | None = None,
    ) -> None:
        self._engine = engine
        # Held while a batch is written, where the database takes one writer at a time.
        self._turn = turn or nullcontext()
        self._name = name
        self._outage = outage
        self._statistics = Statistics(engine)
        # Of the last batch.
        self._rows = 0
        self._catalogs = Catalogs()
        self._standing = StandingAnswers()
        self._clock = clock
        self._before_lock = before_lock
        self._queue: queue.SimpleQueue[Request | None] = queue.SimpleQueue()
        # Of the batches that were marked; 0 as long as this writer has no row to mark them in.
        self._batch = 0
        self._crowded = False
        self._connection: Connection | None = None
        # Its session in the database, and those of connections that were given up since the last one was made.
        self._session: int | None = None
        self._abandoned: set[int] = set()
        self.commits = 0
        # Told from the writer's thread which kinds of jobs are due now.
        self.woken: Callable[[Collection[str]], None] | None = None
        # Told from the writer's thread for which tenants changes of decisions were committed.
        self.decided: Callable[[Collection[str]], None] | None = None
        self._thread = threading.Thread(target=self._run, name="passport-writer", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def put(self, request: Request) -> None:
        """Queue a request."""
        self._queue.put(request)

    @property
    def waiting(self) -> int:
        """Return how much is queued."""
        return self._queue.qsize()

    def stop(self) -> None:
        """Write what is queued, then end."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        ends = False
        while not ends:
            first = self._queue.get()
            if first is None:
                break
            requests, ends = self._gather(first)
            self._crowded = len(requests) > 1
            # Nobody is told about what nobody waits for any more: it is not begun.
            waiting = [request for request in requests if not request.waiting.gone]
            refused = self._outage.refusal(writes=True)
            if refused is not None:
                deliver((request.waiting, refused) for request in waiting)
            elif waiting:
                self._serve(waiting)
        self._disconnect()
        if self._batch:
            self._forget(tables.writers, tables.writers.c.writer == self._name)

    def _gather(self, first: Request) -> tuple[list[Request], bool]:
        """Return what waits; where others came along lately, wait a moment for more as long as they come."""
        requests = [first]
        while len(requests) < MAX_BATCH:
            try:
                # Whoever waits already is taken; the tick is for those who are on their way.
                more = self._queue.get_nowait() if self._queue.qsize() else self._late()
            except queue.Empty:
                break
            if more is None:
                return requests, True
            requests.append(more)
        return requests, False

    def _late(self) -> Request | None:
        if not self._crowded:
            raise queue.Empty
        return self._queue.get(timeout=TICK_SECONDS)

    def _serve(self, requests: Sequence[Request]) -> None:
        """Run a batch, without those that spoil it; one that fails is run in halves until the culprit is alone."""
        try:
            self._try(requests)
        except SpoiledError as spoiled:
            same = [one for ask in spoiled.asks for one in ask.same()]
            errors = {id(one): ask.error for ask in spoiled.asks for one in ask.same()}
            deliver((one.waiting, errors[id(one)]) for one in same)
            rest = [request for request in requests if id(request) not in errors]
            if rest:
                self._serve(rest)
        except Exception as error:
            if len(requests) > 1 and is_one_request(error):
                middle = len(requests) // 2
                self._serve(requests[:middle])
                self._serve(requests[middle:])
            else:
                logger.exception("a batch failed", extra={"requests": len(requests)})
                self._outage.failed(error, writes=True)
                deliver((request.waiting, told(error)) for request in requests)

    def _try(self, requests: Sequence[Request]) -> None:
        """Commit a batch; begin once more where the database broke off before anything was committed."""
        try:
            answers = self._commit(requests)
        except DBAPIError as error:
            if not begins_anew(error):
                raise
            answers = self._commit(requests)
        deliver(answers)
        # Whoever asked has the answer by now; only the next batch waits for this.
        rows, self._rows = self._rows, 0
        self._statistics.wrote(rows)

    def _commit(self, requests: Sequence[Request]) -> list[Answer]:
        connection = self._connected()
        try:
            with self._turn:
                answers = self._run_batch(connection, requests)
        except SpoiledError:
            raise
        except BaseException:
            # What state the connection is in is not worth finding out.
            self._disconnect()
            raise
        if self.commits % FORGET_EVERY == 0:
            # By itself, so that no head is held meanwhile.
            self._forget(tables.idempotency, tables.idempotency.c.expire_time <= self._clock())
        return answers

    def _run_batch(self, connection: Connection, requests: Sequence[Request]) -> list[Answer]:
        transaction = connection.begin()
        try:
            batch = Batch(
                connection,
                requests,
                self._catalogs,
                self._clock,
                before_lock=self._before_lock,
                marks=self._marks(),
                standing=self._standing,
            )
            if not batch.run():
                transaction.rollback()
                self._keep(batch)
                return batch.answers
        except BaseException:
            transaction.rollback()
            raise
        try:
            transaction.commit()
        except SQLAlchemyError as error:
            self._resolve(error)
            # It happened; the connection that did not say so is of no use to the next batch.
            self._disconnect()
        self.commits += 1
        self._rows = batch.rows
        self._keep(batch)
        if batch.decided and self.decided is not None:
            self.decided(batch.decided)
        if batch.woke and self.woken is not None:
            self.woken(batch.woke)
        return batch.answers

    def _keep(self, batch: Batch) -> None:
        for tenant, about, standing in batch.kept:
            self._standing.keep(tenant, about, standing)

    def _connected(self) -> Connection:
        """Return the writer's own connection, which stays open from batch to batch."""
        if self._connection is None:
            self._connection = connect_to_write(self._engine, self._abandoned)
            self._abandoned.clear()
            self._session = session_of(self._connection)
        return self._connection

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            if self._session is not None:
                self._abandoned.add(self._session)
            with suppress(SQLAlchemyError):
                connection.invalidate()
            with suppress(SQLAlchemyError):
                connection.close()

    def _marks(self) -> list[Beside]:
        """Return what writes the batch's number into the writer's row, for the case that its commit is not answered."""
        if self._engine.dialect.name == "sqlite":
            # A commit inside the process is always answered.
            return []
        if self._batch == 0:
            with self._engine.begin() as other:
                other.execute(insert(tables.writers).values(writer=self._name, batch=0))
        self._batch += 1
        mark = json.dumps({"writer": self._name, "batch": self._batch})
        return [Beside("marked", _MARKED, mark)]

    def _resolve(self, error: SQLAlchemyError) -> None:
        """Find out by the batch's own row whether an unanswered commit happened; raise where it did not."""
        if self._engine.dialect.name == "sqlite":
            raise error
        try:
            with self._engine.begin() as connection:
                c = tables.writers.c
                # The lock waits for a commit that is still under way.
                rows = select(c.batch).where(c.writer == self._name).with_for_update()
                found = connection.execute(rows).scalar()
        except SQLAlchemyError as unknown:
            raise CommitUnknownError from unknown
        if found != self._batch:
            raise error

    def _forget(self, table: Table, which: ColumnElement[bool]) -> None:
        """Remove rows that nobody will ask for any more; they may as well stay a while longer."""
        try:
            with self._engine.begin() as connection:
                connection.execute(delete(table).where(which))
        except SQLAlchemyError:
            logger.warning("rows that nobody needs stay behind", exc_info=True)
