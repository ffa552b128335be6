"""Several reads at once: on the writer's connection to PostgreSQL they take one round trip, elsewhere one each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Connection, CursorResult, Select

from release_passport_server.adapters.sql.patience import PatientConnection


@dataclass(frozen=True, slots=True)
class Read:
    """A statement with what is given to it."""

    statement: Select[Any]
    given: Mapping[str, object]


def together(connection: Connection, reads: Sequence[Read | None]) -> list[CursorResult[Any] | None]:
    """Return what the reads give, in their order; None for those that there was nothing to ask."""
    asked = [read for read in reads if read is not None]
    with unanswered(connection):
        given = [connection.execute(read.statement, read.given) for read in asked[:-1]]
    # With the answer to the last one those to all others are there.
    given += [connection.execute(read.statement, read.given) for read in asked[-1:]]
    answers = iter(given)
    return [None if read is None else next(answers) for read in reads]


@contextmanager
def unanswered(connection: Connection) -> Iterator[None]:
    """Send statements without waiting for their answers, where the connection can: the next one waits for all."""
    if connection.dialect.name != "postgresql":
        yield
        return
    driver = cast(PatientConnection, connection.connection.dbapi_connection)
    driver.defers = True
    try:
        yield
    finally:
        driver.defers = False
