"""`passport audit duties`: who did what about releases."""

from __future__ import annotations

from datetime import datetime

import click

from release_passport.cli.options import TIME, connected
from release_passport.cli.session import Session


@click.command(short_help="Report who did what about releases, and where duties were not separate.")
@click.option("--from", "from_time", type=TIME, metavar="TIME", help="Leave out releases that are older.")
@click.option("--to", "to_time", type=TIME, metavar="TIME", help="Leave out what is as old or newer.")
@click.option("--conflicts-only", is_flag=True, help="Leave out releases without any conflict.")
@click.option(
    "--limit",
    default=100_000,
    show_default=True,
    type=click.IntRange(1, 100_000),
    help="How many releases at most.",
)
@connected(("table", "json", "yaml", "csv", "markdown"))
def duties(
    session: Session,
    *,
    from_time: datetime | None,
    to_time: datetime | None,
    conflicts_only: bool,
    limit: int,
) -> None:
    """Report releases newest first, one a row: who made, approved, waived, overrode and started each of them."""
    from release_passport.cli.failure import usage
    from release_passport.cli.paging import read_pages
    from release_passport.cli.render import duties as rendered
    from release_passport.v1 import audit_service_pb2

    if from_time is not None and to_time is not None and to_time <= from_time:
        raise usage("--to is behind --from")
    request = audit_service_pb2.ListDutiesRequest(tenant=session.tenant, conflicts_only=conflicts_only)
    for name, time in (("from_time", from_time), ("to_time", to_time)):
        if time is not None:
            getattr(request, name).FromDatetime(time)
    found = read_pages(session, session.client.list_duties, request, "releases", limit)
    if session.output == "csv":
        click.echo(rendered.as_csv(found), nl=False)
    elif session.output == "markdown":
        click.echo(rendered.as_markdown(found), nl=False)
    else:
        from release_passport.cli.emit import emit_list

        emit_list(session, found, rendered.as_table(found))
