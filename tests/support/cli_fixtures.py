"""Fixtures for the tests of the command line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.command_line import CommandLine
from support.fake_server import FakeServer, running_fake_server


@pytest.fixture
def fake() -> Iterator[FakeServer]:
    with running_fake_server() as server:
        yield server


@pytest.fixture
def passport(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> CommandLine:
    line = CommandLine(monkeypatch, capsys, tmp_path)
    line.prepare()
    return line


@pytest.fixture
def connected(passport: CommandLine, fake: FakeServer) -> CommandLine:
    passport.prepare(fake.address)
    return passport
