"""`passport ban`: refuse principals, or single credentials, before their time is up."""

from __future__ import annotations

import click

from release_passport.cli.options import connected
from release_passport.cli.paging import limit_option
from release_passport.cli.session import Session


@click.group(short_help="Refuse a principal, or one of its credentials, at once.")
def ban() -> None:
    """Refuse a principal, or one of its credentials, at once and on every replica."""


@ban.command(short_help="Refuse a principal.")
@click.argument("principal")
@click.option(
    "--credential",
    default="",
    metavar="ID",
    help="Only this one: a token's `jti`, an API token's id, or a certificate's serial number in hexadecimal.",
)
@click.option("--reason", required=True, metavar="TEXT", help="Why, in 10 characters or more.")
@connected()
def create(session: Session, /, *, principal: str, credential: str, reason: str) -> None:
    """Refuse a principal such as user:corp/ada, however it proves who it is."""
    from release_passport.cli.emit import emit
    from release_passport.cli.render import lists
    from release_passport.v1 import access_pb2, access_service_pb2

    wanted = access_pb2.Ban(principal=principal, credential=credential, reason=reason)
    request = access_service_pb2.CreateBanRequest(tenant=session.tenant, ban=wanted)
    made = session.client.create_ban(request).ban
    emit(session, made, lists.bans([made]))


@ban.command(short_help="Let a principal in again.")
@click.argument("name")
@connected()
def end(session: Session, name: str) -> None:
    """Let a principal in again; give the ban's name, as `passport ban list` shows it."""
    from release_passport.cli.emit import emit
    from release_passport.cli.render import lists
    from release_passport.cli.resource_names import child_name
    from release_passport.v1 import access_service_pb2

    whole = child_name(session, "bans", name)
    ended = session.client.end_ban(access_service_pb2.EndBanRequest(name=whole)).ban
    emit(session, ended, lists.bans([ended]))


@ban.command("list", short_help="List bans.")
@click.option("--principal", default="", metavar="ID", help="Only those of this principal.")
@limit_option
@connected()
def list_bans(session: Session, principal: str, limit: int) -> None:
    """List bans, ended ones too, newest first."""
    from release_passport.cli.emit import emit_list
    from release_passport.cli.paging import read_pages
    from release_passport.cli.render import lists
    from release_passport.v1 import access_service_pb2

    request = access_service_pb2.ListBansRequest(tenant=session.tenant, principal=principal)
    found = read_pages(session, session.client.list_bans, request, "bans", limit)
    emit_list(session, found, lists.bans(found))
