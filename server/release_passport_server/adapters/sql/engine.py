"""Engines for the two databases, with what each needs to keep its promises."""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Self, cast

from sqlalchemy import Connection, Engine, create_engine, event, func, select
from sqlalchemy.engine import URL, ExceptionContext, make_url
from sqlalchemy.exc import ProgrammingError

from release_passport_server.adapters.sql.failures import READ_ONLY
from release_passport_server.adapters.sql.patience import LateCursor, Patience, PatientConnection
from release_passport_server.adapters.sql.together import unanswered
from release_passport_server.domain.errors import Unavailable

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DatabaseTimeouts:
    """How long the database may take, in seconds."""

    # A connection is there in milliseconds, or the database is away; the driver takes no less than 2.
    connect: float = 3.0
    # Every statement has an index and takes milliseconds: whatever takes this long stands in everybody's way.
    statement: float = 5.0
    # Heads are held for one batch.
    lock: float = 3.0
    # A process that is frozen lets go of its heads; a batch computes for far less between two statements.
    idle: float = 10.0
    # Later than the database's own limits, which say more; for answers that never come.
    answer: float = 6.0


def open_engine(
    url: str,
    *,
    pool_size: int,
    password: str | None,
    timeouts: DatabaseTimeouts,
    patience: Patience | None = None,
) -> Engine:
    """Return an engine for `sqlite:///file` or `postgresql://…`."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed, pool_size, timeouts)
    if password is not None:
        parsed = parsed.set(password=password)
    if patience is None:
        patience = Patience()
    patience.answer = timeouts.answer
    return _postgresql(parsed.set(drivername="postgresql+psycopg"), pool_size, timeouts, patience)


@contextmanager
def unhurried(engine: Engine) -> Iterator[Connection]:
    """Give a transaction on a connection of its own, whose statements take as long as they take."""
    with engine.connect() as connection:
        # Nobody else gets a connection without limits.
        connection.detach()
        if connection.dialect.name == "postgresql":
            cast(PatientConnection, connection.connection.dbapi_connection).patience = None
            connection.exec_driver_sql("SET statement_timeout = 0")
            connection.exec_driver_sql("SET lock_timeout = 0")
            connection.commit()
        with connection.begin():
            yield connection


# With the default of 2 MB a batch writes pages out before it is committed, and reads them again. A page that many
# batches change is copied out of the log less often: the log grows to 16 MB instead of 4.
_FOR_WRITING = ("cache_size=-32768", "wal_autocheckpoint=4000")


# What a session has been sent without the end of its part is no transaction that waits for its client, as the database
# sees it: where the rest is lost on the way, no time-out of the database ends it, and it keeps its locks.
_END = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = ANY(%s) AND pid <> pg_backend_pid()"
    " AND usename = current_user AND application_name = current_setting('application_name') AND state <> 'idle'"
)


def connect_to_write(engine: Engine, abandoned: Collection[int] = ()) -> Connection:
    """Return a connection for whoever writes all the time, and end the sessions of those that it had before."""
    connection = engine.connect()
    if connection.dialect.name == "sqlite":
        cursor = connection.connection.cursor()
        for pragma in _FOR_WRITING:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()
    else:
        driver = cast(PatientConnection, connection.connection.dbapi_connection)
        if abandoned:
            _end(connection, abandoned)
        # Nobody else gets it: it is closed when the writer is done with it.
        driver.pipes()
    return connection


def _end(connection: Connection, sessions: Collection[int]) -> None:
    try:
        connection.exec_driver_sql(_END, (list(sessions),))
        connection.commit()
    except ProgrammingError:
        # Whoever may not, writes all the same, once the database has let go of the locks by itself.
        connection.rollback()
        logger.warning(
            "sessions that may hold locks were left behind: let the store's user call pg_terminate_backend",
            extra={"sessions": sorted(sessions)},
            exc_info=True,
        )


def session_of(connection: Connection) -> int | None:
    """Return the number of a connection's session in PostgreSQL; None elsewhere."""
    if connection.dialect.name != "postgresql":
        return None
    return cast(PatientConnection, connection.connection.dbapi_connection).info.backend_pid


def _sqlite(url: URL, pool_size: int, timeouts: DatabaseTimeouts) -> Engine:
    engine = create_engine(
        url,
        # One for each thread that reads and one for the writer, which asks aside now and then what became of a
        # commit; and one to try whether an outage is over.
        pool_size=pool_size + 1,
        max_overflow=2,
        # Parameters are evidence, tokens and the like: they stay out of error texts.
        hide_parameters=True,
        pool_timeout=timeouts.connect,
        connect_args={"check_same_thread": False, "timeout": timeouts.lock},
    )

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _: object) -> None:
        # The driver begins transactions by itself, and late; here the writer says BEGIN IMMEDIATE.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        reads = connection.get_execution_options().get("passport_reads", False)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine


# Every statement has an index that begins with the tenant. Without these the planner reads whole tables, and compiles
# plans for milliseconds, on statistics of a time when the tables were empty.
_PLANNER = "-c enable_seqscan=off -c jit=off "


def _postgresql(url: URL, pool_size: int, timeouts: DatabaseTimeouts, patience: Patience) -> Engine:
    options = _PLANNER + " ".join(
        f"-c {name}={int(seconds * 1000)}"
        for name, seconds in (
            ("statement_timeout", timeouts.statement),
            ("lock_timeout", timeouts.lock),
            ("idle_in_transaction_session_timeout", timeouts.idle),
        )
    )
    # The database finds out by itself, as its clients do below, that the other end is gone.
    options += " -c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3"
    engine = create_engine(
        url,
        # Whoever waited for a head sees it as it is then.
        isolation_level="READ COMMITTED",
        # One for each thread that reads and one for the writer, which asks aside now and then what became of a
        # commit; and one to try whether an outage is over.
        pool_size=pool_size + 1,
        max_overflow=2,
        # Parameters are evidence, tokens and the like: they stay out of error texts.
        hide_parameters=True,
        pool_timeout=timeouts.connect,
        pool_pre_ping=True,
        pool_recycle=1800,
        connect_args={
            "connect_timeout": max(2, int(timeouts.connect)),
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            # What was sent is acknowledged by then, or the connection is gone; the default is a quarter of an hour.
            "tcp_user_timeout": int(timeouts.answer * 1000),
            "options": options,
            "application_name": "release-passport",
        },
    )

    @event.listens_for(engine, "do_connect")
    def connect(_: object, __: object, args: Any, given: Any) -> PatientConnection:
        made = PatientConnection.connect(*args, **given, cursor_factory=LateCursor)
        made.patience = patience
        return made

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if cast(PatientConnection, connection.connection.dbapi_connection).is_piping:
            with unanswered(connection):
                connection.exec_driver_sql("BEGIN ISOLATION LEVEL READ COMMITTED")

    @event.listens_for(engine, "handle_error")
    def notice(context: ExceptionContext) -> None:
        # Connections that were made to a standby, or while writes were forbidden, stay as they are: away with them all.
        if getattr(context.original_exception, "sqlstate", None) == READ_ONLY:
            context.is_disconnect = True

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _: object) -> None:
        # What is acknowledged must survive a crash, whatever the database's default is; more than that may stay.
        # Without a transaction it takes one round trip.
        connection.autocommit = True
        connection.execute(
            "SELECT set_config('synchronous_commit', 'on', false)"
            " WHERE current_setting('synchronous_commit') = 'off'"
        )
        connection.autocommit = False

    return engine


def database_time(connection: Connection, clock: Callable[[], datetime]) -> datetime:
    """Return the time of the database, which all its servers share; SQLite's is the host's."""
    if connection.dialect.name == "postgresql":
        time: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
        return time.astimezone(UTC)
    return clock()


class FileLock(AbstractContextManager["FileLock"]):
    """One process at a time for a SQLite store; the system lets go of it when the process ends."""

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(database.name + ".lock")
        self._database = database
        self._file: IO[str] | None = None

    def __enter__(self) -> Self:
        """Take the lock; raise Unavailable where another process has it."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = self._path.open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            owner = file.read().strip() or "unknown"
            file.close()
            text = (
                f"{self._database} is in use by process {owner}: SQLite takes one process; "
                "stop that one, or use PostgreSQL for several"
            )
            raise Unavailable("STORE_UNAVAILABLE", text) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._file = file
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of the lock."""
        if self._file is not None:
            self._file.close()
            self._file = None
