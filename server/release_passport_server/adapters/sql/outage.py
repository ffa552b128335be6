"""Whether the database can be used: found out once for everybody, and tried until it can be again."""

from __future__ import annotations

import enum
import logging
import secrets
import threading
from collections.abc import Callable
from time import monotonic

from sqlalchemy import Engine, insert
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from release_passport_server.adapters.sql import tables
from release_passport_server.adapters.sql.failures import (
    is_at_capacity,
    is_read_only,
    speaks_of_the_store,
    unavailable,
)
from release_passport_server.domain.errors import Unavailable

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 0.5
# As much as a large batch writes: a disk that is full takes a row here and there.
TRIAL_BYTES = 1024 * 1024


class State(enum.Enum):
    """What the database can be used for."""

    USABLE = "usable"
    NO_WRITES = "no writes"
    AWAY = "away"


class Outage:
    """Refuses at once what cannot be done, so that nobody finds out alone how long the database stays silent.

    Whoever fails says so. Then, and not before, a thread tries whether the database answers and takes a write, and
    goes on trying until both are so. It needs no calls for that: nobody sends any to a server that is not ready.
    """

    def __init__(self, probe: Callable[[bool], State], pause: float = PAUSE_SECONDS) -> None:
        self._probe = probe
        self._pause = pause
        self._state = State.USABLE
        self._since: float | None = None
        self._writes = False
        self._lock = threading.Lock()
        self._trying: threading.Thread | None = None
        self._closed = threading.Event()

    def refusal(self, *, writes: bool) -> Unavailable | None:
        """Return what to tell a caller without asking the database; None where it is worth asking."""
        if self._state is State.AWAY:
            return unavailable()
        if self._state is State.NO_WRITES and writes:
            return unavailable("the store takes no writes now, and nothing was recorded")
        return None

    def require(self, *, writes: bool = False) -> None:
        """Raise Unavailable where it is known that the database cannot be used."""
        refused = self.refusal(writes=writes)
        if refused is not None:
            raise refused

    def away_since(self) -> float | None:
        """Return since when the database is known not to answer, by the monotonic clock."""
        return self._since

    def failed(self, error: Exception, *, writes: bool) -> None:
        """Look after the database, where the error may be its fault."""
        if speaks_of_the_store(error):
            self.suspect(writes=writes)

    def suspect(self, *, writes: bool = False) -> None:
        """Begin to try the database, unless that is under way."""
        with self._lock:
            self._writes = self._writes or writes
            if self._trying is None and not self._closed.is_set():
                self._trying = threading.Thread(target=self._try, name="passport-outage", daemon=True)
                self._trying.start()

    def close(self) -> None:
        """Stop trying."""
        self._closed.set()
        trying = self._trying
        if trying is not None:
            trying.join()

    def _try(self) -> None:
        while not self._closed.is_set():
            state = self._probe(self._writes)
            with self._lock:
                self._become(state)
                if state is State.USABLE:
                    self._trying, self._writes = None, False
                    return
            self._closed.wait(self._pause)

    def _become(self, state: State) -> None:
        if state is not self._state:
            logger.warning("the database is %s", state.value, extra={"store": state.value})
        self._state = state
        if state is not State.AWAY:
            self._since = None
        elif self._since is None:
            self._since = monotonic()


def probe(engine: Engine, writes: bool) -> State:
    """Return what the database can be used for, after trying to write as much as a batch does."""
    row = {"tenant": "", "digest": f"trial {secrets.token_hex(8)}", "body": secrets.token_bytes(TRIAL_BYTES)}
    reached = False
    try:
        with engine.connect() as connection:
            reached = True
            # A connection of its own: nobody else gets one that was set up for this.
            connection.detach()
            if engine.dialect.name == "sqlite":
                # Little memory, so that the row goes to the disk although it is never committed.
                connection.exec_driver_sql("PRAGMA cache_size = 10")
                connection.rollback()
            transaction = connection.begin()
            try:
                connection.execute(insert(tables.bodies).values(row))
            finally:
                transaction.rollback()
    except SQLAlchemyError as error:
        return _meaning(error, reached=reached, writes=writes)
    return State.USABLE


def _meaning(error: SQLAlchemyError, *, reached: bool, writes: bool) -> State:
    if is_at_capacity(error):
        # It answers, and those who have a connection can go on; the writer may have none.
        return State.NO_WRITES if writes else State.USABLE
    lost = isinstance(error, DBAPIError) and error.connection_invalidated and not is_read_only(error)
    return State.NO_WRITES if reached and not lost else State.AWAY
