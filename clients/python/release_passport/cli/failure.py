"""What ends a command early, with its exit code."""

from __future__ import annotations

from typing import IO, Any

import click

from release_passport.cli import exit_codes


class CommandFailure(click.ClickException):
    """A command that cannot give its result: the text says what is wrong and what to do."""

    def __init__(self, message: str, exit_code: int = exit_codes.ERROR) -> None:
        super().__init__(message)
        self.code = exit_code

    @property
    def exit_code(self) -> int:  # type: ignore[override]  # The base has one code for the whole class.
        """Return the exit code of this failure."""
        return self.code

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the text to standard error."""
        click.echo(f"passport: {self.format_message()}", file=file, err=file is None)


def usage(message: str) -> CommandFailure:
    """Return the failure for input that is wrong by itself."""
    return CommandFailure(message, exit_codes.USAGE)
