"""Keeps checkpoints in files beside the store: the highest of each log, and one an hour as a history with times."""

from __future__ import annotations

import json
import os
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import quote, unquote

from release_passport.log.audit import goes_on_as
from release_passport_server.adapters.tlog.folder import put, sync
from release_passport_server.domain.canonical import stamp, unstamp
from release_passport_server.ports.log import AnchoredCheckpoint, LogBroken

KEPT_EVERY = timedelta(hours=1)


class AnchorFile:
    """Anchors checkpoints in a folder, which should lie on another disk than the store."""

    def __init__(self, folder: Path, kept_every: timedelta = KEPT_EVERY) -> None:
        self._folder = folder
        self._kept_every = kept_every

    def anchor(self, origin: str, checkpoint: bytes, now: datetime) -> None:
        """Keep a checkpoint as the highest, and in the history where the last one there is old enough."""
        line = self._line(checkpoint, now)
        kept = _last(self._path(origin, "history"))
        if kept is None or now - kept.time >= self._kept_every:
            _append(self._path(origin, "history"), line)
        put(self._path(origin, "highest"), line)
        sync(self._folder, ())

    def begin(self, origin: str, checkpoint: bytes, now: datetime) -> None:
        """Keep the checkpoint of a log without leaves as the highest, and in no history: it shows nothing."""
        put(self._path(origin, "highest"), self._line(checkpoint, now))
        sync(self._folder, ())

    def _line(self, checkpoint: bytes, now: datetime) -> bytes:
        self._folder.mkdir(parents=True, exist_ok=True)
        return json.dumps({"time": stamp(now), "checkpoint": checkpoint.decode()}).encode() + b"\n"

    def keep(self) -> None:
        """Put the highest checkpoint of every log into its history: what comes to an end now is shown by it."""
        for path in sorted(self._folder.glob("*.highest.jsonl")):
            history = path.with_name(path.name.replace(".highest.", ".history."))
            last, kept = _whole_lines(path)[-1:], _whole_lines(history)[-1:]
            if last and last != kept:
                _append(history, last[0] + b"\n")

    def highest(self, origin: str) -> AnchoredCheckpoint | None:
        """Return the newest checkpoint; raise LogBroken for a file that cannot be read."""
        return _last(self._path(origin, "highest"))

    def anchored(self, origin: str) -> tuple[AnchoredCheckpoint, ...]:
        """Return what was anchored, oldest first; raise LogBroken for a file that cannot be read.

        What was anchored under the names that the log had before a restore is there too, also what that lost.
        """
        names = [one for one in self.origins() if goes_on_as(one, origin)]
        return tuple(sorted((one for name in names for one in self._kept(name)), key=lambda one: one.time))

    def _kept(self, origin: str) -> list[AnchoredCheckpoint]:
        path, highest = self._path(origin, "history"), self.highest(origin)
        kept = [_anchored(path, line) for line in _whole_lines(path)]
        return kept + ([highest] if highest is not None and highest not in kept else [])

    def origins(self) -> tuple[str, ...]:
        """Return the names of the logs of which something was anchored."""
        found = self._folder.glob("*.highest.jsonl")
        return tuple(sorted(unquote(path.name.removesuffix(".highest.jsonl")) for path in found))

    def _path(self, origin: str, what: str) -> Path:
        return self._folder / f"{quote(origin, safe='')}.{what}.jsonl"


def _whole_lines(path: Path) -> list[bytes]:
    """Return the lines of a file; a crash can leave the last one of the history unfinished."""
    return path.read_bytes().split(b"\n")[:-1] if path.exists() else []


def _last(path: Path) -> AnchoredCheckpoint | None:
    lines = _whole_lines(path)
    return _anchored(path, lines[-1]) if lines else None


def _append(path: Path, line: bytes) -> None:
    whole = b"".join(before + b"\n" for before in _whole_lines(path))
    with path.open("r+b" if path.exists() else "wb") as file:
        file.truncate(len(whole))
        file.seek(len(whole))
        file.write(line)
        file.flush()
        os.fsync(file.fileno())


def _anchored(path: Path, line: bytes) -> AnchoredCheckpoint:
    try:
        document = json.loads(line)
        time = unstamp(document["time"])
        if time is None:
            raise ValueError("no time")
        return AnchoredCheckpoint(document["checkpoint"].encode(), time)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        text = (
            f"{path} cannot be read: restore it from a copy, for it shows whether the store was rolled back"
        )
        raise LogBroken(text) from error
