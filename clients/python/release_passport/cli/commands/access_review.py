"""`passport access check`, `explain` and `review`: what somebody may do, why, and who may do what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from release_passport.cli import exit_codes
from release_passport.cli.options import connected
from release_passport.cli.paging import limit_option
from release_passport.cli.session import Session


def _question(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add what both commands ask about."""
    options = (
        click.argument("verb"),
        click.option("--principal", default="", metavar="ID", help="Who; you yourself if left out."),
        click.option(
            "--group",
            "groups",
            multiple=True,
            metavar="GROUP",
            help="A group that the principal would prove.",
        ),
        click.option("--service", default="", metavar="ID", help="The service; all of them if left out."),
        click.option(
            "--environment", default="", metavar="ID", help="The environment; all of them if left out."
        ),
        click.option("--kind", default="", metavar="KIND", help="The kind of evidence, for submit."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command(short_help="Say whether somebody may do something.")
@_question
@connected()
def check(session: Session, /, **asked: Any) -> int:
    """Say whether you or somebody else may do something, such as `passport access check approve --environment prod`.

    The exit code is 0 for yes and 1 for no.
    """
    return _ask(session, explain=False, **asked)


@click.command(short_help="Say why somebody may do something, or why not.")
@_question
@connected()
def explain(session: Session, /, **asked: Any) -> int:
    """Say which role binding and which rule decide, and what each other binding falls short of.

    The exit code is 0 for yes and 1 for no.
    """
    return _ask(session, explain=True, **asked)


@click.command(short_help="List who may do what, by which binding, since and until when.")
@click.option("--principal", default="", metavar="ID", help="Only this principal or group.")
@limit_option
@connected(("table", "json", "yaml", "csv"))
def review(session: Session, /, *, principal: str, limit: int) -> None:
    """List who may do what, newest binding first, for a review of access."""
    from release_passport.cli.emit import emit_list
    from release_passport.cli.paging import read_pages
    from release_passport.cli.render import access as rendered
    from release_passport.v1 import access_service_pb2

    request = access_service_pb2.ReviewAccessRequest(tenant=session.tenant, principal=principal)
    found = read_pages(session, session.client.review_access, request, "access", limit)
    if session.output == "csv":
        click.echo(rendered.as_csv(found), nl=False)
    else:
        emit_list(session, found, rendered.as_table(found))


def _ask(
    session: Session,
    *,
    explain: bool,
    verb: str,
    principal: str,
    groups: tuple[str, ...],
    service: str,
    environment: str,
    kind: str,
) -> int:
    from release_passport.cli.emit import emit
    from release_passport.cli.render import access as rendered
    from release_passport.v1 import access_service_pb2

    request = access_service_pb2.CheckAccessRequest(
        tenant=session.tenant,
        principal=principal,
        groups=groups,
        verb=verb,
        service=service,
        environment=environment,
        evidence_kind=kind,
        explain=explain,
    )
    answer = session.client.check_access(request)
    emit(session, answer, rendered.answer(answer))
    return exit_codes.OK if answer.allowed else exit_codes.ERROR
