"""`passport policy`: apply, validate, test and read policies."""

from __future__ import annotations

import click

from release_passport.cli import exit_codes
from release_passport.cli.commands.policy_changes import changes, propose
from release_passport.cli.options import connected
from release_passport.cli.paging import limit_option
from release_passport.cli.session import Session


@click.group(short_help="Apply, validate, test and read policies.")
def policy() -> None:
    """Apply, validate, test and read policies."""


policy.add_command(propose)
policy.add_command(changes)


@policy.command(short_help="Create or update policies from files.")
@click.argument("files", nargs=-1, required=True, metavar="FILE|DIRECTORY…")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@connected()
def apply(session: Session, files: tuple[str, ...], dry_run: bool) -> None:
    """Create the policies of the files, or update those that differ. All files are read before any is applied."""
    from release_passport.cli.policy_apply import apply_policies
    from release_passport.cli.policy_files import read_policies

    apply_policies(session, read_policies(files), dry_run=dry_run)


@policy.command(short_help="Check policy files on the server.")
@click.argument("files", nargs=-1, required=True, metavar="FILE|DIRECTORY…")
@connected()
def validate(session: Session, files: tuple[str, ...]) -> int:
    """Check policies with the server's compiler, and change nothing. Exit 1 when any has a problem."""
    from release_passport.cli.policy_files import read_policies
    from release_passport.cli.policy_validate import validate_policies

    sound = validate_policies(session, read_policies(files))
    return exit_codes.OK if sound else exit_codes.ERROR


@policy.command(short_help="Run the tests beside policies.")
@click.argument("files", nargs=-1, required=True, metavar="FILE|DIRECTORY…")
@click.option("--case", "pattern", metavar="TEXT", help="Only cases whose name has this text.")
@connected(("table", "json", "yaml", "junit"))
def test(session: Session, files: tuple[str, ...], pattern: str | None) -> int:
    """Run <name>_test.yaml on the server. Exit 1 when a case fails, and when there is no case at all."""
    from release_passport.cli.policy_files import read_tests
    from release_passport.cli.policy_tests import run_tests

    passed = run_tests(session, read_tests(files), pattern or "")
    return exit_codes.OK if passed else exit_codes.ERROR


@policy.command("list", short_help="List policies.")
@click.option("--show-deleted", is_flag=True, help="Also those that were deleted.")
@limit_option
@connected()
def list_policies(session: Session, show_deleted: bool, limit: int) -> None:
    """List policies by name."""
    from release_passport.cli.emit import emit_list
    from release_passport.cli.paging import read_pages
    from release_passport.cli.render import lists
    from release_passport.v1 import policy_service_pb2

    request = policy_service_pb2.ListPoliciesRequest(tenant=session.tenant, show_deleted=show_deleted)
    found = read_pages(session, session.client.list_policies, request, "policies", limit)
    emit_list(session, found, lists.policies(found))


@policy.command(short_help="Show a policy as a file.")
@click.argument("name")
@connected()
def get(session: Session, name: str) -> None:
    """Show a policy. As a table and as yaml it is the file that `policy apply` takes."""
    from release_passport.cli.policy_write import policy_yaml
    from release_passport.cli.render.machine import write_message
    from release_passport.cli.render.text import clean
    from release_passport.cli.resource_names import child_name
    from release_passport.v1 import policy_service_pb2

    request = policy_service_pb2.GetPolicyRequest(name=child_name(session, "policies", name))
    found = session.client.get_policy(request).policy
    if session.output == "json":
        write_message(found, "json")
        return
    click.echo(clean(policy_yaml(found)), nl=False)
    session.notice(f"{found.name} revision {found.revision} {found.digest}")


@policy.command(short_help="List the revisions of a policy.")
@click.argument("name")
@limit_option
@connected()
def revisions(session: Session, name: str, limit: int) -> None:
    """List the revisions of a policy, newest first."""
    from release_passport.cli.emit import emit_list
    from release_passport.cli.paging import read_pages
    from release_passport.cli.render import lists
    from release_passport.cli.resource_names import child_name
    from release_passport.v1 import policy_service_pb2

    request = policy_service_pb2.ListPolicyRevisionsRequest(name=child_name(session, "policies", name))
    found = read_pages(session, session.client.list_policy_revisions, request, "policies", limit)
    emit_list(session, found, lists.policies(found))


@policy.command(short_help="Delete a policy.")
@click.argument("name")
@click.option("--etag", metavar="ETAG", help="Delete only this state; the current one when not given.")
@connected()
def delete(session: Session, name: str, etag: str | None) -> None:
    """Delete a policy. Its revisions stay, and decisions that used it can still be replayed."""
    from release_passport.cli.emit import emit
    from release_passport.cli.policy_apply import left_open
    from release_passport.cli.render import lists
    from release_passport.cli.resource_names import child_name
    from release_passport.errors import PassportAPIError
    from release_passport.v1 import policy_service_pb2

    whole = child_name(session, "policies", name)
    if etag is None:
        etag = session.client.get_policy(policy_service_pb2.GetPolicyRequest(name=whole)).policy.etag
    try:
        response = session.client.delete_policy(policy_service_pb2.DeletePolicyRequest(name=whole, etag=etag))
    except PassportAPIError as error:
        raise left_open(error, f"--delete {name}") or error from error
    emit(session, response.policy, lists.policies([response.policy]))
