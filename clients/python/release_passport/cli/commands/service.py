"""`passport service`: services and their labels."""

from __future__ import annotations

import click

from release_passport.cli.options import connected, key_values
from release_passport.cli.paging import limit_option
from release_passport.cli.session import Session


@click.group(short_help="Register services and their labels.")
def service() -> None:
    """Register services and their labels."""


@service.command(short_help="Register a service.")
@click.argument("service_id")
@click.option("--title", default="", metavar="TEXT")
@click.option("--owner", default="", metavar="TEXT", help="Who answers for it.")
@click.option("--label", "labels", multiple=True, metavar="KEY=VALUE", help="Label; repeat for each.")
@click.option("--platform", "platforms", multiple=True, metavar="OS/ARCH", help="Platform that it runs on.")
@click.option(
    "--signer", "signers", multiple=True, metavar="FILE", help="Public key (PEM) that may sign its artifacts."
)
@connected()
def create(
    session: Session,
    *,
    service_id: str,
    title: str,
    owner: str,
    labels: tuple[str, ...],
    platforms: tuple[str, ...],
    signers: tuple[str, ...],
) -> None:
    """Register a service."""
    from release_passport.cli.emit import emit
    from release_passport.cli.facts_input import read_key
    from release_passport.cli.render import lists
    from release_passport.v1 import catalog_pb2, catalog_service_pb2

    wanted = catalog_pb2.Service(
        service_id=service_id,
        title=title,
        owner=owner,
        labels=key_values(labels, "--label"),
        platforms=platforms,
        signers=[read_key(file) for file in signers],
    )
    request = catalog_service_pb2.CreateServiceRequest(tenant=session.tenant, service=wanted)
    made = session.client.create_service(request).service
    emit(session, made, lists.services([made]))


@service.command(short_help="Show a service.")
@click.argument("service_id")
@connected()
def get(session: Session, service_id: str) -> None:
    """Show a service."""
    from release_passport.cli.emit import emit
    from release_passport.cli.render import lists
    from release_passport.cli.resource_names import child_name
    from release_passport.v1 import catalog_service_pb2

    request = catalog_service_pb2.GetServiceRequest(name=child_name(session, "services", service_id))
    found = session.client.get_service(request).service
    emit(session, found, lists.services([found]))


@service.command("list", short_help="List services.")
@limit_option
@connected()
def list_services(session: Session, limit: int) -> None:
    """List services by name."""
    from release_passport.cli.emit import emit_list
    from release_passport.cli.paging import read_pages
    from release_passport.cli.render import lists
    from release_passport.v1 import catalog_service_pb2

    request = catalog_service_pb2.ListServicesRequest(tenant=session.tenant)
    found = read_pages(session, session.client.list_services, request, "services", limit)
    emit_list(session, found, lists.services(found))


@service.command(short_help="Change a service.")
@click.argument("service_id")
@click.option("--title", metavar="TEXT")
@click.option("--owner", metavar="TEXT")
@click.option("--label", "labels", multiple=True, metavar="KEY=VALUE", help="Set a label.")
@click.option("--remove-label", "removed", multiple=True, metavar="KEY", help="Take a label away.")
@click.option(
    "--platform",
    "platforms",
    multiple=True,
    metavar="OS/ARCH",
    help="All platforms, in place of those before.",
)
@click.option(
    "--signer", "signers", multiple=True, metavar="FILE", help="All public keys, in place of those before."
)
@connected()
def update(
    session: Session,
    *,
    service_id: str,
    title: str | None,
    owner: str | None,
    labels: tuple[str, ...],
    removed: tuple[str, ...],
    platforms: tuple[str, ...],
    signers: tuple[str, ...],
) -> None:
    """Change what is named, and leave the rest of a service as it is."""
    from release_passport.cli.emit import emit
    from release_passport.cli.facts_input import read_key
    from release_passport.cli.render import lists
    from release_passport.cli.resource_names import child_name
    from release_passport.v1 import catalog_service_pb2

    request = catalog_service_pb2.GetServiceRequest(name=child_name(session, "services", service_id))
    changed = session.client.get_service(request).service
    changed.title = changed.title if title is None else title
    changed.owner = changed.owner if owner is None else owner
    changed.labels.update(key_values(labels, "--label"))
    for key in removed:
        changed.labels.pop(key, None)
    if platforms:
        changed.platforms[:] = platforms
    if signers:
        changed.signers[:] = [read_key(file) for file in signers]
    made = session.client.update_service(catalog_service_pb2.UpdateServiceRequest(service=changed)).service
    emit(session, made, lists.services([made]))
