"""Copies of the embedded database, taken while it is in use, and put back while it is not."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

_PAGES_AT_ONCE = 4096


class BackupRefused(Exception):
    """A copy that was not made or not put back; the text says why and what to do."""


def back_up(source: Path, target: Path) -> None:
    """Write a whole, checked copy of the store, also while a server writes to it; raise BackupRefused."""
    if not source.is_file():
        raise BackupRefused(f"there is no store at {source}")
    if target.exists():
        raise BackupRefused(f"{target} exists; name a new file")
    _copy(source, target)


def restore(backup: Path, target: Path) -> None:
    """Put a copy in the place of the store, which must not exist, under a new epoch; raise BackupRefused."""
    if not backup.is_file():
        raise BackupRefused(f"there is no file {backup}")
    leftovers = [path for path in (target, _beside(target, "-wal"), _beside(target, "-shm")) if path.exists()]
    if leftovers:
        names = ", ".join(str(path) for path in leftovers)
        raise BackupRefused(f"{names} exists; stop the server and move it away first")
    _copy(backup, target)
    with closing(sqlite3.connect(target)) as connection, connection:
        # What was handed out since the copy was made belongs to another history.
        connection.execute("UPDATE heads SET epoch = epoch + 1")


def _copy(source: Path, target: Path) -> None:
    unfinished = _beside(target, ".unfinished")
    unfinished.unlink(missing_ok=True)
    unfinished.touch(mode=0o600)
    try:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as reading,
            closing(sqlite3.connect(unfinished)) as writing,
        ):
            reading.backup(writing, pages=_PAGES_AT_ONCE)
            # The copy stands alone: one file, nothing beside it.
            writing.execute("PRAGMA journal_mode = DELETE")
            _require_whole(writing, source)
        _sync(unfinished)
        unfinished.rename(target)
        _sync(target.absolute().parent)
    except sqlite3.Error as error:
        raise BackupRefused(f"{source} cannot be copied: {error}") from error
    finally:
        unfinished.unlink(missing_ok=True)


def _require_whole(connection: sqlite3.Connection, source: Path) -> None:
    found = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if found != "ok":
        raise BackupRefused(f"{source} is damaged: {found}")
    if (
        connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'alembic_version'").fetchone()[0]
        == 0
    ):
        raise BackupRefused(f"{source} holds no store of this server")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)
