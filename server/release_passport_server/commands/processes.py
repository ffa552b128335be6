"""Serve with several processes on the same ports: each is begun again where it dies, and all are stopped together."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import FrameType

from release_passport_server.config import Settings, SettingsInvalid, host_and_port

# What a process says that will not start however often it is tried.
_USAGE = 2
# A process that dies is begun again after this long, twice as long each time, until it has lived for long enough.
_FIRST_REST, _LONGEST_REST, _LIVED = 0.5, 30.0, 60.0
_LOOK = 0.2


def require_shareable(settings: Settings) -> None:
    """Raise SettingsInvalid where several processes cannot serve with these settings."""
    if settings.store.sqlite_path is not None:
        text = "several processes need PostgreSQL: the embedded store belongs to one process at a time"
        raise SettingsInvalid(f"store.url: {text}")
    for name, address in (("grpc", settings.grpc.listen), ("http", settings.http.listen)):
        host, port = host_and_port(address)
        if port == 0:
            raise SettingsInvalid(
                f"{name}.listen: {address} takes any free port, and all processes share one"
            )
        _require_free(name, host, port)


def _require_free(name: str, host: str, port: int) -> None:
    """Raise SettingsInvalid where somebody else listens: with a shared port nobody would notice."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            raise SettingsInvalid(f"{name}.listen: {host}:{port} cannot be listened on: {error}") from error


@dataclass(slots=True)
class _Child:
    """One of the processes."""

    process: subprocess.Popen[bytes]
    since: float
    rest: float = _FIRST_REST
    again: float | None = None


@dataclass(slots=True)
class Processes:
    """Begins, watches and ends the processes; they write to the same output."""

    count: int
    command: Sequence[str]
    _children: list[_Child] = field(default_factory=list)
    _code: int | None = None
    _asked: int = 0

    def run(self) -> int:
        """Serve until SIGTERM or SIGINT; return 0 where every process ended in order."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._signalled)
        self._children = [_Child(self._begun(), time.monotonic()) for _ in range(self.count)]
        while self._code is None:
            time.sleep(_LOOK)
            for child in self._children:
                self._look(child)
        return self._ended()

    def _look(self, child: _Child) -> None:
        code, now = child.process.poll(), time.monotonic()
        if code is None or self._code is not None:
            return
        if code == _USAGE:
            self._end(_USAGE)
        elif child.again is None:
            rest = _FIRST_REST if now - child.since > _LIVED else child.rest
            child.again, child.rest = now + rest, min(rest * 2, _LONGEST_REST)
        elif now >= child.again:
            child.process, child.since, child.again = self._begun(), now, None

    def _begun(self) -> subprocess.Popen[bytes]:
        # Nobody types into a server, and each has signals of its own.
        return subprocess.Popen(  # noqa: S603
            self.command, stdin=subprocess.DEVNULL, start_new_session=True
        )

    def _signalled(self, number: int, _: FrameType | None) -> None:
        self._end(0)

    def _end(self, code: int) -> None:
        # Only noted: a signal may come while a process is begun that nobody could reach yet.
        self._code = code
        self._asked += 1

    def _ended(self) -> int:
        """Ask every process to end, again as often as this one is asked: asked twice, they hurry."""
        told = 0
        while any(child.process.poll() is None for child in self._children):
            if told < self._asked:
                told += 1
                for child in self._children:
                    child.process.send_signal(signal.SIGTERM)
            else:
                time.sleep(_LOOK)
        # One that was told before it listened to signals ended as it was told to.
        codes = [child.process.returncode for child in self._children if child.again is None]
        return self._code or (0 if all(code in (0, -signal.SIGTERM) for code in codes) else 1)


def serve_with(count: int, settings: Settings, arguments: Sequence[str]) -> int:
    """Serve with so many processes, each begun with these arguments of `serve`; return the exit code."""
    require_shareable(settings)
    command = [sys.executable, "-m", "release_passport_server", "serve", "--shared-ports", *arguments]
    return Processes(count, command).run()
