"""How long a connection waits for PostgreSQL: never for ever, whatever lies between the two."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from time import monotonic
from typing import Any, Self

import psycopg


class NoAnswerError(psycopg.OperationalError):
    """The database said nothing for too long; the connection is closed."""


@dataclass(slots=True)
class Patience:
    """What to do while the database says nothing.

    The time-outs that the database keeps do not help where its answer is lost on the way, nor do those of TCP
    where something between the two takes every packet and passes nothing on.
    """

    # After so many seconds it is given up.
    answer: float = float("inf")
    # After so many seconds `suspect` is told, once each time.
    silence: float = 2.0
    suspect: Callable[[], None] = lambda: None
    # Since when the database is known to be away: whoever asked before that gets no answer any more.
    away_since: Callable[[], float | None] = lambda: None


class LateCursor(psycopg.Cursor[Any]):
    """A cursor whose answer may be waited for later, together with others."""

    # What the columns of the answer are, where it is not there yet.
    columns: list[psycopg.Column] | None = None

    def execute(self, query: Any, params: Any = None, **more: Any) -> Self:
        """Send a statement, and wait for the answer unless the connection defers that."""
        super().execute(query, params, **more)
        self._patient.sent(self, query)
        return self

    def executemany(self, query: Any, params_seq: Iterable[Any], **more: Any) -> None:
        """Send a statement many times, and wait for the answers."""
        super().executemany(query, params_seq, **more)
        self._patient.synchronize()

    @property
    def description(self) -> list[psycopg.Column] | None:
        """Return the columns of the answer."""
        return self.columns or super().description

    @property
    def _patient(self) -> PatientConnection:
        assert isinstance(self.connection, PatientConnection)
        return self.connection


class PatientConnection(psycopg.Connection[Any]):
    """A connection that is closed where its question is not answered in time.

    One that `pipes` can send several statements before it waits for the answers.
    """

    patience: Patience | None = None
    # Answers are not waited for now.
    defers = False
    _pipe: psycopg.Pipeline | None = None
    _piping: AbstractContextManager[psycopg.Pipeline] | None = None
    _columns: dict[Any, list[psycopg.Column] | None]

    def pipes(self) -> None:
        """Be in the driver's pipeline mode until the end; whoever uses it says BEGIN by itself."""
        # By itself the driver would wait for the answer to BEGIN.
        self.autocommit = True
        self._columns = {}
        self._piping = self.pipeline()
        self._pipe = self._piping.__enter__()

    @property
    def is_piping(self) -> bool:
        """Say whether the connection is in pipeline mode."""
        return self._pipe is not None

    def sent(self, cursor: LateCursor, query: Any) -> None:
        """Wait for a cursor's answer, unless that is deferred and its columns are known from an earlier one."""
        if self._pipe is None:
            return
        if self.defers and query in self._columns:
            cursor.columns = self._columns[query]
            return
        self.synchronize()
        if self.defers:
            self._columns[query] = cursor.description

    def synchronize(self) -> None:
        """Wait for all answers; raise the first error."""
        if self._pipe is not None:
            self._pipe.sync()

    def rollback(self) -> None:
        """Undo the transaction, whatever its statements have come to."""
        while self._pipe is not None and not self.closed:
            # What was sent behind the one that failed fails too, and each says so.
            with suppress(psycopg.Error):
                self._pipe.sync()
                break
        super().rollback()

    def close(self) -> None:
        """Let go of the database."""
        super().close()
        piping, self._piping, self._pipe = self._piping, None, None
        if piping is not None:
            with suppress(psycopg.Error):
                piping.__exit__(None, None, None)

    def wait(self, gen: Generator[Any, Any, Any], *args: Any, **more: Any) -> Any:
        """Return what the generator comes to; raise NoAnswerError where that takes too long."""
        if self.patience is not None:
            gen = _bounded(gen, self.patience)
        try:
            return super().wait(gen, *args, **more)
        except NoAnswerError:
            # Half an answer may still come, which would be taken for the next one's.
            self.pgconn.finish()
            raise


def _bounded(gen: Generator[Any, Any, Any], patience: Patience) -> Generator[Any, Any, Any]:
    """Pass everything on between the generator and the driver, which comes by at least ten times a second."""
    try:
        wanted = next(gen)
        asked, suspected = monotonic(), False
        while True:
            ready = yield wanted
            if not ready:
                suspected = _look_at_the_time(asked, suspected, patience)
            wanted = gen.send(ready) or wanted
    except StopIteration as end:
        return end.value


def _look_at_the_time(asked: float, suspected: bool, patience: Patience) -> bool:
    now, away_since = monotonic(), patience.away_since()
    if now - asked > patience.answer:
        raise NoAnswerError(f"no answer within {patience.answer:g} s")
    if away_since is not None and asked < away_since:
        raise NoAnswerError("the database is away")
    if not suspected and now - asked > patience.silence:
        patience.suspect()
        return True
    return suspected
