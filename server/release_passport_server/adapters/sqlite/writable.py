"""Whether this process may write a database file and the files that SQLite keeps beside it."""

from __future__ import annotations

import os
from pathlib import Path


def unwritable(path: Path) -> str | None:
    """Return why a database file cannot be written, and what to do about it; None where it can."""
    for what in (path, path.absolute().parent):
        if not os.access(what, os.W_OK):
            why = f"{path} cannot be written, since {what} is read-only for this user"
            return f"{why}: make the file and its folder writable"
    return None
