"""`passport tenant`: make, change and list tenants."""

from __future__ import annotations

import click

from release_passport.cli.failure import CommandFailure
from release_passport.cli.options import connected
from release_passport.cli.paging import limit_option
from release_passport.cli.session import Session


@click.group(short_help="Make, change and list tenants.")
def tenant() -> None:
    """Make, change and list tenants."""


@tenant.command(short_help="Make a tenant.")
@click.argument("tenant_id")
@click.option("--title", default="", metavar="TEXT")
@connected()
def create(session: Session, tenant_id: str, title: str) -> None:
    """Make a tenant. Its admin token is shown this once, and alone on standard output."""
    from release_passport.cli.emit import emit
    from release_passport.cli.render import lists
    from release_passport.v1 import tenant_pb2, tenant_service_pb2

    wanted = tenant_pb2.Tenant(tenant_id=tenant_id, title=title)
    response = session.client.create_tenant(tenant_service_pb2.CreateTenantRequest(tenant=wanted))
    if not response.admin_token:
        raise CommandFailure("the server gave no admin token for the new tenant")
    if session.output == "table":
        click.echo(response.admin_token)
        session.notice(f"{response.tenant.name}: this is its admin token, which is not shown again")
    else:
        emit(session, response, lists.tenants([response.tenant]))


@tenant.command(short_help="Change a tenant's title and settings.")
@click.argument("tenant_id")
@click.option("--title", default=None, metavar="TEXT", help="What people call it.")
@click.option(
    "--second-person/--no-second-person",
    default=None,
    help="Whether what weakens a policy is proposed by one person and applied by another.",
)
@connected()
def update(session: Session, tenant_id: str, title: str | None, second_person: bool | None) -> None:
    """Change a tenant's title and settings; what is not given stays."""
    from release_passport.cli.emit import emit
    from release_passport.cli.render import lists
    from release_passport.v1 import tenant_service_pb2

    request = tenant_service_pb2.GetTenantRequest(name=f"tenants/{tenant_id}")
    wanted = session.client.get_tenant(request).tenant
    if title is not None:
        wanted.title = title
    if second_person is not None:
        wanted.second_person = second_person
    stored = session.client.update_tenant(tenant_service_pb2.UpdateTenantRequest(tenant=wanted)).tenant
    emit(session, stored, lists.tenants([stored]))


@tenant.command("list", short_help="List tenants.")
@limit_option
@connected()
def list_tenants(session: Session, limit: int) -> None:
    """List tenants by name."""
    from release_passport.cli.emit import emit_list
    from release_passport.cli.paging import read_pages
    from release_passport.cli.render import lists
    from release_passport.v1 import tenant_service_pb2

    request = tenant_service_pb2.ListTenantsRequest()
    found = read_pages(session, session.client.list_tenants, request, "tenants", limit)
    emit_list(session, found, lists.tenants(found))
