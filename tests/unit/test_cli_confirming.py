"""Nobody answers for an exception by accident: a person says yes, or --yes was said."""

from __future__ import annotations

import sys

import click
import pytest

from release_passport.cli import exit_codes
from release_passport.cli.confirming import require_yes
from release_passport.cli.failure import CommandFailure


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    return monkeypatch


def test_yes_that_was_said_asks_nobody(terminal: pytest.MonkeyPatch) -> None:
    terminal.setattr(click, "confirm", lambda *_, **__: pytest.fail("somebody was asked"))
    require_yes("Sure?", said=True)


def test_a_person_is_asked_and_may_say_no(terminal: pytest.MonkeyPatch) -> None:
    terminal.setattr(click, "confirm", lambda *_, **__: True)
    require_yes("Sure?", said=False)
    terminal.setattr(click, "confirm", lambda *_, **__: False)
    with pytest.raises(CommandFailure, match="nothing was done") as refused:
        require_yes("Sure?", said=False)
    assert refused.value.exit_code == exit_codes.ERROR


def test_without_a_terminal_yes_has_to_be_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)
    with pytest.raises(CommandFailure, match="--yes") as refused:
        require_yes("Sure?", said=False)
    assert refused.value.exit_code == exit_codes.USAGE
