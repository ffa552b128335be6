"""The repository's own files, for tests about the code itself."""

from __future__ import annotations

import ast
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SERVER = ROOT / "server" / "release_passport_server"
CLIENT = ROOT / "clients" / "python" / "release_passport"
GENERATED = CLIENT / "v1"


@cache
def own_files() -> tuple[Path, ...]:
    """Return every file that is committed or could be, without generated code and locks."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    paths = (ROOT / name for name in listed.stdout.decode().split("\0") if name)
    return tuple(sorted(path for path in paths if path.is_file() and not path.is_relative_to(GENERATED)))


def python_files(folder: Path = ROOT) -> list[Path]:
    """Return the hand-written Python files below a folder."""
    return [path for path in own_files() if path.suffix == ".py" and path.is_relative_to(folder)]


def parsed(path: Path) -> ast.Module:
    """Return the syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def where(path: Path, line: int) -> str:
    """Return a place as people and editors read it."""
    return f"{path.relative_to(ROOT)}:{line}"
