"""`passport freeze`: times in which no release starts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import click

from release_passport.cli.options import DURATION, TIME, connected
from release_passport.cli.paging import limit_option
from release_passport.cli.session import Session


@click.group(short_help="Keep times in which no release starts.")
def freeze() -> None:
    """Keep times in which no release starts: once, or again and again."""


@freeze.command(short_help="Make a freeze.")
@click.option("--title", required=True, metavar="TEXT", help="What people read while they wait.")
@click.option("--reason", required=True, metavar="TEXT", help="Why: 20 characters or more.")
@click.option("--service", "services", multiple=True, metavar="GLOB", help="Only these services.")
@click.option("--environment", "environments", multiple=True, metavar="GLOB", help="Only these environments.")
@click.option("--service-label", "service_labels", multiple=True, metavar="KEY=GLOB")
@click.option("--environment-label", "environment_labels", multiple=True, metavar="KEY=GLOB")
@click.option("--from", "start", type=TIME, metavar="TIME", help="When it begins; now when not given.")
@click.option(
    "--until", type=TIME, metavar="TIME", help="When it ends; of one that recurs, the last beginning."
)
@click.option(
    "--for", "duration", type=DURATION, metavar="DURATION", help="How long it, or each time, lasts."
)
@click.option("--rrule", default="", metavar="RULE", help="Recurs: such as FREQ=WEEKLY;BYDAY=FR (RFC 5545).")
@click.option(
    "--time-zone", default="", metavar="ZONE", help="Whose wall clock it recurs by; UTC when not given."
)
@click.option(
    "--in-flight",
    type=click.Choice(["finish", "hold", "rollback"]),
    default="finish",
    show_default=True,
    help="What becomes of rollouts that started before.",
)
@click.option(
    "--exempt-group",
    "exempt_groups",
    multiple=True,
    metavar="GROUP[:COUNT]",
    help="Who has to approve a release that is exempt.",
)
@click.option("--restores-too", is_flag=True, help="Freeze going back to what ran here before as well.")
@connected()
def create(session: Session, /, **said: Any) -> None:
    """Make a freeze. What it holds says when it ends, and is decided again by itself then."""
    from release_passport.cli.emit import emit
    from release_passport.cli.freezing import fill_freeze
    from release_passport.cli.render import people
    from release_passport.v1 import freeze_service_pb2

    request = freeze_service_pb2.CreateFreezeRequest(tenant=session.tenant)
    fill_freeze(request.freeze, said)
    answer = session.client.create_freeze(request)
    emit(session, answer.freeze, people.freezes([answer.freeze]))
    for attempt in answer.in_flight:
        session.notice(f"in flight: {attempt}")


@freeze.command("list", short_help="List freezes.")
@click.option("--current", is_flag=True, help="Only those that are on or to come.")
@limit_option
@connected()
def list_freezes(session: Session, current: bool, limit: int) -> None:
    """List freezes, newest first."""
    from release_passport.cli.emit import emit_list
    from release_passport.cli.paging import read_pages
    from release_passport.cli.render import people
    from release_passport.v1 import freeze_service_pb2

    request = freeze_service_pb2.ListFreezesRequest(tenant=session.tenant, current=current)
    found = read_pages(session, session.client.list_freezes, request, "freezes", limit)
    emit_list(session, found, people.freezes(found))


@freeze.command(short_help="End a freeze now.")
@click.argument("freeze_id", metavar="ID")
@click.option("--reason", default="", metavar="TEXT", help="Why.")
@connected()
def end(session: Session, freeze_id: str, reason: str) -> None:
    """End a freeze now; what it held is decided again by itself."""
    from release_passport.cli.emit import emit
    from release_passport.cli.render import people
    from release_passport.cli.resource_names import child_name
    from release_passport.v1 import freeze_service_pb2

    name = child_name(session, "freezes", freeze_id)
    request = freeze_service_pb2.EndFreezeRequest(name=name, reason=reason)
    ended = session.client.end_freeze(request).freeze
    emit(session, ended, people.freezes([ended]))


@freeze.command(short_help="Exempt one release from a freeze.")
@click.argument("freeze_id", metavar="ID")
@click.argument("release")
@click.option("--ticket", required=True, metavar="TEXT", help="Where it is tracked.")
@click.option("--reason", required=True, metavar="TEXT", help="Why: 20 characters or more.")
@click.option("--for", "duration", type=DURATION, metavar="DURATION", help="How long, up to 7d.")
@connected()
def exempt(
    session: Session, *, freeze_id: str, release: str, ticket: str, reason: str, duration: timedelta | None
) -> None:
    """Exempt one release that is not your own; the freeze's groups may still have to approve it."""
    from release_passport.cli.emit import emit
    from release_passport.cli.render import people
    from release_passport.cli.resource_names import child_name, release_name
    from release_passport.v1 import freeze_service_pb2

    request = freeze_service_pb2.CreateFreezeExemptionRequest(
        freeze=child_name(session, "freezes", freeze_id),
        release=release_name(session, release),
        ticket=ticket,
        reason=reason,
    )
    if duration is not None:
        request.expire_time.FromDatetime(datetime.now(UTC) + duration)
    made = session.client.create_freeze_exemption(request).exemption
    emit(session, made, people.exemptions([made]))


@freeze.command(short_help="List exemptions from freezes.")
@limit_option
@connected()
def exemptions(session: Session, limit: int) -> None:
    """List exemptions, newest first."""
    from release_passport.cli.emit import emit_list
    from release_passport.cli.paging import read_pages
    from release_passport.cli.render import people
    from release_passport.v1 import freeze_service_pb2

    request = freeze_service_pb2.ListFreezeExemptionsRequest(tenant=session.tenant)
    found = read_pages(session, session.client.list_freeze_exemptions, request, "exemptions", limit)
    emit_list(session, found, people.exemptions(found))


@freeze.command("end-exemption", short_help="End an exemption now.")
@click.argument("name")
@connected()
def end_exemption(session: Session, name: str) -> None:
    """End an exemption now; give its whole name."""
    from release_passport.cli.emit import emit
    from release_passport.cli.render import people
    from release_passport.v1 import freeze_service_pb2

    request = freeze_service_pb2.EndFreezeExemptionRequest(name=name)
    ended = session.client.end_freeze_exemption(request).exemption
    emit(session, ended, people.exemptions([ended]))
