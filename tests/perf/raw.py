"""A bare loop of insert and commit on the databases that the service stands on, as durable as the service asks for."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from time import perf_counter
from typing import Any

import psycopg

from perf.report import Figure
from perf.servers import NotAvailable, new_database
from perf.stage import NAMES, Stage

# As large as what one Evaluate writes about its decision.
_BODY = b"x" * 4096
_SECONDS = {True: 0.7, False: 3.0}


def raw_commits(stage: Stage) -> None:
    """Measure commits a second, with one row each and with 64."""
    print("insert and commit, without the service", flush=True)
    for store in stage.stores():
        for rows in (1, 64):
            measure = _sqlite if store == "sqlite" else _postgresql
            values = [measure(stage, rows) for _ in range(stage.options.rounds)]
            what = "one row" if rows == 1 else f"{rows} rows"
            stage.report.add(Figure(f"{NAMES[store]} alone, {what} a commit", "commits/s", values))


def _sqlite(stage: Stage, rows: int) -> float:
    with closing(sqlite3.connect(stage.folder / "raw.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("CREATE TABLE IF NOT EXISTS rows (id INTEGER PRIMARY KEY, body BLOB NOT NULL)")
        return _per_second(stage, rows, connection.execute, "INSERT INTO rows (body) VALUES (?)")


def _postgresql(stage: Stage, rows: int) -> float:
    if stage.raw_database is None:
        stage.raw_database = new_database(stage.cluster())
    with psycopg.connect(stage.raw_database, autocommit=True) as connection:
        if connection.execute("SHOW synchronous_commit").fetchone() != ("on",):
            raise NotAvailable("synchronous_commit is not on")
        connection.execute("CREATE TABLE IF NOT EXISTS rows (id BIGSERIAL PRIMARY KEY, body BYTEA NOT NULL)")
        return _per_second(stage, rows, connection.execute, "INSERT INTO rows (body) VALUES (%s)")


def _per_second(stage: Stage, rows: int, execute: Callable[..., Any], insert: str) -> float:
    commits = 0
    started = perf_counter()
    end = started + _SECONDS[stage.options.quick]
    while perf_counter() < end:
        execute("BEGIN")
        for _ in range(rows):
            execute(insert, (_BODY,))
        execute("COMMIT")
        commits += 1
    return commits / (perf_counter() - started)
