"""`passport version`: the versions of client and server."""

from __future__ import annotations

import click

from release_passport import __version__
from release_passport.cli.options import connected
from release_passport.cli.session import Session


@click.command(short_help="Show the versions of client and server.")
@click.option("--client", "client_only", is_flag=True, help="Do not ask the server.")
@connected()
def version(session: Session, client_only: bool) -> None:
    """Show the version of this client, and the server's where one is set."""
    from release_passport.cli.render.machine import write_data
    from release_passport.cli.render.screen import show
    from release_passport.cli.render.text import pairs

    versions = {"client": __version__}
    if not client_only and session.place.server:
        from release_passport.v1 import access_service_pb2

        versions["server"] = session.client.who_am_i(access_service_pb2.WhoAmIRequest()).server_version
    if session.output == "table":
        show(pairs(list(versions.items())))
    else:
        write_data(versions, session.output)
