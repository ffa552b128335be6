"""`passport edge`: the gates where controllers ask; `passport gate` is what a pipeline asks with."""

from __future__ import annotations

from typing import Any

import click

from release_passport.cli import exit_codes
from release_passport.cli.options import connected
from release_passport.cli.paging import limit_option
from release_passport.cli.session import Session

_CONTROLLERS = {"flagger": "GATE_CONTROLLER_FLAGGER", "argo-rollouts": "GATE_CONTROLLER_ARGO_ROLLOUTS"}


@click.group(short_help="Keep the gates where Flagger and Argo Rollouts ask.")
def edge() -> None:
    """Keep the gates where Flagger and Argo Rollouts ask: one for each Canary or Rollout."""


@edge.command(short_help="Make a gate.")
@click.option("--controller", required=True, type=click.Choice(list(_CONTROLLERS)), help="Who asks.")
@click.option("--cluster", required=True, metavar="ID", help="The cluster, as the server's settings have it.")
@click.option("--namespace", required=True, metavar="NAME", help="The namespace of the object.")
@click.option("--object", "object_name", required=True, metavar="NAME", help="The Canary or Rollout.")
@click.option("--object-uid", default="", metavar="UID", help="Only this very object, not one made anew.")
@click.option("--service", required=True, metavar="ID", help="The service that it runs.")
@click.option("--environment", required=True, metavar="ID", help="The environment that it runs in.")
@click.option("--hook", "hooks", multiple=True, metavar="HOOK", help="Only these hooks; else the usual ones.")
@click.option(
    "--execute-rollbacks", is_flag=True, help="Have the controller roll back where that is recommended."
)
@click.option(
    "--stop-skipped", is_flag=True, help="Have Argo Rollouts abort what went past the gate unasked."
)
@click.option(
    "--trust-network", is_flag=True, help="Believe whoever reaches the address; every record says so."
)
@click.option(
    "--injected",
    "injected_containers",
    multiple=True,
    metavar="NAME",
    help="A container that something else puts into the pods.",
)
@click.option("--title", default="", metavar="TEXT", help="The gate in a few words.")
@connected()
def add(
    session: Session,
    /,
    *,
    controller: str,
    execute_rollbacks: bool,
    stop_skipped: bool,
    trust_network: bool,
    **said: Any,
) -> None:
    """Make a gate. Its credential is shown this once: put it into the Canary's URLs, or into a Secret."""
    from release_passport.cli.emit import emit
    from release_passport.cli.render import gates
    from release_passport.v1 import gate_pb2, gate_service_pb2

    wanted = gate_pb2.Gate(controller=_CONTROLLERS[controller], **said)
    if execute_rollbacks:
        wanted.on_rollback = gate_pb2.GATE_ON_ROLLBACK_EXECUTE
    if stop_skipped:
        wanted.on_skip = gate_pb2.GATE_ON_SKIP_STOP
    if trust_network:
        wanted.trust = gate_pb2.GATE_TRUST_NETWORK
    request = gate_service_pb2.CreateGateRequest(tenant=session.tenant, gate=wanted)
    made = session.client.create_gate(request)
    if session.output == "table":
        click.echo(made.credential)
        session.notice(f"{made.gate.name}; the credential is not shown again")
        session.notice(f"path: {gates.path(made.gate)}")
    else:
        emit(session, made, gates.listed([made.gate]))


@edge.command("list", short_help="List gates.")
@limit_option
@connected()
def list_gates(session: Session, limit: int) -> None:
    """List gates, newest first."""
    from release_passport.cli.emit import emit_list
    from release_passport.cli.paging import read_pages
    from release_passport.cli.render import gates
    from release_passport.v1 import gate_service_pb2

    request = gate_service_pb2.ListGatesRequest(tenant=session.tenant)
    found = read_pages(session, session.client.list_gates, request, "gates", limit)
    emit_list(session, found, gates.listed(found))


@edge.command(short_help="Show a gate.")
@click.argument("gate_id", metavar="ID")
@connected()
def get(session: Session, gate_id: str) -> None:
    """Show a gate, with the path that its controller calls."""
    from release_passport.cli.emit import emit
    from release_passport.cli.render import gates
    from release_passport.cli.resource_names import child_name
    from release_passport.v1 import gate_service_pb2

    request = gate_service_pb2.GetGateRequest(name=child_name(session, "gates", gate_id))
    found = session.client.get_gate(request).gate
    emit(session, found, gates.listed([found]))


@edge.command(short_help="Make a new credential.")
@click.argument("gate_id", metavar="ID")
@connected()
def rotate(session: Session, gate_id: str) -> None:
    """Make a new credential; the old one counts no longer, and Flagger waits until its URLs have the new one."""
    from release_passport.cli.emit import emit
    from release_passport.cli.render import gates
    from release_passport.cli.resource_names import child_name
    from release_passport.v1 import gate_service_pb2

    name = child_name(session, "gates", gate_id)
    found = session.client.get_gate(gate_service_pb2.GetGateRequest(name=name)).gate
    changed = session.client.update_gate(gate_service_pb2.UpdateGateRequest(gate=found, new_credential=True))
    if session.output == "table":
        click.echo(changed.credential)
        session.notice(f"{name}; the credential is not shown again")
    else:
        emit(session, changed, gates.listed([changed.gate]))


@edge.command(short_help="Delete a gate.")
@click.argument("gate_id", metavar="ID")
@connected()
def delete(session: Session, gate_id: str) -> None:
    """Delete a gate: whoever asks there waits from now on."""
    from release_passport.cli.emit import emit
    from release_passport.cli.render import gates
    from release_passport.cli.resource_names import child_name
    from release_passport.v1 import gate_service_pb2

    request = gate_service_pb2.DeleteGateRequest(name=child_name(session, "gates", gate_id))
    gone = session.client.delete_gate(request).gate
    emit(session, gone, gates.listed([gone]))


@edge.command(short_help="Say what a gate was asked and answered.")
@click.argument("gate_id", metavar="ID")
@connected()
def health(session: Session, gate_id: str) -> int:
    """Say what a gate was asked and answered, and for which rollouts it was not asked; exit 1 if something is wrong."""
    from release_passport.cli.emit import emit
    from release_passport.cli.render import gates
    from release_passport.cli.resource_names import child_name
    from release_passport.v1 import gate_service_pb2

    request = gate_service_pb2.GetGateHealthRequest(name=child_name(session, "gates", gate_id))
    found = session.client.get_gate_health(request)
    emit(session, found, gates.answers(found.answers))
    for problem in found.problems:
        session.notice(problem)
    return exit_codes.OK if found.healthy else exit_codes.ERROR
