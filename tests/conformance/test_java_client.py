"""The Java client: its stubs are made of the protos by its own build, and its tests pass."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "clients/java"


@pytest.mark.skipif(
    shutil.which("mvn") is None, reason="the java client cannot run here: mvn is not installed"
)
def test_it_builds_from_the_protos_and_its_tests_pass() -> None:
    done = subprocess.run(
        ["mvn", "--quiet", "--batch-mode", "test"], cwd=FOLDER, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    report = (FOLDER / "target/surefire-reports/dev.releasepassport.GateTest.txt").read_text(encoding="utf-8")
    assert "Tests run: 3, Failures: 0, Errors: 0, Skipped: 0" in report
