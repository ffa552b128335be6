"""`passport decision`: read, explain and replay decisions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from release_passport.cli import exit_codes
from release_passport.cli.options import DECISION, connected
from release_passport.cli.paging import limit_option
from release_passport.cli.session import Session

if TYPE_CHECKING:
    from release_passport.v1 import decision_service_pb2

_VERDICTS = ("allow", "allow-with-canary", "require-approval", "hold", "block", "rollback-recommended")


@click.group(short_help="Read, explain and replay decisions.")
def decision() -> None:
    """Read, explain and replay decisions."""


@decision.command(short_help="Show a decision.")
@click.argument("name")
@connected(DECISION)
def get(session: Session, name: str) -> None:
    """Show a recorded decision. It is the record; `passport gate` says what holds now."""
    from release_passport.cli.render.decision_output import write_decision
    from release_passport.cli.render.machine import as_data
    from release_passport.cli.render.view import view_of
    from release_passport.cli.resource_names import decision_name
    from release_passport.v1 import decision_service_pb2

    request = decision_service_pb2.GetDecisionRequest(name=decision_name(name))
    response = session.client.get_decision(request)
    write_decision(view_of(response.decision), session.output, data=as_data(response))
    if not response.newest:
        session.notice("a newer decision of this release exists")


@decision.command("list", short_help="List decisions, newest first.")
@click.option("--release", metavar="NAME")
@click.option("--service", default="", metavar="ID")
@click.option("--environment", default="", metavar="ID")
@click.option("--verdict", type=click.Choice(_VERDICTS, case_sensitive=False), help="Effective verdict.")
@limit_option
@connected()
def list_decisions(
    session: Session, *, release: str | None, service: str, environment: str, verdict: str | None, limit: int
) -> None:
    """List decisions, newest first."""
    from release_passport.cli.emit import emit_list
    from release_passport.cli.paging import read_pages
    from release_passport.cli.render import lists
    from release_passport.cli.resource_names import release_name
    from release_passport.v1 import decision_service_pb2

    request = decision_service_pb2.ListDecisionsRequest(
        tenant=session.tenant,
        service=service,
        environment=environment,
        effective_verdict=f"VERDICT_{verdict.upper().replace('-', '_')}" if verdict else None,
    )
    if release:
        request.release = release_name(session, release)
    found = read_pages(session, session.client.list_decisions, request, "decisions", limit)
    emit_list(session, found, lists.decisions(found))


@decision.command(short_help="Explain a decision step by step.")
@click.argument("name")
@connected()
def explain(session: Session, name: str) -> None:
    """Replay a recorded decision and show its explanation in order."""
    from release_passport.cli.emit import emit
    from release_passport.cli.render import lists

    response = _replayed(session, name)
    emit(session, response, lists.trace(response.steps))
    session.notice(f"replay: {_replay_words(response.replay)}")


@decision.command(short_help="Check that a decision replays to the same outcome.")
@click.argument("name")
@connected()
def replay(session: Session, name: str) -> int:
    """Decide the recorded case again; exit 0 only when it gives the recorded outcome."""
    from release_passport.cli.emit import emit
    from release_passport.cli.render.text import pairs
    from release_passport.v1 import decision_service_pb2

    response = _replayed(session, name)
    document = pairs(
        [
            ("replay", _replay_words(response.replay)),
            ("decision", response.decision.name),
            ("outcome", response.decision.outcome_digest),
            ("case", response.decision.case_digest),
            ("engine", response.decision.engine_version),
        ]
    )
    emit(session, response, document)
    same = response.replay == decision_service_pb2.REPLAY_RESULT_SAME
    return exit_codes.OK if same else exit_codes.ERROR


def _replayed(session: Session, name: str) -> decision_service_pb2.ExplainDecisionResponse:
    from release_passport.cli.resource_names import decision_name
    from release_passport.v1 import decision_service_pb2

    request = decision_service_pb2.ExplainDecisionRequest(name=decision_name(name))
    return session.client.explain_decision(request)


def _replay_words(result: int) -> str:
    words = {
        1: "SAME: the recorded case gives the recorded outcome",
        2: "ENGINE_DIFFERS: this engine is another one, and gives another outcome",
        3: "TAMPERED: the record does not fit its digests, or the same engine disagrees",
        4: "BODY_PURGED: a body that the case names was purged, so it cannot be decided again",
    }
    return words.get(result, "UNSPECIFIED: the server did not say")
