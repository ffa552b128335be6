"""`passport policy propose` and `passport policy changes`: changes that two people make."""

from __future__ import annotations

import click

from release_passport.cli.options import connected
from release_passport.cli.paging import limit_option
from release_passport.cli.session import Session


@click.command(short_help="Propose a change of a policy to another person.")
@click.argument("target", metavar="FILE|NAME")
@click.option("--delete", is_flag=True, help="Propose to delete the policy of this name.")
@click.option("--reason", required=True, metavar="TEXT", help="Why: 20 characters or more.")
@connected()
def propose(session: Session, target: str, delete: bool, reason: str) -> None:
    """Propose what nobody does alone: to take the last ENFORCE policy from services, which are listed."""
    from release_passport.cli.emit import emit
    from release_passport.cli.policy_propose import change_wanted
    from release_passport.cli.render import policy_changes

    made = session.client.propose_policy_change(
        change_wanted(session, target, delete=delete, reason=reason)
    ).change
    emit(session, made, policy_changes.change(made))
    identifier = made.name.rpartition("/")[2]
    session.notice(f"another person applies it with `passport policy changes apply {identifier}`")


@click.group(short_help="List, apply and withdraw proposed changes of policies.")
def changes() -> None:
    """List, apply and withdraw changes of policies that somebody proposed."""


@changes.command("list", short_help="List proposed changes.")
@click.option("--policy", default="", metavar="NAME", help="Only of this policy.")
@limit_option
@connected()
def list_changes(session: Session, policy: str, limit: int) -> None:
    """List proposed changes, newest first, those that are over too."""
    from release_passport.cli.emit import emit_list
    from release_passport.cli.paging import read_pages
    from release_passport.cli.render import policy_changes
    from release_passport.cli.resource_names import child_name
    from release_passport.v1 import policy_service_pb2

    whole = child_name(session, "policies", policy) if policy else ""
    request = policy_service_pb2.ListPolicyChangesRequest(tenant=session.tenant, policy=whole)
    found = read_pages(session, session.client.list_policy_changes, request, "changes", limit)
    emit_list(session, found, policy_changes.changes(found))


@changes.command(short_help="Take a proposed change back.")
@click.argument("change_id", metavar="ID")
@click.option("--reason", default="", metavar="TEXT", help="Why.")
@connected()
def withdraw(session: Session, change_id: str, reason: str) -> None:
    """Take back what you or somebody else proposed; what was applied stays."""
    from release_passport.cli.emit import emit
    from release_passport.cli.render import policy_changes
    from release_passport.cli.resource_names import child_name
    from release_passport.v1 import policy_service_pb2

    name = child_name(session, "policyChanges", change_id)
    request = policy_service_pb2.WithdrawPolicyChangeRequest(name=name, reason=reason)
    ended = session.client.withdraw_policy_change(request).change
    emit(session, ended, policy_changes.change(ended))


@changes.command(short_help="Apply a change that somebody else proposed.")
@click.argument("change_id", metavar="ID")
@click.option("--yes", is_flag=True, help="Apply what is shown without being asked.")
@connected()
def apply(session: Session, change_id: str, yes: bool) -> None:
    """Show what a change says and what it leaves open, ask, and apply it; not your own."""
    from release_passport.cli.confirming import require_yes
    from release_passport.cli.emit import emit
    from release_passport.cli.policy_propose import read_change
    from release_passport.cli.render import policy_changes
    from release_passport.v1 import policy_service_pb2

    proposed, current = read_change(session, change_id)
    session.warn(str(policy_changes.change(proposed, current)))
    require_yes("Apply this change?", said=yes)
    answer = session.client.apply_policy_change(
        policy_service_pb2.ApplyPolicyChangeRequest(name=proposed.name)
    )
    emit(session, answer.change, policy_changes.change(answer.change))
