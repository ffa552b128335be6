"""`passport override`: break the glass, tell what was done by hand, and have it reviewed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from release_passport.cli.options import DURATION, connected
from release_passport.cli.paging import limit_option
from release_passport.cli.session import Session

if TYPE_CHECKING:
    from release_passport.v1 import decision_pb2


@click.group(short_help="Break the glass, and have it reviewed.")
def override() -> None:
    """Let one release start against findings, for four hours at most; somebody else reviews it within 48."""


@override.command(short_help="Let a release start against what stands.")
@click.argument("release")
@click.option("--ticket", required=True, metavar="TEXT", help="Where it is tracked.")
@click.option("--reason", required=True, metavar="TEXT", help="Why: 20 characters or more.")
@click.option(
    "--for", "duration", type=DURATION, metavar="DURATION", help="How long it may be used: 1h, up to 4h."
)
@click.option("--yes", is_flag=True, help="Overrule what is shown without being asked.")
@connected()
def create(
    session: Session, *, release: str, ticket: str, reason: str, duration: timedelta | None, yes: bool
) -> None:
    """Show the findings that will be overruled, ask, and let the release start once."""
    from release_passport.cli.confirming import require_yes
    from release_passport.cli.emit import emit
    from release_passport.cli.render import exceptions
    from release_passport.cli.resource_names import release_name
    from release_passport.v1 import override_service_pb2

    decision = _standing(session, release_name(session, release))
    session.warn(str(exceptions.overruled(decision)))
    require_yes("Overrule all of this? Everybody is told.", said=yes)
    wanted = override_service_pb2.CreateOverrideRequest(
        release=decision.release, decision=decision.name, ticket=ticket, reason=reason
    )
    if duration is not None:
        wanted.duration.FromTimedelta(duration)
    answer = session.client.create_override(wanted)
    emit(session, answer, exceptions.overrides([answer.override]))


@override.command(short_help="Record what was done by hand.")
@click.argument("release")
@click.option("--ticket", required=True, metavar="TEXT", help="Where it is tracked.")
@click.option("--reason", required=True, metavar="TEXT", help="Why: 20 characters or more.")
@click.option(
    "--ago", type=DURATION, required=True, metavar="DURATION", help="How long ago it was done, up to 24h."
)
@click.option("--by", "principal", default="", metavar="PRINCIPAL", help="Who did it; you, when not given.")
@click.option(
    "--digest", "digests", multiple=True, metavar="DIGEST", help="What was put to run; all when not given."
)
@connected()
def record(
    session: Session,
    *,
    release: str,
    ticket: str,
    reason: str,
    ago: timedelta,
    principal: str,
    digests: tuple[str, ...],
) -> None:
    """Record within 24 hours what was done by hand while the gate could not be asked; it opens nothing."""
    from release_passport.cli.emit import emit
    from release_passport.cli.render import exceptions
    from release_passport.cli.resource_names import release_name
    from release_passport.v1 import override_service_pb2

    wanted = override_service_pb2.RecordOverrideRequest(
        release=release_name(session, release),
        principal=principal,
        ticket=ticket,
        reason=reason,
        artifact_digests=digests,
    )
    wanted.act_time.FromDatetime(datetime.now(UTC) - ago)
    made = session.client.record_override(wanted).override
    emit(session, made, exceptions.overrides([made]))


@override.command(short_help="End an override now.")
@click.argument("name")
@connected()
def withdraw(session: Session, name: str) -> None:
    """End an override now; a rollout that started on it is held. Give its whole name."""
    from release_passport.cli.emit import emit
    from release_passport.cli.render import exceptions
    from release_passport.v1 import override_service_pb2

    wanted = override_service_pb2.WithdrawOverrideRequest(name=name)
    ended = session.client.withdraw_override(wanted).override
    emit(session, ended, exceptions.overrides([ended]))


@override.command(short_help="Say that you have looked at an override.")
@click.argument("name")
@click.option("--review", required=True, metavar="TEXT", help="What it says: 20 characters or more.")
@connected()
def review(session: Session, name: str, review: str) -> None:
    """Review an override of somebody else. Give its whole name."""
    from release_passport.cli.emit import emit
    from release_passport.cli.render import exceptions
    from release_passport.v1 import override_service_pb2

    wanted = override_service_pb2.ReviewOverrideRequest(name=name, review=review)
    done = session.client.review_override(wanted).override
    emit(session, done, exceptions.overrides([done]))


@override.command("list", short_help="List overrides.")
@click.option("--service", default="", metavar="ID")
@click.option("--environment", default="", metavar="ID")
@click.option("--unreviewed", is_flag=True, help="Only those that nobody has reviewed.")
@click.option("--retrospective", is_flag=True, help="Only what was done by hand and told afterwards.")
@limit_option
@connected()
def list_overrides(
    session: Session, *, service: str, environment: str, unreviewed: bool, retrospective: bool, limit: int
) -> None:
    """List overrides, newest first."""
    from release_passport.cli.emit import emit_list
    from release_passport.cli.paging import read_pages
    from release_passport.cli.render import exceptions
    from release_passport.v1 import override_service_pb2

    wanted = override_service_pb2.ListOverridesRequest(
        tenant=session.tenant,
        service=service,
        environment=environment,
        unreviewed=unreviewed,
        retrospective=retrospective,
    )
    found = read_pages(session, session.client.list_overrides, wanted, "overrides", limit)
    emit_list(session, found, exceptions.overrides(found))


def _standing(session: Session, release: str) -> decision_pb2.Decision:
    """Return what stands about a release now, or its newest decision for who may not ask the gate."""
    from release_passport.cli.failure import CommandFailure
    from release_passport.errors import PassportAPIError
    from release_passport.v1 import decision_service_pb2

    try:
        return session.client.evaluate(decision_service_pb2.EvaluateRequest(release=release)).decision
    except PassportAPIError as error:
        if error.code != "PERMISSION_DENIED":
            raise
    newest = decision_service_pb2.ListDecisionsRequest(release=release, page_size=1)
    found = session.client.list_decisions(newest).decisions
    if not found:
        raise CommandFailure("there is no decision about this release yet: have the gate asked first")
    return found[0]
