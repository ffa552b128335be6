"""`passport token`: make and revoke API tokens."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from release_passport.cli.failure import CommandFailure, usage
from release_passport.cli.options import DURATION, connected
from release_passport.cli.paging import limit_option
from release_passport.cli.session import Session


@click.group(short_help="Make and revoke API tokens.")
def token() -> None:
    """Make and revoke API tokens."""


@token.command(short_help="Make a token.")
@click.argument("principal")
@click.option("--title", default="", metavar="TEXT", help="What it is for.")
@click.option(
    "--for",
    "duration",
    default="90d",
    show_default=True,
    type=DURATION,
    metavar="DURATION",
    help="How long it lasts, up to 366d.",
)
@click.option(
    "--role", "roles", multiple=True, metavar="ROLE", help="Role for the principal; repeat for each."
)
@click.option("--service", "services", multiple=True, metavar="GLOB", help="Only for these services.")
@click.option(
    "--environment", "environments", multiple=True, metavar="GLOB", help="Only in these environments."
)
@click.option("--kind", "evidence_kinds", multiple=True, metavar="KIND", help="Only these kinds of evidence.")
@click.option(
    "--secret-file", metavar="FILE", help="Write the secret to this new file, readable by you alone."
)
@connected()
def create(
    session: Session,
    /,
    *,
    principal: str,
    title: str,
    duration: timedelta,
    roles: tuple[str, ...],
    secret_file: str | None,
    **scope: tuple[str, ...],
) -> None:
    """Make a token for a principal such as sa:ci. The secret is shown this once, and alone on standard output."""
    from release_passport.cli.emit import emit
    from release_passport.cli.render import lists
    from release_passport.v1 import access_pb2, access_service_pb2

    if not roles and any(scope.values()):
        raise usage("--service, --environment and --kind narrow a --role; none is given")
    wanted = access_pb2.APIToken(title=title, principal=principal)
    wanted.expire_time.FromDatetime(datetime.now(UTC) + duration)
    request = access_service_pb2.CreateAPITokenRequest(tenant=session.tenant, api_token=wanted)
    for role in roles:
        request.role_bindings.append(access_pb2.RoleBinding(principal=principal, role=role, **scope))  # type: ignore[arg-type]  # Lists.
    handle = _new_file(secret_file) if secret_file else None
    response = session.client.create_api_token(request)
    if not response.secret:
        raise CommandFailure("the server gave no secret: revoke this token and make another one")
    if handle is not None:
        with os.fdopen(handle, "w", encoding="ascii") as stream:
            stream.write(response.secret + "\n")
        emit(session, response.api_token, lists.tokens([response.api_token]))
    elif session.output == "table":
        click.echo(response.secret)
        session.notice(f"{response.api_token.name} for {principal}; the secret is not shown again")
    else:
        emit(session, response, lists.tokens([response.api_token]))


def _new_file(path: str) -> int:
    try:
        return os.open(Path(path), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise usage(f"{path} cannot be made: {error.strerror}") from error


@token.command("list", short_help="List tokens.")
@limit_option
@connected()
def list_tokens(session: Session, limit: int) -> None:
    """List tokens without their secrets, newest first."""
    from release_passport.cli.emit import emit_list
    from release_passport.cli.paging import read_pages
    from release_passport.cli.render import lists
    from release_passport.v1 import access_service_pb2

    request = access_service_pb2.ListAPITokensRequest(tenant=session.tenant)
    found = read_pages(session, session.client.list_api_tokens, request, "api_tokens", limit)
    emit_list(session, found, lists.tokens(found))


@token.command(short_help="End a token at once.")
@click.argument("name")
@connected()
def revoke(session: Session, name: str) -> None:
    """End a token at once; give its name, as `passport token list` shows it."""
    from release_passport.cli.emit import emit
    from release_passport.cli.render import lists
    from release_passport.cli.resource_names import child_name
    from release_passport.v1 import access_service_pb2

    whole = child_name(session, "apiTokens", name)
    ended = session.client.revoke_api_token(access_service_pb2.RevokeAPITokenRequest(name=whole)).api_token
    emit(session, ended, lists.tokens([ended]))
