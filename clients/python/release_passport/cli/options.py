"""The options that commands share, and the session that they make."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

import click

from release_passport.cli.config import Place
from release_passport.cli.session import Session

# The class takes a parameter since click 8.4 only.
if TYPE_CHECKING:
    _ParamType = click.ParamType[Any]
else:
    _ParamType = click.ParamType

P = ParamSpec("P")
Command = TypeVar("Command", bound=Callable[..., Any])
R = TypeVar("R")

DATA = ("table", "json", "yaml")
DECISION = ("table", "json", "yaml", "markdown", "junit", "sarif", "github")

_SHARED = (
    *("server", "token_file", "tenant", "context", "audience", "ca_file", "cert_file", "key_file"),
    *("plaintext", "insecure_plaintext"),
)


def connection_options(command: Command) -> Command:
    """Add the options that say where the server is; each may stand before or after the command's name."""
    options = (
        click.option("--server", metavar="HOST:PORT", help="Where the server is.  [PASSPORT_SERVER]"),
        click.option(
            "--context", metavar="NAME", help="Context of the configuration file.  [PASSPORT_CONTEXT]"
        ),
        click.option("--tenant", metavar="ID", help="Tenant, where not the token's.  [PASSPORT_TENANT]"),
        click.option(
            "--token-file", metavar="FILE", help="File that holds the token.  [PASSPORT_TOKEN_FILE]"
        ),
        click.option(
            "--audience", metavar="URI", help="Audience of the CI job's own token.  [PASSPORT_AUDIENCE]"
        ),
        click.option("--ca-file", metavar="FILE", help="CA certificates to trust.  [PASSPORT_CA_FILE]"),
        click.option("--cert-file", metavar="FILE", help="Client certificate to show.  [PASSPORT_CERT_FILE]"),
        click.option("--key-file", metavar="FILE", help="Its key.  [PASSPORT_KEY_FILE]"),
        click.option(
            "--plaintext/--tls",
            default=None,
            help="No TLS, to this machine only, where it is the default; or TLS.  [PASSPORT_PLAINTEXT]",
        ),
        click.option(
            "--insecure-plaintext",
            is_flag=True,
            default=None,
            help="No TLS to any machine: everybody on the way sees the token.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def connected(
    outputs: tuple[str, ...] = DATA,
) -> Callable[[Callable[Concatenate[Session, P], R]], Callable[..., R]]:
    """Give the command a session as its first argument, made from the shared options.

    Without any `outputs` the command has no option for the form of its result.
    """

    def decorate(function: Callable[Concatenate[Session, P], R]) -> Callable[..., R]:
        @connection_options
        @_output_option(outputs)
        @click.option("-q", "--quiet", is_flag=True, help="No notices on standard error.")
        @click.option(
            "--rpc-timeout", default="30s", metavar="DURATION", show_default=True, help="Longest single call."
        )
        @wraps(function)
        def command(*args: Any, quiet: bool, rpc_timeout: str, output: str = "table", **kwargs: Any) -> R:
            said = {name: kwargs.pop(name) for name in _SHARED}
            session = session_of(said, output=output, quiet=quiet, rpc_timeout=rpc_timeout)
            return function(session, *args, **kwargs)

        return command

    return decorate


def _output_option(outputs: tuple[str, ...]) -> Callable[[Command], Command]:
    if not outputs:
        return lambda command: command
    return click.option(
        "-o",
        "--output",
        type=click.Choice(outputs),
        default="table",
        show_default=True,
        help="Form of the result.",
    )


def session_of(said: dict[str, Any], *, output: str, quiet: bool, rpc_timeout: str) -> Session:
    """Return the session for what was said on the command line, on the command or before it."""
    root = click.get_current_context().find_root()
    before = {name: root.params.get(name) for name in _SHARED}
    merged = {name: said[name] if said[name] is not None else before[name] for name in _SHARED}
    context = merged.pop("context")
    timeout = DURATION.convert(rpc_timeout, None, None).total_seconds()
    return Session(Place(**merged), context, output, quiet, timeout)


class _Duration(_ParamType):
    """A duration such as 30s, 10m or 1h30m."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the timedelta."""
        from datetime import timedelta

        from release_passport.durations import parse_duration

        if isinstance(value, timedelta):
            return value
        try:
            return parse_duration(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class _Time(_ParamType):
    """A moment such as 2026-03-02T10:00:00Z."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the aware datetime."""
        from datetime import datetime

        from release_passport.yaml_message import parse_time

        if isinstance(value, datetime):
            return value
        try:
            return parse_time(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


DURATION = _Duration()
TIME = _Time()


def key_values(pairs: tuple[str, ...], option: str) -> dict[str, str]:
    """Return the pairs of a repeated KEY=VALUE option; a pair without = or a key given twice is refused."""
    found: dict[str, str] = {}
    for pair in pairs:
        key, separator, value = pair.partition("=")
        if not separator or not key:
            raise click.UsageError(f"{option} takes KEY=VALUE, not {pair[:80]!r}")
        if key in found:
            raise click.UsageError(f"{option} names {key[:80]!r} twice")
        found[key] = value
    return found
