"""`passport waiver`: exceptions to findings, asked for by one person and granted by another."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from release_passport.cli.options import DURATION, connected
from release_passport.cli.paging import limit_option
from release_passport.cli.session import Session

_STATES = ("requested", "active", "expiring", "expired", "ended", "orphaned")


@click.group(short_help="Ask for, grant and end exceptions to findings.")
def waiver() -> None:
    """Ask for, grant and end exceptions to findings. One covers the facts that failed then, and no others."""


@waiver.command(short_help="Ask for a waiver of a finding.")
@click.argument("release")
@click.argument("finding", metavar="POLICY/RULE")
@click.option("--ticket", required=True, metavar="TEXT", help="Where it is tracked.")
@click.option("--reason", required=True, metavar="TEXT", help="Why: 20 characters or more.")
@click.option("--for", "duration", type=DURATION, required=True, metavar="DURATION", help="How long.")
@click.option("--owner", default="", metavar="TEXT", help="Who answers for it; you, when not given.")
@click.option("--artifact", default="", metavar="NAME", help="Of several findings, the one about this.")
@click.option("--key", default="", metavar="KEY", help="Of several findings, the one about this key.")
@click.option("--service-wide", is_flag=True, help="For all releases of the service in the environment.")
@connected()
def request(session: Session, /, **said: Any) -> None:
    """Ask for a waiver of a finding of the newest decision; somebody else has to grant it."""
    from release_passport.cli.emit import emit
    from release_passport.cli.failure import usage
    from release_passport.cli.render import exceptions
    from release_passport.cli.resource_names import release_name
    from release_passport.v1 import waiver_service_pb2

    policy, slash, rule = said.pop("finding").partition("/")
    if not slash:
        raise usage("the finding has no rule; write POLICY/RULE, as `passport gate` prints it")
    release, duration = release_name(session, said.pop("release")), said.pop("duration")
    wanted = waiver_service_pb2.RequestWaiverRequest(release=release, policy=policy, rule=rule, **said)
    wanted.expire_time.FromDatetime(datetime.now(UTC) + duration)
    made = session.client.request_waiver(wanted).waiver
    emit(session, made, exceptions.waiver(made))


@waiver.command(short_help="Grant a waiver that somebody else asked for.")
@click.argument("waiver_id", metavar="ID")
@click.option("--yes", is_flag=True, help="Grant what is shown without being asked.")
@connected()
def grant(session: Session, waiver_id: str, yes: bool) -> None:
    """Show what a waiver will cover, ask, and grant it; not your own, and not for a release of yours."""
    from release_passport.cli.confirming import require_yes
    from release_passport.cli.emit import emit
    from release_passport.cli.render import exceptions
    from release_passport.cli.resource_names import child_name
    from release_passport.v1 import waiver_service_pb2

    name = child_name(session, "waivers", waiver_id)
    asked = session.client.get_waiver(waiver_service_pb2.GetWaiverRequest(name=name)).waiver
    session.warn(str(exceptions.waiver(asked)))
    require_yes("Grant this exception?", said=yes)
    granted = session.client.grant_waiver(waiver_service_pb2.GrantWaiverRequest(name=name)).waiver
    emit(session, granted, exceptions.waivers([granted]))


@waiver.command(short_help="End a waiver, or a request for one.")
@click.argument("waiver_id", metavar="ID")
@click.option("--reason", default="", metavar="TEXT", help="Why.")
@connected()
def revoke(session: Session, waiver_id: str, reason: str) -> None:
    """End a waiver now, or a request for one; a rollout that started on it is held."""
    from release_passport.cli.emit import emit
    from release_passport.cli.render import exceptions
    from release_passport.cli.resource_names import child_name
    from release_passport.v1 import waiver_service_pb2

    name = child_name(session, "waivers", waiver_id)
    ended = session.client.revoke_waiver(
        waiver_service_pb2.RevokeWaiverRequest(name=name, reason=reason)
    ).waiver
    emit(session, ended, exceptions.waivers([ended]))


@waiver.command(short_help="Show a waiver and exactly what it covers.")
@click.argument("waiver_id", metavar="ID")
@connected()
def show(session: Session, waiver_id: str) -> None:
    """Show a waiver and exactly what it covers."""
    from release_passport.cli.emit import emit
    from release_passport.cli.render import exceptions
    from release_passport.cli.resource_names import child_name
    from release_passport.v1 import waiver_service_pb2

    name = child_name(session, "waivers", waiver_id)
    found = session.client.get_waiver(waiver_service_pb2.GetWaiverRequest(name=name)).waiver
    emit(session, found, exceptions.waiver(found))


@waiver.command("list", short_help="List waivers.")
@click.option("--release", metavar="NAME", help="Only those for this release alone.")
@click.option("--service", default="", metavar="ID")
@click.option("--environment", default="", metavar="ID")
@click.option(
    "--state", type=click.Choice(_STATES, case_sensitive=False), help="Only those that stand there."
)
@limit_option
@connected()
def list_waivers(
    session: Session, *, release: str | None, service: str, environment: str, state: str | None, limit: int
) -> None:
    """List waivers, newest first: `--state expiring`, `expired` and `orphaned` are those to look after."""
    from release_passport.cli.emit import emit_list
    from release_passport.cli.paging import read_pages
    from release_passport.cli.render import exceptions
    from release_passport.cli.resource_names import release_name
    from release_passport.v1 import waiver_service_pb2

    wanted = waiver_service_pb2.ListWaiversRequest(
        tenant=session.tenant,
        service=service,
        environment=environment,
        state=f"WAIVER_STATE_{state.upper()}" if state else None,
    )
    if release:
        wanted.release = release_name(session, release)
    found = read_pages(session, session.client.list_waivers, wanted, "waivers", limit)
    emit_list(session, found, exceptions.waivers(found))
