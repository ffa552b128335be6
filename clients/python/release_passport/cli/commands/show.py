"""`passport show`: the passport of a release."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from release_passport.cli.options import connected
from release_passport.cli.session import Session


@click.command(short_help="Show the passport of a release.")
@click.argument("release")
@connected(("table", "json", "yaml", "markdown"))
def show(session: Session, release: str) -> None:
    """Show all that is known about a release: SERVICE/ENVIRONMENT/VERSION, or its whole name."""
    from release_passport.cli.emit import emit
    from release_passport.cli.render.passport import passport_document, passport_markdown
    from release_passport.cli.resource_names import release_name
    from release_passport.v1 import release_service_pb2

    request = release_service_pb2.GetPassportRequest(name=release_name(session, release))
    passport = session.client.get_passport(request).passport
    if session.output == "markdown":
        click.echo(passport_markdown(passport), nl=False)
    else:
        emit(session, passport, passport_document(passport, now=datetime.now(UTC)))
