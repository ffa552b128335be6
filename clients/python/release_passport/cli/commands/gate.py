"""`passport gate`: ask whether a release may proceed."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from release_passport.cli import exit_codes
from release_passport.cli.config import boolean
from release_passport.cli.failure import CommandFailure, usage
from release_passport.cli.identity import (
    IdentityFlags,
    identity_options,
    release_option,
    take_identity,
    take_release,
)
from release_passport.cli.options import DECISION, DURATION, connected
from release_passport.cli.session import Session

if TYPE_CHECKING:
    from release_passport.cli.asking import Answer, Asker, Clock
    from release_passport.v1 import decision_service_pb2

_DEFAULT_WAIT = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class _Flags:
    release: str | None
    resume: str | None
    evidence: str | None
    refresh: bool
    request_id: str | None
    stage: str | None
    wait: bool
    timeout: timedelta | None
    accept_canary: bool
    exit_zero: bool
    yes_report_only: bool
    detach: bool
    dev: bool


@click.command(short_help="Ask whether a release may proceed.")
@release_option
@identity_options
@click.option("--evidence", metavar="FILE", help="Evidence items to store with the decision (YAML or JSON).")
@click.option(
    "--stage", type=click.Choice(["pre-rollout", "watch"]), help="Stage to check that the release is at."
)
@click.option("--refresh", is_flag=True, help="Have the connectors of the place read first.")
@click.option("--wait", is_flag=True, help="Ask again until the release may proceed or the time is up.")
@click.option(
    "--timeout", type=DURATION, metavar="DURATION", help="Longest wait: 30m with --wait, else one call's."
)
@click.option(
    "--accept-canary", is_flag=True, help="Exit 0 for ALLOW_WITH_CANARY too: the rollout keeps its limits."
)
@click.option(
    "--exit-zero", is_flag=True, help="Report only: exit 0 whatever the verdict. Errors stay errors."
)
@click.option("--yes-report-only", is_flag=True, help="Permit --exit-zero in CI.")
@click.option("--detach", is_flag=True, help="Print the decision's name and leave; --resume goes on.")
@click.option("--resume", metavar="DECISION", help="Go on with the release of this decision.")
@click.option("--request-id", metavar="ID", help="Makes the question idempotent for 24 h.")
@click.option("--dev", is_flag=True, help="Accept decisions of a server in development mode.  [PASSPORT_DEV]")
@connected(DECISION)
def gate(session: Session, /, **said: Any) -> int:
    """Ask whether a release may proceed, print why, and exit with a code that tells the verdicts apart.

    \u0008
    Exit codes
       0  ALLOW
      14  ALLOW_WITH_CANARY (0 with --accept-canary)
      10  REQUIRE_APPROVAL
      11  HOLD, or an answer that cannot be relied on
      12  BLOCK
      13  ROLLBACK_RECOMMENDED
       2  usage or bad input
       4  not authenticated, or denied
       5  gate unreachable or timed out
       1  anything else; 130 interrupted
    """
    identity = take_identity(said)
    said["release"] = take_release(said)
    flags = _Flags(**{name: said[name] for name in _Flags.__dataclass_fields__})
    _check(flags, identity)
    asker = _asker(session, flags, identity)
    try:
        answer = _ask(session, asker, flags)
    except KeyboardInterrupt:
        _tell_how_to_resume(session, asker)
        raise
    return _finish(session, answer, flags)


def _check(flags: _Flags, identity: IdentityFlags) -> None:
    ways = [bool(flags.release), bool(flags.resume), identity.is_given]
    if sum(ways) != 1:
        raise usage(
            "say which release: SERVICE/ENVIRONMENT/VERSION, or --service, --environment, …, or --resume DECISION"
        )
    if flags.detach and flags.wait:
        raise usage("--detach leaves at once and --wait stays: give one of them")
    in_ci = os.environ.get("CI", "").lower() not in {"", "0", "false", "no"}
    if flags.exit_zero and in_ci and not flags.yes_report_only:
        raise usage("--exit-zero in CI lets everything through; --yes-report-only says that this is meant")


def _asker(session: Session, flags: _Flags, identity: IdentityFlags) -> Asker:
    from release_passport.cli.asking import Asker, Terms

    accept_dev = flags.dev or boolean(os.environ.get("PASSPORT_DEV", ""), "PASSPORT_DEV")
    terms = Terms(accept_canary=flags.accept_canary, accept_dev=accept_dev)
    return Asker(session, _request(session, flags, identity), terms, _clock())


def _clock() -> Clock:
    from release_passport.cli.asking import Clock

    return Clock()


def _request(
    session: Session, flags: _Flags, identity: IdentityFlags
) -> decision_service_pb2.EvaluateRequest:
    from release_passport.cli.resource_names import decision_name, release_name
    from release_passport.v1 import decision_service_pb2, verdict_pb2

    request = decision_service_pb2.EvaluateRequest(tenant=session.tenant, request_id=flags.request_id or "")
    if flags.resume:
        wanted = decision_service_pb2.GetDecisionRequest(name=decision_name(flags.resume))
        request.release = session.client.get_decision(wanted).decision.release
    elif flags.release:
        request.release = release_name(session, flags.release)
    else:
        request.identity.CopyFrom(identity.message())
    if flags.evidence:
        from release_passport.cli.facts_input import read_items

        request.evidence.extend(read_items(Path(flags.evidence)))
    request.refresh = flags.refresh
    if flags.stage:
        stages = {"pre-rollout": verdict_pb2.STAGE_PRE_ROLLOUT, "watch": verdict_pb2.STAGE_WATCH}
        request.stage = stages[flags.stage]
    return request


def _ask(session: Session, asker: Asker, flags: _Flags) -> Answer:
    from release_passport.durations import format_duration
    from release_passport.errors import PassportAPIError

    try:
        if not flags.wait:
            return asker.ask(timeout=flags.timeout.total_seconds() if flags.timeout else None)
        limit = flags.timeout or _DEFAULT_WAIT
        answer = asker.wait(limit.total_seconds())
    except PassportAPIError as error:
        if error.reason != "DECISION_SUPERSEDED":
            raise
        # What the request id stands for was true once; it is not an answer for now.
        raise CommandFailure(
            f"HOLD: the decision of this request id was superseded; ask again with a new one ({error.message})",
            exit_codes.HOLD,
        ) from error
    if answer is None:
        raise CommandFailure("the gate gave no answer in time", exit_codes.UNREACHABLE)
    if asker.timed_out:
        session.warn(f"passport: waited {format_duration(limit)}; this is the verdict that stands")
    return answer


def _finish(session: Session, answer: Answer, flags: _Flags) -> int:
    from release_passport.cli.render.decision_output import write_decision
    from release_passport.cli.render.machine import as_data
    from release_passport.cli.render.view import view_of

    view = view_of(answer.response.decision, refusal=answer.standing.refusal)
    code = answer.standing.exit_code
    final = exit_codes.OK if flags.exit_zero else code
    if flags.detach:
        click.echo(view.name)
        session.notice(f"{view.verdict} {view.release}: {view.headline}")
    else:
        data = as_data(answer.response)
        data["gate"] = {"verdict": view.verdict, "headline": view.headline, "exitCode": final}
        write_decision(view, session.output, data=data, exit_code=final)
    if final != code:
        session.warn(
            f"passport: REPORT ONLY: the verdict {view.verdict} would exit {code}; --exit-zero makes it 0"
        )
    if answer.standing.refusal and session.output != "table":
        session.warn(f"passport: HOLD: {answer.standing.refusal}")
    return final


def _tell_how_to_resume(session: Session, asker: Asker) -> None:
    if asker.last is not None:
        session.warn(
            f"passport: go on with: passport gate --wait --resume {asker.last.response.decision.name}"
        )
