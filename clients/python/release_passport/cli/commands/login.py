"""`passport login` and `passport logout`: sign in by a browser, on this machine or another."""

from __future__ import annotations

import os
from pathlib import Path

import click

from release_passport.cli.failure import CommandFailure, usage
from release_passport.cli.options import connected
from release_passport.cli.session import Session


@click.command(short_help="Sign in as a person, by a browser.")
@click.option("--issuer", metavar="URL", help="Identity provider; kept for the next time.")
@click.option("--client-id", metavar="ID", help="What the identity provider knows `passport` as; kept too.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    metavar="SCOPE",
    help="What is asked for; repeat for each.  [default: openid, email, profile, offline_access]",
)
@click.option(
    "--resource",
    metavar="URI",
    default="",
    help="Ask for an access token for this audience, in place of an ID token.",
)
@click.option("--client-secret-file", metavar="FILE", help="For providers that give one to command lines.")
@connected(outputs=())
def login(
    session: Session,
    /,
    *,
    issuer: str | None,
    client_id: str | None,
    scopes: tuple[str, ...],
    resource: str,
    client_secret_file: str | None,
) -> None:
    """Sign in as a person: open the address that is shown, on any machine, and give the code."""
    from release_passport.cli import saved_sign_in
    from release_passport.cli.sign_in import Application, Prompt, sign_in

    server = _server(session)
    path = saved_sign_in.path_for(server, os.environ)
    with saved_sign_in.locked(path):
        before = saved_sign_in.load(path)
        if before is not None:
            issuer, client_id = issuer or before.issuer, client_id or before.client_id
        if not issuer or not client_id:
            raise usage("give --issuer URL and --client-id ID; an administrator of the server knows them")

        def show(prompt: Prompt) -> None:
            session.warn(f"Open {prompt.complete_address or prompt.address}")
            session.warn(f"and check that it shows the code {prompt.code}")

        application = Application(
            issuer,
            client_id,
            " ".join(scopes or ("openid", "email", "profile", "offline_access")),
            "access_token" if resource else "id_token",
            resource,
            _secret(client_secret_file),
        )
        saved_sign_in.save(path, sign_in(application, server, show))
    _say_who(session)


def _server(session: Session) -> str:
    if not session.place.server:
        raise usage("no server is set; give --server, or `passport context set NAME --server …`")
    return session.place.server


def _secret(path: str | None) -> str:
    if path is None:
        return ""
    try:
        return Path(path).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise usage(f"the secret in {path} cannot be read: {error}") from error


def _say_who(session: Session) -> None:
    from release_passport.cli.render.view import time_words
    from release_passport.v1 import access_service_pb2

    if session.place.token is not None or session.place.token_file:
        session.warn("a token is configured too, and is used in place of this sign-in")
        return
    me = session.client.who_am_i(access_service_pb2.WhoAmIRequest())
    session.notice(f"signed in as {me.principal} in {me.tenant}, until {time_words(me.expire_time)}")
    if not me.roles:
        session.notice("you have no roles yet: ask an admin of the tenant")


@click.command(short_help="Forget a sign-in.")
@connected(outputs=())
def logout(session: Session) -> None:
    """Forget the sign-in, and end it at the identity provider."""
    from release_passport.cli import saved_sign_in
    from release_passport.cli.sign_in import revoke

    path = saved_sign_in.path_for(_server(session), os.environ)
    with saved_sign_in.locked(path):
        try:
            saved = saved_sign_in.load(path)
        finally:
            there = saved_sign_in.remove(path)
    if not there:
        session.notice("there was no sign-in")
    elif saved is not None:
        try:
            revoke(saved)
        except CommandFailure as error:
            session.warn(f"the identity provider was not told: {error.message}")
