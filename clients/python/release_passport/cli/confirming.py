"""Asks before a person does what they have to answer for."""

from __future__ import annotations

import sys

import click

from release_passport.cli import exit_codes
from release_passport.cli.failure import CommandFailure, usage


def require_yes(question: str, *, said: bool) -> None:
    """Return where --yes was said or a person at the terminal says yes; end the command otherwise."""
    if said:
        return
    if not sys.stdin.isatty():
        raise usage("nobody is at the terminal to be asked; --yes says that what is shown here is meant")
    if not click.confirm(question, err=True):
        raise CommandFailure("nothing was done", exit_codes.ERROR)
