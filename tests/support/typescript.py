"""The TypeScript client, built once for the tests that run it."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import tempfile
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "clients/typescript"


def missing() -> str:
    """Return what the TypeScript client lacks here to be built; empty where it can be."""
    return "" if shutil.which("node") and shutil.which("npm") else "node or npm is missing"


def built() -> Path:
    """Return the client's folder, with what it stands on installed as locked and its sources compiled."""
    with (Path(tempfile.gettempdir()) / "release-passport-typescript.lock").open("w") as one_at_a_time:
        fcntl.flock(one_at_a_time, fcntl.LOCK_EX)
        lock, installed = FOLDER / "package-lock.json", FOLDER / "node_modules/.package-lock.json"
        if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
            _run("npm", "ci", "--silent", "--no-audit", "--no-fund")
        if _is_stale():
            _run("npm", "run", "build", "--silent")
    return FOLDER


def _is_stale() -> bool:
    done = FOLDER / "dist/index.js"
    newest = max(file.stat().st_mtime for file in [*FOLDER.rglob("src/**/*.ts"), FOLDER / "tsconfig.json"])
    return not done.exists() or done.stat().st_mtime < newest


def _run(*command: str) -> None:
    done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def project(folder: Path, program: str) -> Path:
    """Return a folder with a program compiled as somebody would who has installed the client."""
    client = built()
    (folder / "node_modules/@types").mkdir(parents=True)
    (folder / "node_modules/release-passport").symlink_to(client)
    (folder / "node_modules/@types/node").symlink_to(client / "node_modules/@types/node")
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "example.ts").write_text(program)
    options = ["--strict", "--target", "es2022", "--module", "nodenext", "--skipLibCheck"]
    compiler = str(client / "node_modules/.bin/tsc")
    done = subprocess.run(
        [compiler, *options, "example.ts"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    return folder
