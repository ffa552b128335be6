"""The Java client: its stubs are made of the protos by its own build, and its tests pass."""

from __future__ import annotations

import pytest

from support import java

pytestmark = pytest.mark.skipif(
    bool(java.missing()), reason=f"the java client cannot run here: {java.missing()}"
)


def test_it_builds_from_the_protos_and_its_tests_pass() -> None:
    done = java.maven("test")
    assert done.returncode == 0, done.stdout + done.stderr
    reports = java.FOLDER / "target/surefire-reports"
    report = (reports / "dev.releasepassport.GateTest.txt").read_text(encoding="utf-8")
    assert "Failures: 0, Errors: 0, Skipped: 0" in report
    assert "Tests run: 0" not in report
