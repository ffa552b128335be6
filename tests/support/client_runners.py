"""How the runner of each client is started, and what it lacks here."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from support import java, typescript

ROOT = Path(__file__).parents[2]
_OWN = ROOT / "tests/conformance/runners"

RUNNERS: dict[str, list[str]] = {
    "python": [sys.executable, str(_OWN / "python_client.py")],
    "python-async": [sys.executable, str(_OWN / "python_async_client.py")],
    "http": [sys.executable, str(_OWN / "http_json.py")],
    "go": ["go", "-C", str(ROOT / "clients/go"), "run", "./internal/conformance"],
    "typescript": ["node", str(ROOT / "clients/typescript/dist/conformance.js")],
    "java": ["java", f"@{java.FOLDER}/target/conformance-arguments"],
}
# What a client does not offer: it is skipped there, by this name.
WITHOUT_WATCHER = {"http": "an event stream has no client of its own", "java": "the client has no watcher"}
WATCHING = tuple(RUNNERS)


def ready(client: str) -> str:
    """Make a client's runner ready; return what it lacks on this machine, empty where it can run."""
    if client == "typescript":
        lacking = typescript.missing()
        if not lacking:
            typescript.built()
        return lacking
    if client == "java":
        lacking = java.missing()
        if not lacking:
            _write_arguments(java.built())
        return lacking
    command = RUNNERS[client][0]
    return "" if shutil.which(command) else f"{command} is not installed"


def _write_arguments(class_path: str) -> None:
    file = java.FOLDER / "target/conformance-arguments"
    file.write_text(f'-cp "{class_path}"\ndev.releasepassport.Conformance\n', encoding="utf-8")
