"""Files that are whole or not there, and that nobody else can read."""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PRIVATE = 0o600
PRIVATE_FOLDER = 0o700


class KeyFilesInvalid(Exception):
    """The folder of keys cannot be used; the message says what to do."""


def write_private(path: Path, content: bytes) -> None:
    """Put a file in place at once, readable by its owner alone, and durable when this returns."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, PRIVATE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    sync_folder(path.parent)


def remove(path: Path) -> None:
    """Remove a file for good."""
    path.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make what a folder lists durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_private(path: Path) -> bytes:
    """Return the content of a file that only its owner can read; raise KeyFilesInvalid."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise KeyFilesInvalid(
            f"{path} can be read by others: chmod 600 it, and rotate the key if others had access"
        )
    return path.read_bytes()


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, so that two processes do not make its keys at the same time."""
    descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
