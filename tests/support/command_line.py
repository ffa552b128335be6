"""Runs the command line inside the test's process, with an environment of its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from release_passport.cli.main import run


@dataclass(frozen=True, slots=True)
class Result:
    """What a command left behind."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class CommandLine:
    """A command line with nothing in its environment but what the test sets."""

    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]
    home: Path

    def prepare(self, server: str = "") -> None:
        """Clear the environment of what a developer's machine may have, and name the server."""
        for name in ("CI", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "XDG_CONFIG_HOME", "PASSPORT_CONTEXT"):
            self.monkeypatch.delenv(name, raising=False)
        self.monkeypatch.setenv("PASSPORT_CONFIG", str(self.home / "config.yaml"))
        if server:
            self.monkeypatch.setenv("PASSPORT_SERVER", server)
            self.monkeypatch.setenv("PASSPORT_PLAINTEXT", "1")
            self.monkeypatch.setenv("PASSPORT_TOKEN", "secret-of-the-test")

    def __call__(self, *arguments: str) -> Result:
        code = run(arguments)
        captured = self.capsys.readouterr()
        return Result(code, captured.out, captured.err)
