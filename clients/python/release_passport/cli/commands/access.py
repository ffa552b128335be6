"""`passport access`: grant and revoke roles, and say who may do what."""

from __future__ import annotations

import click

from release_passport.cli.commands.access_review import check, explain, review
from release_passport.cli.options import connected
from release_passport.cli.paging import limit_option
from release_passport.cli.session import Session


@click.group(short_help="Grant and revoke roles, and say who may do what.")
def access() -> None:
    """Grant and revoke roles, and say who may do what."""


for command in (check, explain, review):
    access.add_command(command)


@access.command(short_help="Give a principal a role.")
@click.argument("principal")
@click.argument("role")
@click.option("--service", "services", multiple=True, metavar="GLOB", help="Only for these services.")
@click.option(
    "--environment", "environments", multiple=True, metavar="GLOB", help="Only in these environments."
)
@click.option("--kind", "kinds", multiple=True, metavar="KIND", help="Only these kinds of evidence.")
@connected()
def grant(
    session: Session,
    *,
    principal: str,
    role: str,
    services: tuple[str, ...],
    environments: tuple[str, ...],
    kinds: tuple[str, ...],
) -> None:
    """Give a principal a role, such as `passport access grant sa:ci submitter --service checkout`."""
    from release_passport.cli.emit import emit
    from release_passport.cli.render import lists
    from release_passport.v1 import access_pb2, access_service_pb2

    wanted = access_pb2.RoleBinding(
        principal=principal, role=role, services=services, environments=environments, evidence_kinds=kinds
    )
    request = access_service_pb2.CreateRoleBindingRequest(tenant=session.tenant, role_binding=wanted)
    made = session.client.create_role_binding(request).role_binding
    emit(session, made, lists.roles([made]))


@access.command("list", short_help="List who has which role.")
@click.option("--principal", default="", metavar="ID", help="Only of this principal.")
@limit_option
@connected()
def list_roles(session: Session, principal: str, limit: int) -> None:
    """List role bindings, newest first."""
    from release_passport.cli.emit import emit_list
    from release_passport.cli.paging import read_pages
    from release_passport.cli.render import lists
    from release_passport.v1 import access_service_pb2

    request = access_service_pb2.ListRoleBindingsRequest(tenant=session.tenant, principal=principal)
    found = read_pages(session, session.client.list_role_bindings, request, "role_bindings", limit)
    emit_list(session, found, lists.roles(found))


@access.command(short_help="Take a role away.")
@click.argument("name")
@connected()
def revoke(session: Session, name: str) -> None:
    """Take a role away; give the name of the binding, as `passport access list` shows it."""
    from release_passport.cli.emit import emit
    from release_passport.cli.render.text import pairs
    from release_passport.cli.resource_names import child_name
    from release_passport.v1 import access_service_pb2

    whole = child_name(session, "roleBindings", name)
    response = session.client.delete_role_binding(access_service_pb2.DeleteRoleBindingRequest(name=whole))
    emit(session, response, pairs([("revoked", whole)]))
