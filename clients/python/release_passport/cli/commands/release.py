"""`passport release`: register, find, start and finish releases."""

from __future__ import annotations

from typing import Any

import click

from release_passport.cli.identity import identity_options, take_identity
from release_passport.cli.options import connected
from release_passport.cli.paging import limit_option
from release_passport.cli.session import Session


@click.group(short_help="Register, find, start and finish releases.")
def release() -> None:
    """Register, find, start and finish releases."""


@release.command(short_help="Register a release.")
@identity_options
@click.option("--request-id", default="", metavar="ID", help="Makes the call idempotent for 24 h.")
@connected()
def create(session: Session, /, request_id: str, **said: Any) -> None:
    """Register a release; the same identity again gives the same release."""
    from release_passport.cli.emit import emit
    from release_passport.cli.render import lists
    from release_passport.v1 import release_service_pb2

    response = session.client.create_release(
        release_service_pb2.CreateReleaseRequest(
            tenant=session.tenant, identity=take_identity(said).message(), request_id=request_id
        )
    )
    emit(session, response.release, lists.release(response.release))
    session.notice("created" if response.created else "was there already")


@release.command(short_help="Show a release.")
@click.argument("name")
@connected()
def get(session: Session, name: str) -> None:
    """Show a release: SERVICE/ENVIRONMENT/VERSION, or its whole name."""
    from release_passport.cli.emit import emit
    from release_passport.cli.render import lists
    from release_passport.cli.resource_names import release_name
    from release_passport.v1 import release_service_pb2

    request = release_service_pb2.GetReleaseRequest(name=release_name(session, name))
    found = session.client.get_release(request).release
    emit(session, found, lists.release(found))


@release.command("list", short_help="List releases, newest first.")
@click.option("--service", default="", metavar="ID")
@click.option("--environment", default="", metavar="ID")
@click.option("--artifact", default="", metavar="sha256:…", help="Releases that deploy this digest.")
@limit_option
@connected()
def list_releases(session: Session, service: str, environment: str, artifact: str, limit: int) -> None:
    """List releases, newest first."""
    from release_passport.cli.emit import emit_list
    from release_passport.cli.paging import read_pages
    from release_passport.cli.render import lists
    from release_passport.v1 import release_service_pb2

    request = release_service_pb2.ListReleasesRequest(
        tenant=session.tenant,
        service=service,
        environment=environment,
        artifact_digest=artifact.rpartition("@")[2],
    )
    found = read_pages(session, session.client.list_releases, request, "releases", limit)
    emit_list(session, found, lists.releases(found))


@release.command(short_help="Start a rollout.")
@click.argument("name")
@click.option("--decision", required=True, metavar="NAME", help="Decision that the rollout stands on.")
@connected()
def start(session: Session, name: str, decision: str) -> None:
    """Open an attempt to roll a release out, on its newest decision, which must allow and be valid."""
    from release_passport.cli.emit import emit
    from release_passport.cli.render import lists
    from release_passport.cli.resource_names import decision_name, release_name
    from release_passport.v1 import release_service_pb2

    response = session.client.start_rollout(
        release_service_pb2.StartRolloutRequest(
            release=release_name(session, name), decision=decision_name(decision)
        )
    )
    emit(session, response.attempt, lists.attempt(response.attempt))


@release.command(short_help="Finish a rollout.")
@click.argument("attempt")
@click.option(
    "--outcome",
    required=True,
    type=click.Choice(["passed", "rolled-back", "failed", "cancelled"], case_sensitive=False),
    help="How it ended.",
)
@click.option("--reason", default="", metavar="TEXT", help="Why, for people.")
@connected()
def finish(session: Session, attempt: str, outcome: str, reason: str) -> None:
    """End an open attempt: SERVICE/ENVIRONMENT/VERSION/NUMBER, or its whole name."""
    from release_passport.cli.emit import emit
    from release_passport.cli.render import lists
    from release_passport.cli.resource_names import attempt_name
    from release_passport.v1 import release_service_pb2

    value = f"ATTEMPT_OUTCOME_{outcome.upper().replace('-', '_')}"
    response = session.client.finish_rollout(
        release_service_pb2.FinishRolloutRequest(
            attempt=attempt_name(session, attempt), outcome=value, reason=reason
        )
    )
    emit(session, response.attempt, lists.attempt(response.attempt))
