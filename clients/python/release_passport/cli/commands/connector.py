"""`passport connector`: what reads evidence by itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from release_passport.cli import exit_codes
from release_passport.cli.options import connected
from release_passport.cli.paging import limit_option
from release_passport.cli.session import Session

if TYPE_CHECKING:
    from release_passport.v1 import connector_pb2


@click.group(short_help="Keep what reads evidence by itself.")
def connector() -> None:
    """Keep connectors: each reads one slice of one system for one service in one environment."""


_file = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))


@connector.command(short_help="Make a connector from a file.")
@_file
@connected()
def add(session: Session, file: Path) -> None:
    """Make a connector from a file in YAML with the fields of a Connector; it reads for the first time at once."""
    from release_passport.cli.emit import emit
    from release_passport.cli.render import connectors
    from release_passport.v1 import connector_service_pb2 as pb

    request = pb.CreateConnectorRequest(tenant=session.tenant, connector=_read(file))
    made = session.client.create_connector(request).connector
    emit(session, made, connectors.listed([made]))


@connector.command("list", short_help="List connectors and how they are.")
@limit_option
@connected()
def list_connectors(session: Session, limit: int) -> None:
    """List connectors and how they are, newest first."""
    from release_passport.cli.emit import emit_list
    from release_passport.cli.paging import read_pages
    from release_passport.cli.render import connectors
    from release_passport.v1 import connector_service_pb2 as pb

    request = pb.ListConnectorsRequest(tenant=session.tenant)
    found = read_pages(session, session.client.list_connectors, request, "connectors", limit)
    emit_list(session, found, connectors.listed(found))


@connector.command(short_help="Show a connector and how it is.")
@click.argument("connector_id", metavar="ID")
@connected()
def get(session: Session, connector_id: str) -> None:
    """Show a connector and how it is."""
    from release_passport.cli.emit import emit
    from release_passport.cli.render import connectors
    from release_passport.v1 import connector_service_pb2 as pb

    request = pb.GetConnectorRequest(name=_name(session, connector_id))
    found = session.client.get_connector(request).connector
    emit(session, found, connectors.one(found))


@connector.command(short_help="Say how a connector is; exit 1 where it does not read all that it is for.")
@click.argument("connector_id", metavar="ID")
@connected()
def health(session: Session, connector_id: str) -> int:
    """Say how a connector is; exit 1 where it does not read all that it is for."""
    from release_passport.cli.emit import emit
    from release_passport.cli.render import connectors
    from release_passport.v1 import connector_pb2
    from release_passport.v1 import connector_service_pb2 as pb

    request = pb.GetConnectorRequest(name=_name(session, connector_id))
    found = session.client.get_connector(request).connector
    emit(session, found.health, connectors.one(found))
    well = found.health.state == connector_pb2.CONNECTOR_STATE_HEALTHY
    return exit_codes.OK if well else exit_codes.ERROR


@connector.command(short_help="Replace a connector's settings from a file.")
@click.argument("connector_id", metavar="ID")
@_file
@connected()
def update(session: Session, connector_id: str, file: Path) -> None:
    """Replace a connector's settings from a file; what it is for stays."""
    from release_passport.cli.emit import emit
    from release_passport.cli.render import connectors
    from release_passport.v1 import connector_service_pb2 as pb

    name, wanted = _name(session, connector_id), _read(file)
    wanted.name = name
    wanted.etag = session.client.get_connector(pb.GetConnectorRequest(name=name)).connector.etag
    changed = session.client.update_connector(pb.UpdateConnectorRequest(connector=wanted)).connector
    emit(session, changed, connectors.one(changed))


@connector.command(short_help="Delete a connector.")
@click.argument("connector_id", metavar="ID")
@connected()
def delete(session: Session, connector_id: str) -> None:
    """Delete a connector: it reads nothing any more, and what it found goes stale."""
    from release_passport.cli.emit import emit
    from release_passport.cli.render import connectors
    from release_passport.v1 import connector_service_pb2 as pb

    request = pb.DeleteConnectorRequest(name=_name(session, connector_id))
    gone = session.client.delete_connector(request).connector
    emit(session, gone, connectors.listed([gone]))


@connector.command(short_help="Say what a connector can see and what it is missing.")
@click.argument("what", metavar="ID|FILE")
@connected()
def test(session: Session, what: str) -> int:
    """Say what a connector can see and what it is missing; exit 1 where something is. FILE: one to be made."""
    from release_passport.cli.emit import emit
    from release_passport.cli.render import connectors
    from release_passport.v1 import connector_service_pb2 as pb

    request = pb.TestConnectorRequest(tenant=session.tenant)
    if Path(what).is_file():
        request.connector.CopyFrom(_read(Path(what)))
    else:
        request.name = _name(session, what)
    said = session.client.test_connector(request)
    emit(session, said, connectors.tried(said))
    return exit_codes.OK if said.ready else exit_codes.ERROR


@connector.command(short_help="Have a connector read now.")
@click.argument("connector_id", metavar="ID")
@connected()
def collect(session: Session, connector_id: str) -> int:
    """Have a connector read now; exit 1 where it could not."""
    from release_passport.cli.emit import emit
    from release_passport.cli.render import connectors
    from release_passport.v1 import connector_service_pb2 as pb

    said = session.client.collect_now(pb.CollectNowRequest(name=_name(session, connector_id)))
    emit(session, said, connectors.collected(said))
    return exit_codes.ERROR if said.connector.health.failure else exit_codes.OK


def _read(file: Path) -> connector_pb2.Connector:
    from release_passport.connector_file import read_connector_file

    return read_connector_file(file)


def _name(session: Session, given: str) -> str:
    from release_passport.cli.resource_names import child_name

    return child_name(session, "connectors", given)
