"""`passport export`: take the passport of a release along, with all that proves it."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from release_passport.cli.options import connected
from release_passport.cli.session import Session


@click.command(short_help="Export a passport, to be checked offline.")
@click.argument("release")
@click.option(
    "-o", "--output", "file", required=True, metavar="FILE", help="Where to write it; - is standard output."
)
@connected(())
def export(session: Session, release: str, *, file: str) -> None:
    """Write all of a release, SERVICE/ENVIRONMENT/VERSION, with what proves it; `passport verify` checks it."""
    from release_passport.cli.resource_names import release_name
    from release_passport.v1 import release_service_pb2

    request = release_service_pb2.ExportPassportRequest(name=release_name(session, release))
    bundle = session.client.export_passport(request).bundle
    if file == "-":
        sys.stdout.buffer.write(bundle)
    else:
        Path(file).write_bytes(bundle)
        session.notice(f"wrote {file}")
