"""The one thread that writes: gathers what waits, runs it in one transaction, answers after the commit."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import Engine, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from release_passport_server.adapters.sql import tables
from release_passport_server.adapters.sql.batch import Batch, Failpoint, Spoiled
from release_passport_server.adapters.sql.engine import RETRY_AFTER
from release_passport_server.adapters.sql.loading import PolicyCache
from release_passport_server.adapters.sql.requests import Request
from release_passport_server.domain.errors import Unavailable

logger = logging.getLogger(__name__)

MAX_BATCH = 64
# While more than one call was in flight, wait this long for the next one before a batch begins.
TICK_SECONDS = 0.0005


class CommitUnknown(Exception):
    """The commit was not answered, and it could not be found out whether it happened."""


class Writer:
    """Gathers requests and commits them in groups; a lone caller waits for nobody."""

    def __init__(
        self,
        engine: Engine,
        name: str,
        policies: PolicyCache,
        clock: Callable[[], datetime],
        before_lock: Failpoint | None = None,
        *,
        check_conflicts: bool = True,
    ) -> None:
        self._engine = engine
        self._name = name
        self._policies = policies
        self._clock = clock
        self._before_lock = before_lock
        self._check_conflicts = check_conflicts
        self._queue: queue.SimpleQueue[Request | None] = queue.SimpleQueue()
        self._batch = 0
        self._crowded = False
        self.commits = 0
        self._thread = threading.Thread(target=self._run, name="passport-writer", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def put(self, request: Request) -> None:
        """Queue a request."""
        self._queue.put(request)

    def stop(self) -> None:
        """Write what is queued, then end."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while True:
            first = self._queue.get()
            if first is None:
                return
            requests, ends = self._gather(first)
            self._crowded = len(requests) > 1
            waiting = [request for request in requests if not request.waiting.gone]
            if waiting:
                self._serve(waiting)
            if ends:
                return

    def _gather(self, first: Request) -> tuple[list[Request], bool]:
        """Return what waits; where others came along lately, wait a moment for more as long as they come."""
        requests = [first]
        while len(requests) < MAX_BATCH:
            try:
                more = self._queue.get(timeout=TICK_SECONDS) if self._crowded else self._queue.get_nowait()
            except queue.Empty:
                break
            if more is None:
                return requests, True
            requests.append(more)
        return requests, False

    def _serve(self, requests: Sequence[Request]) -> None:
        """Run a batch; one that fails is run in halves until the culprit is alone."""
        try:
            self._commit(requests)
        except Spoiled as spoiled:
            spoiled.ask.waiting.fail(spoiled.error)
            rest = [request for request in requests if request is not spoiled.ask]
            if rest:
                self._serve(rest)
        except CommitUnknown:
            text = "the database did not say whether it stored this; ask again with the same request_id"
            for request in requests:
                request.waiting.fail(Unavailable("STORE_UNAVAILABLE", text, retry_after=RETRY_AFTER))
        except Exception as error:  # noqa: BLE001 - whatever it is, every caller is answered
            if len(requests) > 1:
                middle = len(requests) // 2
                self._serve(requests[:middle])
                self._serve(requests[middle:])
            else:
                requests[0].waiting.fail(_told(error))

    def _commit(self, requests: Sequence[Request]) -> None:
        self._batch += 1
        with self._engine.connect() as connection:
            transaction = connection.begin()
            try:
                batch = Batch(
                    connection,
                    requests,
                    self._policies,
                    self._clock,
                    self._before_lock,
                    check_conflicts=self._check_conflicts,
                )
                batch.run()
                dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
                mark = dialect.insert(tables.writers).values(writer=self._name, batch=self._batch)
                connection.execute(
                    mark.on_conflict_do_update(
                        index_elements=["writer"], set_={"batch": mark.excluded["batch"]}
                    )
                )
            except BaseException:
                transaction.rollback()
                raise
            try:
                transaction.commit()
            except SQLAlchemyError as error:
                self._resolve(error)
        self.commits += 1
        batch.answer()

    def _resolve(self, error: SQLAlchemyError) -> None:
        """Find out by the batch's own row whether an unanswered commit happened; raise where it did not."""
        try:
            with self._engine.connect() as connection:
                c = tables.writers.c
                found = connection.execute(select(c.batch).where(c.writer == self._name)).scalar()
        except SQLAlchemyError as unknown:
            raise CommitUnknown from unknown
        if found != self._batch:
            raise error


def _told(error: Exception) -> Exception:
    """Return what the caller is told: nothing of the database's own words."""
    if isinstance(error, SQLAlchemyError):
        logger.error("a write failed", extra={"error": type(error).__name__, "detail": str(error)[:500]})
        text = "the store does not answer now; nothing was changed, so ask again"
        return Unavailable("STORE_UNAVAILABLE", text, retry_after=RETRY_AFTER)
    return error
