"""Engines for the two databases, with what each needs to keep its promises."""

from __future__ import annotations

import fcntl
import os
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, make_url

from release_passport_server.domain.errors import Unavailable


@dataclass(frozen=True, slots=True)
class DatabaseTimeouts:
    """How long the database may take, in seconds."""

    connect: float = 5.0
    statement: float = 10.0
    lock: float = 5.0
    idle: float = 10.0


def open_engine(url: str, *, pool_size: int, password: str | None, timeouts: DatabaseTimeouts) -> Engine:
    """Return an engine for `sqlite:///file` or `postgresql://…`."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed, pool_size, timeouts)
    if password is not None:
        parsed = parsed.set(password=password)
    return _postgresql(parsed.set(drivername="postgresql+psycopg"), pool_size, timeouts)


def _sqlite(url: URL, pool_size: int, timeouts: DatabaseTimeouts) -> Engine:
    engine = create_engine(
        url,
        pool_size=pool_size + 1,
        max_overflow=0,
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


def _postgresql(url: URL, pool_size: int, timeouts: DatabaseTimeouts) -> Engine:
    options = _PLANNER + " ".join(
        f"-c {name}={int(seconds * 1000)}"
        for name, seconds in (
            ("statement_timeout", timeouts.statement),
            ("lock_timeout", timeouts.lock),
            ("idle_in_transaction_session_timeout", timeouts.idle),
        )
    )
    engine = create_engine(
        url,
        # Whoever waited for a head sees it as it is then.
        isolation_level="READ COMMITTED",
        pool_size=pool_size + 1,
        max_overflow=0,
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
            "options": options,
            "application_name": "release-passport",
        },
    )

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _: object) -> None:
        # What is acknowledged must survive a crash, whatever the database's default is; more than that may stay.
        connection.execute(
            "SELECT set_config('synchronous_commit', 'on', false)"
            " WHERE current_setting('synchronous_commit') = 'off'"
        )
        connection.commit()

    return engine


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
