"""`passport permit`: get, use and report on what lets one rollout start."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from release_passport.cli.options import connected
from release_passport.cli.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterable

_target = click.option(
    "--target", required=True, metavar="TEXT", help="Where it is used, such as eu-1/shop/Rollout/checkout."
)
_digests = click.option(
    "--digest", "digests", multiple=True, metavar="sha256:…", help="Digest that runs, or is about to, there."
)
_request_id = click.option(
    "--request-id", default="", metavar="ID", help="Makes the call idempotent for 24 h."
)


@click.group(short_help="Get and use what lets one rollout start, and report what was done.")
def permit() -> None:
    """Get and use what lets one rollout start, once and for minutes; report what was done."""


@permit.command(short_help="Ask for a permit.")
@click.argument("release")
@_target
@click.option("--file", "path", required=True, metavar="FILE", help="File to write the permit to.")
@connected()
def get(session: Session, release: str, *, target: str, path: str) -> None:
    """Ask about RELEASE, and write the permit for the target; fail where there is none."""
    from release_passport.cli.failure import CommandFailure
    from release_passport.cli.resource_names import release_name
    from release_passport.v1 import decision_service_pb2, verdict_pb2

    request = decision_service_pb2.EvaluateRequest(
        tenant=session.tenant, release=release_name(session, release), target=target
    )
    response = session.client.evaluate(request)
    if not response.permit:
        verdict = verdict_pb2.Verdict.Name(response.decision.effective_verdict).removeprefix("VERDICT_")
        raise CommandFailure(f"{release}: {verdict} gives no permit: `passport gate` says why")
    Path(path).write_bytes(response.permit)
    session.notice(f"{path}: the permit of {response.decision.name}")


@permit.command(short_help="Use a permit, once.")
@click.argument("file", type=click.Path(dir_okay=False))
@_target
@_digests
@_request_id
@connected()
def redeem(session: Session, file: str, *, target: str, digests: Iterable[str], request_id: str) -> None:
    """Use the permit in FILE; the server decides once more whether the release may go. Exit 0: it may, now."""
    from release_passport.cli.emit import emit
    from release_passport.cli.failure import usage
    from release_passport.cli.render.text import pairs
    from release_passport.cli.render.view import time_words
    from release_passport.v1 import permit_service_pb2, verdict_pb2

    try:
        envelope = Path(file).read_bytes()
    except OSError as error:
        raise usage(f"{file} cannot be read: {error.strerror}") from error
    response = session.client.redeem_permit(
        permit_service_pb2.RedeemPermitRequest(
            tenant=session.tenant,
            permit=envelope,
            target=target,
            artifact_digests=digests,
            request_id=request_id,
        )
    )
    verdict = verdict_pb2.Verdict.Name(response.effective_verdict).removeprefix("VERDICT_")
    rows = [
        ("decision", response.decision),
        ("verdict", verdict),
        ("redeemed", time_words(response.redeem_time)),
    ]
    emit(session, response, pairs(rows))


@permit.command(short_help="Report what was done with a decision.")
@click.argument("decision")
@click.argument("done", type=click.Choice(["applied", "failed", "overridden"], case_sensitive=False))
@_target
@_digests
@click.option("--detail", default="", metavar="TEXT", help="More, for people.")
@_request_id
@connected()
def report(
    session: Session,
    decision: str,
    *,
    done: str,
    target: str,
    digests: Iterable[str],
    detail: str,
    request_id: str,
) -> None:
    """Record what was DONE with DECISION; it changes no verdict."""
    from release_passport.cli.emit import emit
    from release_passport.cli.render.text import pairs
    from release_passport.cli.resource_names import decision_name
    from release_passport.v1 import permit_service_pb2

    response = session.client.report_enforcement(
        permit_service_pb2.ReportEnforcementRequest(
            decision=decision_name(decision),
            enforcement=f"ENFORCEMENT_{done.upper()}",
            target=target,
            artifact_digests=digests,
            detail=detail,
            request_id=request_id,
        )
    )
    emit(session, response, pairs([("recorded", f"{done} at revision {response.revision}")]))
