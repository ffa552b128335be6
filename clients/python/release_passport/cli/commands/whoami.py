"""`passport whoami`: who the server takes you for."""

from __future__ import annotations

import click

from release_passport.cli.options import connected
from release_passport.cli.session import Session


@click.command(short_help="Show who the server takes you for.")
@connected()
def whoami(session: Session) -> None:
    """Show who the server takes you for, and what you may do."""
    from release_passport.cli.emit import emit
    from release_passport.cli.render.text import pairs
    from release_passport.cli.render.view import time_words
    from release_passport.v1 import access_service_pb2

    response = session.client.who_am_i(access_service_pb2.WhoAmIRequest())
    document = pairs(
        [
            ("principal", response.principal),
            ("tenant", response.tenant),
            ("roles", ", ".join(response.roles)),
            ("may", ", ".join(response.verbs)),
            *([("groups", ", ".join(response.groups))] if response.groups else []),
            *([("also known as", ", ".join(response.identities))] if response.identities else []),
            ("until", time_words(response.expire_time)),
            ("server", f"{session.place.server} {response.server_version}"),
            *(("notice", notice) for notice in response.notices),
        ]
    )
    emit(session, response, document)
