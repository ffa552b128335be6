"""`passport simulate`: what would be decided."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from release_passport.cli.failure import usage
from release_passport.cli.identity import identity_options, release_option, take_identity, take_release
from release_passport.cli.options import DECISION, TIME, connected
from release_passport.cli.session import Session

_STAGES = {None: None, "pre-rollout": "STAGE_PRE_ROLLOUT", "watch": "STAGE_WATCH"}


@click.command(short_help="See what would be decided.")
@release_option
@identity_options
@click.option(
    "--policy",
    "policies",
    multiple=True,
    metavar="FILE",
    help="Policy file to use instead of the stored one.",
)
@click.option("--policies-only", is_flag=True, help="Leave the stored policies out.")
@click.option("--evidence", metavar="FILE", help="Items to add to the stored evidence (YAML or JSON).")
@click.option("--now", type=TIME, metavar="TIME", help="Time to decide at.")
@click.option("--stage", type=click.Choice(["pre-rollout", "watch"]), help="Stage to decide at.")
@click.option("--trace", is_flag=True, help="Also show the explanation.")
@connected(DECISION)
def simulate(
    session: Session,
    /,
    *,
    policies: tuple[str, ...],
    policies_only: bool,
    evidence: str | None,
    now: datetime | None,
    stage: str | None,
    trace: bool,
    **said: Any,
) -> None:
    """See what would be decided, with other policies, more evidence or another time. Nothing is recorded.

    The exit code is 0 whatever the verdict: a simulation gates nothing.
    """
    from release_passport.cli.facts_input import read_items
    from release_passport.cli.policy_files import read_policies
    from release_passport.cli.render.decision_output import write_decision
    from release_passport.cli.render.machine import as_data
    from release_passport.cli.render.view import view_of
    from release_passport.cli.resource_names import release_name
    from release_passport.v1 import decision_service_pb2

    identity, release = take_identity(said), take_release(said)
    if bool(release) == identity.is_given:
        raise usage("say which release: SERVICE/ENVIRONMENT/VERSION, or --service, --environment, …")
    request = decision_service_pb2.SimulateDecisionRequest(
        tenant=session.tenant, policies_only=policies_only, stage=_STAGES[stage]
    )
    if release:
        request.release = release_name(session, release)
    else:
        request.identity.CopyFrom(identity.message())
    if policies:
        request.policies.extend(document.policy for document in read_policies(policies))
    if evidence:
        request.evidence.extend(read_items(Path(evidence)))
    if now is not None:
        request.now.FromDatetime(now)
    response = session.client.simulate_decision(request)
    session.warn("SIMULATED: nothing was recorded, and this gates nothing")
    write_decision(view_of(response.decision), session.output, data=as_data(response))
    if trace and session.output == "table":
        from release_passport.cli.render import lists
        from release_passport.cli.render.screen import show

        show(lists.trace(response.steps))
