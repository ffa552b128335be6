"""`passport window`: how rollouts are watched, and what people answer."""

from __future__ import annotations

import click

from release_passport.cli.options import connected
from release_passport.cli.paging import limit_option
from release_passport.cli.session import Session

_ATTEMPT = "SERVICE/ENVIRONMENT/VERSION/NUMBER"


@click.group()
def window() -> None:
    """See how rollouts are watched, acknowledge recommended rollbacks, and end what nobody ends."""


@window.command("list", short_help="List the watch windows of what is under way.")
@click.option("--service", default="", metavar="NAME", help="Only of this service.")
@click.option("--environment", default="", metavar="NAME", help="Only in this environment.")
@limit_option
@connected()
def list_windows(session: Session, service: str, environment: str, limit: int) -> None:
    """List the watch windows of the rollouts that are under way."""
    from release_passport.cli.emit import emit_list
    from release_passport.cli.paging import read_pages
    from release_passport.cli.render import windows
    from release_passport.v1 import watch_window_service_pb2 as pb

    request = pb.ListWatchWindowsRequest(tenant=session.tenant, service=service, environment=environment)
    found = read_pages(session, session.client.list_watch_windows, request, "windows", limit)
    emit_list(session, found, windows.windows(found))


@window.command(short_help="Show a watch window.")
@click.argument("attempt", metavar=_ATTEMPT)
@connected()
def show(session: Session, attempt: str) -> None:
    """Show when a rollout is watched, what latched, and where to go back to."""
    from release_passport.cli.emit import emit
    from release_passport.cli.render import windows
    from release_passport.v1 import watch_window_service_pb2 as pb

    found = session.client.get_watch_window(pb.GetWatchWindowRequest(name=_name(session, attempt))).window
    emit(session, found, windows.window(found))


@window.command(short_help="Acknowledge a recommended rollback.")
@click.argument("attempt", metavar=_ATTEMPT)
@click.option(
    "--reason", required=True, metavar="TEXT", help="Why it stands no longer: 20 characters or more."
)
@connected()
def acknowledge(session: Session, attempt: str, reason: str) -> None:
    """Clear what latched on the digests of a rollout; an author of the release may not."""
    from release_passport.cli.emit import emit
    from release_passport.cli.render import windows
    from release_passport.v1 import watch_window_service_pb2 as pb

    request = pb.AcknowledgeWatchWindowRequest(name=_name(session, attempt), reason=reason)
    found = session.client.acknowledge_watch_window(request).window
    emit(session, found, windows.window(found))


@window.command(short_help="End a rollout that nobody else ends.")
@click.argument("attempt", metavar=_ATTEMPT)
@click.option(
    "--outcome",
    required=True,
    type=click.Choice(["rolled-back", "failed", "cancelled"]),
    help="How it ended; whether it was healthy is not said by hand.",
)
@click.option("--reason", required=True, metavar="TEXT", help="Why by hand: 20 characters or more.")
@connected()
def close(session: Session, attempt: str, outcome: str, reason: str) -> None:
    """End a rollout whose controller does not say that it has ended; what latched stands."""
    from release_passport.cli.emit import emit
    from release_passport.cli.render import windows
    from release_passport.v1 import watch_window_service_pb2 as pb

    state = f"WATCH_WINDOW_STATE_{outcome.replace('-', '_').upper()}"
    request = pb.CloseWatchWindowRequest(name=_name(session, attempt), outcome=state, reason=reason)
    found = session.client.close_watch_window(request).window
    emit(session, found, windows.window(found))


@window.command("adopt-policies", short_help="Have rollouts judged by the policies of now.")
@click.argument("attempts", metavar=f"[{_ATTEMPT}]...", nargs=-1)
@click.option("--service", default="", metavar="NAME", help="What is under way of this service.")
@click.option("--environment", default="", metavar="NAME", help="What is under way in this environment.")
@click.option("--dry-run", is_flag=True, help="Only show which verdicts would change.")
@click.option("--reason", default="", metavar="TEXT", help="Why: 20 characters or more.")
@click.option("--yes", is_flag=True, help="Have them judged so without being asked.")
@limit_option
@connected()
def adopt_policies(
    session: Session,
    *,
    attempts: tuple[str, ...],
    service: str,
    environment: str,
    dry_run: bool,
    reason: str,
    yes: bool,
    limit: int,
) -> None:
    """Show what the policies of now would say of rollouts under way, ask, and have them judge these.

    Without it a rollout is judged by the policies that it began with. What latched stands.
    """
    from release_passport.cli.confirming import require_yes
    from release_passport.cli.emit import emit_list
    from release_passport.cli.failure import usage
    from release_passport.cli.paging import read_pages
    from release_passport.cli.render import windows
    from release_passport.v1 import watch_window_service_pb2 as pb

    if not (attempts or service or environment):
        raise usage("name rollouts, or say of which --service or in which --environment they are")
    if not (dry_run or reason):
        raise usage(
            "--reason says why they are judged by other policies; --dry-run only shows what would change"
        )
    names = [_name(session, one) for one in attempts]
    if not names:
        request = pb.ListWatchWindowsRequest(tenant=session.tenant, service=service, environment=environment)
        found = read_pages(session, session.client.list_watch_windows, request, "windows", limit)
        names = [one.name for one in found]
    client = session.client
    shown = [client.adopt_policies(pb.AdoptPoliciesRequest(name=one, validate_only=True)) for one in names]
    differ = [one for one in shown if one.changes]
    if dry_run or not differ:
        emit_list(session, differ, windows.adoptions(differ))
        return
    session.warn(str(windows.adoptions(differ)))
    require_yes("Have all of these judged so? Everybody is told.", said=yes)
    done = [
        client.adopt_policies(pb.AdoptPoliciesRequest(name=one.window.name, reason=reason, etag=one.etag))
        for one in differ
    ]
    emit_list(session, done, windows.adoptions(done))


def _name(session: Session, text: str) -> str:
    from release_passport.cli.resource_names import attempt_name

    return f"{attempt_name(session, text.removesuffix('/watchWindow'))}/watchWindow"
