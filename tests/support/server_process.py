"""`passport-server` as people start it: a process of its own, spoken to over its ports."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "release_passport_server"]


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Return the variables of a server on free ports with its store in the folder."""
    own = {
        key: value for key, value in os.environ.items() if not key.startswith(("PASSPORT_", "KUBERNETES_"))
    }
    return own | {
        "PYTHONPATH": os.pathsep.join([str(ROOT / "server"), str(ROOT / "clients" / "python")]),
        "PASSPORT_SERVER_STORE_URL": f"sqlite:///{folder / 'passport.db'}",
        "PASSPORT_SERVER_SIGNING_KEY_FOLDER": str(folder / "keys"),
        "PASSPORT_SERVER_GRPC_LISTEN": "127.0.0.1:0",
        "PASSPORT_SERVER_HTTP_LISTEN": "127.0.0.1:0",
        **more,
    }


def passport_server(folder: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    return subprocess.run(
        [*COMMAND, *words],
        cwd=folder,
        env=environment(folder, **more),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@dataclass
class ServerProcess:
    """A server that listens."""

    process: subprocess.Popen[str]
    lines: list[dict[str, Any]]

    @property
    def where(self) -> dict[str, Any]:
        """Return the line that says where it listens."""
        return self.lines[-1]

    def rest(self) -> list[dict[str, Any]]:
        """Wait for the end and return the lines since it listened."""
        _, err = self.process.communicate(timeout=60)
        return [json.loads(line) for line in err.splitlines()]


@contextmanager
def served(folder: Path, *words: str, **more: str) -> Iterator[ServerProcess]:
    """Start `serve`, wait until it listens, and end it after."""
    process = subprocess.Popen(
        [*COMMAND, "serve", *words],
        cwd=folder,
        env=environment(folder, **more),
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield ServerProcess(process, _until_serving(process))
    finally:
        process.kill()
        process.communicate()


def _until_serving(process: subprocess.Popen[str]) -> list[dict[str, Any]]:
    assert process.stderr is not None
    lines: list[dict[str, Any]] = []
    for line in process.stderr:
        lines.append(json.loads(line))
        if lines[-1]["message"] == "serving":
            return lines
    raise AssertionError(f"the server ended with {process.wait()}: {lines}")
