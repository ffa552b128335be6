"""`passport trust`: whose signatures count."""

from __future__ import annotations

from pathlib import Path

import click

from release_passport.cli.options import connected
from release_passport.cli.paging import limit_option
from release_passport.cli.session import Session


@click.group(short_help="Say whose signatures count.")
def trust() -> None:
    """Say whose signatures count: trusted roots, identities and keys."""


@trust.command(short_help="Show what is trusted as a file.")
@click.option("--revision", default=0, metavar="NUMBER", help="This revision; the newest when not given.")
@connected()
def get(session: Session, revision: int) -> None:
    """Show what is trusted. As a table and as yaml it is the file that `trust apply` takes."""
    from release_passport.cli.render.machine import write_message
    from release_passport.cli.render.text import clean
    from release_passport.trust_file import trust_yaml
    from release_passport.v1 import trust_service_pb2

    request = trust_service_pb2.GetTrustRequest(tenant=session.tenant, revision=revision)
    found = session.client.get_trust(request).trust
    if session.output == "json":
        write_message(found, "json")
        return
    click.echo(clean(trust_yaml(found)), nl=False)
    session.notice(f"{found.name} revision {found.revision}")


@trust.command(short_help="Make a file what is trusted.")
@click.option("-f", "--file", "file", required=True, metavar="FILE", help="The YAML file.")
@connected()
def apply(session: Session, file: str) -> None:
    """Make the file what is trusted, in place of what was; evidence of who is gone no longer counts as verified."""
    from release_passport.cli.emit import emit
    from release_passport.cli.render import lists
    from release_passport.trust_file import read_trust_file
    from release_passport.v1 import trust_service_pb2

    asked = trust_service_pb2.GetTrustRequest(tenant=session.tenant)
    now = session.client.get_trust(asked).trust
    wanted = read_trust_file(Path(file), {root.sha256: root.content for root in now.roots})
    wanted.etag = now.etag
    request = trust_service_pb2.UpdateTrustRequest(tenant=session.tenant, trust=wanted)
    made = session.client.update_trust(request).trust
    emit(session, made, lists.trusts([made]))


@trust.command("list", short_help="List the revisions of what is trusted.")
@limit_option
@connected()
def list_revisions(session: Session, limit: int) -> None:
    """List the revisions of what is trusted, newest first."""
    from release_passport.cli.emit import emit_list
    from release_passport.cli.paging import read_pages
    from release_passport.cli.render import lists
    from release_passport.v1 import trust_service_pb2

    request = trust_service_pb2.ListTrustRevisionsRequest(tenant=session.tenant)
    found = read_pages(session, session.client.list_trust_revisions, request, "trusts", limit)
    emit_list(session, found, lists.trusts(found))
