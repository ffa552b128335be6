"""The TypeScript client: its code is generated from the protos, it builds, its own tests pass, and it packs alone."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.typescript import FOLDER, built, missing

pytestmark = pytest.mark.skipif(
    bool(missing()), reason=f"the typescript client is not checked here: {missing()}"
)


@pytest.fixture(scope="module")
def folder() -> Path:
    """Return the client's folder, built."""
    return built()


def test_the_generated_code_is_that_of_the_protos(folder: Path) -> None:
    said = run(sys.executable, str(folder / "generate.py"), "--check")
    assert (said.stdout, said.returncode) == ("", 0), said.stdout + said.stderr


def test_a_changed_generated_file_is_found(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "clients/typescript"
    shutil.copytree(folder, copy, symlinks=True, ignore=shutil.ignore_patterns("node_modules", "dist"))
    (copy / "node_modules").symlink_to(folder / "node_modules")
    for name in ("proto", "buf.yaml", "clients/python"):
        (tmp_path / name).symlink_to(FOLDER.parents[1] / name)
    spoilt = copy / "src/gen/retried.ts"
    spoilt.write_text(spoilt.read_text().replace("Evaluate", "CreateAPIToken", 1))
    said = run(sys.executable, str(copy / "generate.py"), "--check")
    assert "out of date: clients/typescript/src/gen/retried.ts" in said.stdout.splitlines()
    assert said.returncode == 1


def test_its_own_tests_pass(folder: Path) -> None:
    said = run("npm", "test", "--silent", cwd=folder)
    assert said.returncode == 0, said.stdout
    passed = re.search(r"pass (\d+)", said.stdout)
    assert passed is not None
    assert int(passed[1]) > 40


def test_a_package_holds_the_client_alone(folder: Path) -> None:
    said = run("npm", "pack", "--dry-run", "--json", "--silent", cwd=folder)
    names = {file["path"] for file in json.loads(said.stdout)[0]["files"]}
    assert {"dist/index.js", "dist/index.d.ts", "dist/gen/release_passport/v1/verdict_pb.js"} <= names
    assert [
        name for name in names if "/test/" in name or "conformance" in name or name.startswith("src")
    ] == []


def test_the_version_is_the_packages() -> None:
    version = json.loads((FOLDER / "package.json").read_text())["version"]
    assert f'"{version}"' in (FOLDER / "src/version.ts").read_text()


def test_the_lock_names_no_address() -> None:
    assert "://" not in (FOLDER / "package-lock.json").read_text()


def run(*command: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=120)
