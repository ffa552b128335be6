"""`passport observe-only`: let a service go ahead while nothing is enforced there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click

from release_passport.cli.options import DURATION, connected
from release_passport.cli.paging import limit_option
from release_passport.cli.session import Session


@click.group("observe-only", short_help="Let a service go ahead while nothing is enforced there.")
def observe_only() -> None:
    """Let a service go ahead while nothing is enforced there. Every answer says so, until the end date."""


@observe_only.command(short_help="Begin to observe only.")
@click.option("--service", required=True, metavar="ID")
@click.option("--environment", required=True, metavar="ID")
@click.option("--owner", required=True, metavar="TEXT", help="Who answers for it.")
@click.option("--reason", required=True, metavar="TEXT", help="Why.")
@click.option(
    "--for", "duration", required=True, type=DURATION, metavar="DURATION", help="How long, up to 90d."
)
@connected()
def create(
    session: Session, *, service: str, environment: str, owner: str, reason: str, duration: timedelta
) -> None:
    """Begin to observe a service in an environment only, for a time."""
    from release_passport.cli.emit import emit
    from release_passport.cli.render import lists
    from release_passport.v1 import catalog_pb2, catalog_service_pb2

    wanted = catalog_pb2.ObserveOnlyBinding(
        service=service, environment=environment, owner=owner, reason=reason
    )
    wanted.expire_time.FromDatetime(datetime.now(UTC) + duration)
    request = catalog_service_pb2.CreateObserveOnlyBindingRequest(tenant=session.tenant, binding=wanted)
    made = session.client.create_observe_only_binding(request).binding
    emit(session, made, lists.bindings([made]))
    session.warn(f"passport: OBSERVE_ONLY: nothing stops {service} in {environment} until it ends")


@observe_only.command("list", short_help="List what is observed only.")
@limit_option
@connected()
def list_bindings(session: Session, limit: int) -> None:
    """List observe-only bindings, newest first."""
    from release_passport.cli.emit import emit_list
    from release_passport.cli.paging import read_pages
    from release_passport.cli.render import lists
    from release_passport.v1 import catalog_service_pb2

    request = catalog_service_pb2.ListObserveOnlyBindingsRequest(tenant=session.tenant)
    found = read_pages(session, session.client.list_observe_only_bindings, request, "bindings", limit)
    emit_list(session, found, lists.bindings(found))


@observe_only.command(short_help="End a binding now.")
@click.argument("name")
@connected()
def end(session: Session, name: str) -> None:
    """End an observe-only binding now; give its whole name."""
    from release_passport.cli.emit import emit
    from release_passport.cli.render import lists
    from release_passport.v1 import catalog_service_pb2

    request = catalog_service_pb2.EndObserveOnlyBindingRequest(name=name)
    ended = session.client.end_observe_only_binding(request).binding
    emit(session, ended, lists.bindings([ended]))
