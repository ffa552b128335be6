"""`passport environment`: environments and their labels."""

from __future__ import annotations

import click

from release_passport.cli.options import connected, key_values
from release_passport.cli.paging import limit_option
from release_passport.cli.session import Session


@click.group(short_help="Register environments and their labels.")
def environment() -> None:
    """Register environments and their labels."""


@environment.command(short_help="Register an environment.")
@click.argument("environment_id")
@click.option("--title", default="", metavar="TEXT")
@click.option("--label", "labels", multiple=True, metavar="KEY=VALUE", help="Label; repeat for each.")
@click.option(
    "--required-policy", "required", multiple=True, metavar="ID", help="Policy without which it holds."
)
@click.option("--progressive", is_flag=True, help="Rollouts here honour the limits of a canary.")
@connected()
def create(
    session: Session,
    *,
    environment_id: str,
    title: str,
    labels: tuple[str, ...],
    required: tuple[str, ...],
    progressive: bool,
) -> None:
    """Register an environment."""
    from release_passport.cli.emit import emit
    from release_passport.cli.render import lists
    from release_passport.v1 import catalog_pb2, catalog_service_pb2

    wanted = catalog_pb2.Environment(
        environment_id=environment_id,
        title=title,
        labels=key_values(labels, "--label"),
        required_policies=required,
        progressive=progressive,
    )
    request = catalog_service_pb2.CreateEnvironmentRequest(tenant=session.tenant, environment=wanted)
    made = session.client.create_environment(request).environment
    emit(session, made, lists.environments([made]))


@environment.command(short_help="Show an environment.")
@click.argument("environment_id")
@connected()
def get(session: Session, environment_id: str) -> None:
    """Show an environment."""
    from release_passport.cli.emit import emit
    from release_passport.cli.render import lists
    from release_passport.cli.resource_names import child_name
    from release_passport.v1 import catalog_service_pb2

    name = child_name(session, "environments", environment_id)
    found = session.client.get_environment(catalog_service_pb2.GetEnvironmentRequest(name=name)).environment
    emit(session, found, lists.environments([found]))


@environment.command("list", short_help="List environments.")
@limit_option
@connected()
def list_environments(session: Session, limit: int) -> None:
    """List environments by name."""
    from release_passport.cli.emit import emit_list
    from release_passport.cli.paging import read_pages
    from release_passport.cli.render import lists
    from release_passport.v1 import catalog_service_pb2

    request = catalog_service_pb2.ListEnvironmentsRequest(tenant=session.tenant)
    found = read_pages(session, session.client.list_environments, request, "environments", limit)
    emit_list(session, found, lists.environments(found))


@environment.command(short_help="Change an environment.")
@click.argument("environment_id")
@click.option("--title", metavar="TEXT")
@click.option("--label", "labels", multiple=True, metavar="KEY=VALUE", help="Set a label.")
@click.option("--remove-label", "removed", multiple=True, metavar="KEY", help="Take a label away.")
@click.option(
    "--required-policy",
    "required",
    multiple=True,
    metavar="ID",
    help="All of them, in place of those before.",
)
@click.option(
    "--progressive/--not-progressive", default=None, help="Whether rollouts here honour canary limits."
)
@connected()
def update(
    session: Session,
    *,
    environment_id: str,
    title: str | None,
    labels: tuple[str, ...],
    removed: tuple[str, ...],
    required: tuple[str, ...],
    progressive: bool | None,
) -> None:
    """Change what is named, and leave the rest of an environment as it is."""
    from release_passport.cli.emit import emit
    from release_passport.cli.render import lists
    from release_passport.cli.resource_names import child_name
    from release_passport.v1 import catalog_service_pb2

    name = child_name(session, "environments", environment_id)
    changed = session.client.get_environment(catalog_service_pb2.GetEnvironmentRequest(name=name)).environment
    changed.title = changed.title if title is None else title
    changed.progressive = changed.progressive if progressive is None else progressive
    changed.labels.update(key_values(labels, "--label"))
    for key in removed:
        changed.labels.pop(key, None)
    if required:
        changed.required_policies[:] = required
    request = catalog_service_pb2.UpdateEnvironmentRequest(environment=changed)
    made = session.client.update_environment(request).environment
    emit(session, made, lists.environments([made]))
