"""Log lines: one JSON object a line on stderr, with ids and never with bodies or credentials."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import traceback
from contextlib import nullcontext, suppress
from datetime import UTC, datetime
from types import TracebackType
from typing import TextIO

_JSON = json.JSONEncoder(default=str, ensure_ascii=True)
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


class JSONFormatter(logging.Formatter):
    """Write a record as one line; fields given as `extra` stand beside time, level and message."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line.update({key: value for key, value in vars(record).items() if key not in _STANDARD})
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = type(record.exc_info[1]).__qualname__
            line["frames"] = _frames(record.exc_info[2])
        return _JSON.encode(line)


class GatheredLines(logging.StreamHandler[TextIO]):
    """Writes what is said in one pass of the event loop at once, and what is worse than that at once.

    Each write lets another thread have the interpreter, and a busy server answers many calls in one pass.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._lines: list[str] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line until the loop's next pass; write it where there is no loop, or where it is a warning."""
        try:
            self._lines.append(self.format(record) + self.terminator)
        except Exception:  # noqa: BLE001 - as every handler does: what cannot be logged stops nothing
            self.handleError(record)
            return
        loop = _loop() if record.levelno < logging.WARNING else None
        if loop is None:
            self.flush()
        elif len(self._lines) == 1 or self._loop is not loop:
            self._loop = loop
            loop.call_soon(self.flush)

    def flush(self) -> None:
        """Write what was kept; nobody is there to be told where it cannot be written."""
        with self.lock or nullcontext(), suppress(OSError, ValueError):
            lines, self._lines = self._lines, []
            if lines:
                self.stream.write("".join(lines))
            super().flush()


def _loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def configure(level: str) -> None:
    """Send every logger's lines to stderr as JSON."""
    handler = GatheredLines(sys.stderr)
    handler.setFormatter(JSONFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.captureWarnings(True)
    # Each denial is logged by our own access log; the library repeats subject and object at WARNING.
    logging.getLogger("casbin").setLevel(logging.ERROR)
    for library in ("alembic", "uvicorn"):
        logging.getLogger(library).setLevel(logging.WARNING)


def _frames(trace: TracebackType | None) -> list[str]:
    # An exception's text may hold what the caller sent; where it came from does not.
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(trace)[-12:]]
