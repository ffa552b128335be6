"""How long a connection waits for PostgreSQL: never for ever, whatever lies between the two."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from time import monotonic
from typing import Any

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


class PatientConnection(psycopg.Connection[Any]):
    """A connection that is closed where its question is not answered in time."""

    patience: Patience | None = None

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
