"""`passport approve`, `passport reject`, `passport approval` and `passport group`: the votes of people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from release_passport.cli.options import connected
from release_passport.cli.paging import limit_option
from release_passport.cli.session import Session

if TYPE_CHECKING:
    from release_passport.v1 import approval_pb2


@click.command(short_help="Approve a release for a group.")
@click.argument("release")
@click.option("--rule", default="", metavar="POLICY/RULE", help="Which rule asks, where several do.")
@click.option("--group", default="", metavar="ID", help="For which of your groups, where several are asked.")
@click.option("--reason", default="", metavar="TEXT", help="Why.")
@click.option("--yes", is_flag=True, help="Approve what is shown without being asked.")
@connected()
def approve(session: Session, *, release: str, rule: str, group: str, reason: str, yes: bool) -> None:
    """Show exactly what would be approved, ask, and vote; a change of it meanwhile is refused."""
    from release_passport.cli.confirming import require_yes
    from release_passport.cli.emit import emit
    from release_passport.cli.render import approvals, lists
    from release_passport.v1 import approval_service_pb2

    asked = _asked(session, release, rule)
    session.warn(str(approvals.request(asked)))
    require_yes("Approve this release?", said=yes)
    request = approval_service_pb2.ApproveRequest(
        release=asked.release,
        policy=asked.policy,
        rule=asked.rule,
        group=group,
        reason=reason,
        etag=asked.etag,
    )
    answer = session.client.approve(request)
    emit(session, answer, lists.decisions([answer.decision]))


@click.command(short_help="Reject a release: a veto.")
@click.argument("release")
@click.option("--rule", default="", metavar="POLICY/RULE", help="Which rule asks, where several do.")
@click.option("--reason", required=True, metavar="TEXT", help="Why: 20 characters or more.")
@click.option("--yes", is_flag=True, help="Reject what is shown without being asked.")
@connected()
def reject(session: Session, *, release: str, rule: str, reason: str, yes: bool) -> None:
    """Reject a release: it is BLOCKed until you take that back or somebody resolves it."""
    from release_passport.cli.confirming import require_yes
    from release_passport.cli.emit import emit
    from release_passport.cli.render import approvals, lists
    from release_passport.v1 import approval_service_pb2

    asked = _asked(session, release, rule)
    session.warn(str(approvals.request(asked)))
    require_yes("Reject this release?", said=yes)
    request = approval_service_pb2.RejectRequest(
        release=asked.release, policy=asked.policy, rule=asked.rule, reason=reason, etag=asked.etag
    )
    answer = session.client.reject(request)
    emit(session, answer, lists.decisions([answer.decision]))


@click.group(short_help="See and end votes.")
def approval() -> None:
    """See what waits for votes, and the votes about a release; take one back."""


@approval.command(short_help="List what waits for your vote.")
@click.option("--everybody", is_flag=True, help="Also what waits for others.")
@limit_option
@connected()
def pending(session: Session, everybody: bool, limit: int) -> None:
    """List what waits for your vote."""
    from release_passport.cli.emit import emit_list
    from release_passport.cli.paging import read_pages
    from release_passport.cli.render import approvals
    from release_passport.v1 import approval_service_pb2

    request = approval_service_pb2.ListPendingApprovalsRequest(tenant=session.tenant, everybody=everybody)
    found = read_pages(session, session.client.list_pending_approvals, request, "requests", limit)
    emit_list(session, found, approvals.requests(found))


@approval.command("list", short_help="List the votes about a release.")
@click.argument("release")
@limit_option
@connected()
def list_votes(session: Session, release: str, limit: int) -> None:
    """List the votes about a release, newest first, each with why it does not count."""
    from release_passport.cli.emit import emit_list
    from release_passport.cli.paging import read_pages
    from release_passport.cli.render import approvals
    from release_passport.cli.resource_names import release_name
    from release_passport.v1 import approval_service_pb2

    request = approval_service_pb2.ListApprovalsRequest(release=release_name(session, release))
    found = read_pages(session, session.client.list_approvals, request, "approvals", limit)
    emit_list(session, found, approvals.votes(found))


@approval.command(short_help="Take a vote of yours back.")
@click.argument("name")
@click.option("--reason", default="", metavar="TEXT", help="Why.")
@connected()
def revoke(session: Session, name: str, reason: str) -> None:
    """Take a vote of yours back, yes or no; give its whole name."""
    from release_passport.cli.emit import emit
    from release_passport.cli.render import approvals
    from release_passport.v1 import approval_service_pb2

    ended = session.client.revoke_approval(
        approval_service_pb2.RevokeApprovalRequest(name=name, reason=reason)
    )
    emit(session, ended.approval, approvals.votes([ended.approval]))


@approval.command(short_help="End the rejection of somebody else.")
@click.argument("name")
@click.option("--reason", required=True, metavar="TEXT", help="Why: 20 characters or more.")
@connected()
def resolve(session: Session, name: str, reason: str) -> None:
    """End the rejection of somebody else; give its whole name."""
    from release_passport.cli.emit import emit
    from release_passport.cli.render import approvals
    from release_passport.v1 import approval_service_pb2

    request = approval_service_pb2.ResolveRejectionRequest(name=name, reason=reason)
    ended = session.client.resolve_rejection(request)
    emit(session, ended.approval, approvals.votes([ended.approval]))


@click.group(short_help="Keep the groups that vote.")
def group() -> None:
    """Keep the groups that vote together."""


@group.command("set", short_help="Make a group, or replace its members.")
@click.argument("group_id", metavar="ID")
@click.argument("members", nargs=-1, required=True)
@click.option("--title", default="", metavar="TEXT")
@connected()
def set_group(session: Session, *, group_id: str, members: tuple[str, ...], title: str) -> None:
    """Make a group of people (user:ada) and of groups of an identity provider (group:okta/leads)."""
    from release_passport.cli.emit import emit
    from release_passport.cli.render import approvals
    from release_passport.v1 import group_service_pb2

    wanted = group_service_pb2.Group(group_id=group_id, title=title, members=members)
    request = group_service_pb2.PutGroupRequest(tenant=session.tenant, group=wanted)
    made = session.client.put_group(request).group
    emit(session, made, approvals.groups([made]))


@group.command("list", short_help="List groups.")
@limit_option
@connected()
def list_groups(session: Session, limit: int) -> None:
    """List groups and their members."""
    from release_passport.cli.emit import emit_list
    from release_passport.cli.paging import read_pages
    from release_passport.cli.render import approvals
    from release_passport.v1 import group_service_pb2

    request = group_service_pb2.ListGroupsRequest(tenant=session.tenant)
    found = read_pages(session, session.client.list_groups, request, "groups", limit)
    emit_list(session, found, approvals.groups(found))


@group.command(short_help="Delete a group.")
@click.argument("group_id", metavar="ID")
@connected()
def delete(session: Session, group_id: str) -> None:
    """Delete a group; votes for it count no longer."""
    from release_passport.cli.resource_names import child_name
    from release_passport.v1 import group_service_pb2

    name = child_name(session, "groups", group_id)
    session.client.delete_group(group_service_pb2.DeleteGroupRequest(name=name))
    session.notice(f"deleted {name}")


def _asked(session: Session, release: str, rule: str) -> approval_pb2.ApprovalRequest:
    """Return what is asked about a release, by the rule that is named or the only one that asks."""
    from release_passport.cli.failure import usage
    from release_passport.cli.resource_names import release_name
    from release_passport.v1 import approval_service_pb2

    policy, _, rule_id = rule.rpartition("/") if not rule.startswith("freeze:") else ("", "", rule)
    request = approval_service_pb2.GetApprovalRequestRequest(
        release=release_name(session, release), policy=policy, rule=rule_id
    )
    found = session.client.get_approval_request(request).requests
    if not found:
        raise usage(f"nobody is asked about {release}: `passport gate` says what holds it")
    if len(found) > 1:
        rules = ", ".join(f"{one.policy}/{one.rule}" for one in found)
        raise usage(f"several rules ask: say which with --rule: {rules}")
    return found[0]
