"""The mark inside a database file that development mode made; it goes wherever the file goes."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

# "RPDV": SQLite keeps this number in the file's header for the application that owns it.
_APPLICATION_ID = 0x52504456


def mark_as_dev(path: Path) -> None:
    """Make the file, or mark it, as one that only development mode opens."""
    if not path.parent.exists():
        path.parent.mkdir(mode=0o700, parents=True)
        # Its keys are nobody's to commit, wherever somebody tries the server out.
        (path.parent / ".gitignore").write_text("*\n", encoding="ascii")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
    path.chmod(0o600)


def is_dev(path: Path) -> bool:
    """Say whether development mode made the file; a file that is no database raises sqlite3.DatabaseError."""
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        return bool(connection.execute("PRAGMA application_id").fetchone()[0] == _APPLICATION_ID)
