"""A log as a folder in the layout of tlog-tiles: what a static file server needs to serve it."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from release_passport.log.checkpoint import parse_checkpoint
from release_passport.log.note import is_key_name
from release_passport.log.tiles import CHECKPOINT
from release_passport_server.domain.errors import Conflict
from release_passport_server.ports.log import LogIdentity, Publication

_FENCE = ".fence"


class TileFolder:
    """Keeps each log in a folder of its own."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def read(self, log: LogIdentity, path: str) -> bytes | None:
        """Return the content of a file, None where there is none."""
        try:
            return (self._folder(log.origin) / path).read_bytes()
        except FileNotFoundError:
            return None

    def publish(self, log: LogIdentity, content: Mapping[str, bytes], change: Publication) -> None:
        """Write tiles, make them durable, and put the checkpoint in place last."""
        folder = self._folder(log.origin)
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(folder):
            self._check(log, change)
            put(folder / _FENCE, b"%d" % change.token)
            for path, tile in content.items():
                put(folder / path, tile)
            sync(folder, content)
            put(folder / CHECKPOINT, change.checkpoint)
            sync(folder, ())
            for beginning in change.obsolete:
                shutil.rmtree(folder / beginning, ignore_errors=True)

    def _check(self, log: LogIdentity, change: Publication) -> None:
        known = self.read(log, _FENCE)
        if known is not None and int(known) > change.token:
            text = f"somebody with the token {int(known)} writes {log.origin} now, so {change.token} may not"
            raise Conflict("LOG_FENCED", text)
        standing = self.read(log, CHECKPOINT)
        size = 0 if standing is None else parse_checkpoint(standing.decode().partition("\n\n")[0] + "\n").size
        if size != change.before:
            text = f"{log.origin} has {size} leaves, not the {change.before} that were read"
            raise Conflict("LOG_FENCED", text)

    def _folder(self, origin: str) -> Path:
        if not is_key_name(origin) or origin in (".", ".."):
            raise ValueError("the origin of a log is a name without spaces")
        return self._root / quote(origin, safe="")


def put(path: Path, content: bytes) -> None:
    """Put a file in place at once, with its content durable."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.new")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def sync(folder: Path, paths: Iterable[str]) -> None:
    """Make durable what the folders of these paths list, up to the log's own."""
    folders = {folder}
    for path in paths:
        folders.update(above for above in (folder / path).parents if above.is_relative_to(folder))
    for one in folders:
        descriptor = os.open(one, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
