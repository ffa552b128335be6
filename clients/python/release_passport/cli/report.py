"""Tells people what went wrong, and turns it into an exit code."""

from __future__ import annotations

import os
import traceback

import click

from release_passport.cli import exit_codes
from release_passport.cli.render.text import clean, clean_line
from release_passport.errors import PassportAPIError
from release_passport.strict_yaml import FileInvalid

_ADVICE = {
    "UNAUTHENTICATED": "`passport login` signs a person in; a token: PASSPORT_TOKEN or --token-file",
    "PERMISSION_DENIED": "`passport whoami` shows your roles; an admin grants more with `passport access grant`",
    "UNAVAILABLE": "`passport doctor` checks the way to the server",
    "DEADLINE_EXCEEDED": "try again, or give it longer with --rpc-timeout",
    "UNIMPLEMENTED": "the server does not know this call; `passport version` shows both versions",
}


def report(error: Exception) -> int:
    """Print the error to standard error and return the exit code for it."""
    if isinstance(error, PassportAPIError):
        return report_api_error(error)
    if isinstance(error, FileInvalid):
        for problem in error.problems:
            click.echo(clean_line(str(problem)), err=True)
        return exit_codes.USAGE
    if os.environ.get("PASSPORT_DEBUG"):
        click.echo(clean("".join(traceback.format_exception(error))), err=True)
    text = clean_line(f"{type(error).__name__}: {error}")
    click.echo(f"passport: internal error: {text} (PASSPORT_DEBUG=1 shows more)", err=True)
    return exit_codes.ERROR


def report_api_error(error: PassportAPIError) -> int:
    """Print what the server, or the way to it, said."""
    reason = f" [{clean_line(error.reason)}]" if error.reason else ""
    head = "the gate cannot be reached: " if error.is_unreachable else ""
    click.echo(f"passport: {head}{clean(error.message)}{reason}", err=True)
    for violation in error.violations:
        text = f"{violation.field}: {violation.description}"
        # One alone is the message itself.
        if text != error.message:
            click.echo(f"  {clean_line(text)}", err=True)
    if error.retry_after is not None:
        click.echo(f"  the server asks to wait {error.retry_after:g} s", err=True)
    if advice := _ADVICE.get(error.code):
        click.echo(f"  {advice}", err=True)
    if error.request_id and error.code in {"INTERNAL", "UNKNOWN"}:
        click.echo(f"  request id {clean_line(error.request_id)}", err=True)
    return exit_codes.of_status(error.code)
