"""Creates or updates policies, and says which it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_passport.cli import exit_codes
from release_passport.cli.failure import CommandFailure
from release_passport.cli.render.machine import as_data, write_data
from release_passport.cli.render.screen import show
from release_passport.cli.render.text import clean_line, table
from release_passport.cli.resource_names import child_name
from release_passport.cli.session import Session
from release_passport.errors import PassportAPIError
from release_passport.v1 import policy_pb2, policy_service_pb2

if TYPE_CHECKING:
    from release_passport.policy_file import PolicyDocument


def apply_policies(session: Session, documents: list[PolicyDocument], *, dry_run: bool) -> None:
    """Apply each policy and write what was done; the first that is refused ends it."""
    done: list[tuple[str, policy_pb2.Policy]] = []
    try:
        for document in documents:
            applied = _apply(session, document, dry_run=dry_run)
            done.append(applied)
    finally:
        _write(session, done)


def _apply(session: Session, document: PolicyDocument, *, dry_run: bool) -> tuple[str, policy_pb2.Policy]:
    wanted = document.policy
    current = _find(session, child_name(session, "policies", wanted.policy_id))
    if current is not None and current.spec == wanted.spec and not current.HasField("delete_time"):
        return "unchanged", current
    missing = current is None or current.HasField("delete_time")
    if dry_run:
        return ("would create" if missing else "would update"), wanted
    try:
        if current is None or current.HasField("delete_time"):
            create = policy_service_pb2.CreatePolicyRequest(tenant=session.tenant, policy=wanted)
            return "created", session.client.create_policy(create).policy
        changed = policy_pb2.Policy(
            name=current.name, policy_id=wanted.policy_id, spec=wanted.spec, etag=current.etag
        )
        updated = session.client.update_policy(policy_service_pb2.UpdatePolicyRequest(policy=changed)).policy
    except PassportAPIError as error:
        opened = left_open(error, document.file)
        if opened is not None:
            raise opened from error
        if error.violations:
            raise _with_places(error, document) from error
        raise
    # The server keeps one form of a spec: what differed only in how it was written is no new revision.
    return ("unchanged" if updated.revision == current.revision else "updated"), updated


def left_open(error: PassportAPIError, target: str) -> CommandFailure | None:
    """Return what to say where a change takes the last ENFORCE policy from services, None for another error."""
    if error.reason != "LAST_ENFORCED":
        return None
    lines = [
        "refused: no ENFORCE policy would be left for these; releases hold, or go ahead where observed only:"
    ]
    lines += [f"  {clean_line(violation.field)}" for violation in error.violations]
    count = error.metadata.get("count", "")
    if count.isdecimal() and int(count) > len(error.violations):
        lines.append(f"  and {int(count) - len(error.violations)} more")
    lines.append("add another ENFORCE policy for them first, or have another person apply the change:")
    lines.append(f"  passport policy propose {target} --reason TEXT")
    return CommandFailure("\n".join(lines), exit_codes.of_status(error.code))


def _find(session: Session, name: str) -> policy_pb2.Policy | None:
    try:
        return session.client.get_policy(policy_service_pb2.GetPolicyRequest(name=name)).policy
    except PassportAPIError as error:
        if error.code == "NOT_FOUND":
            return None
        raise


def _with_places(error: PassportAPIError, document: PolicyDocument) -> CommandFailure:
    lines = [f"{document.file} is refused"]
    for violation in error.violations:
        place = document.place_of(violation.field)
        text = clean_line(f"{violation.field}: {violation.description}")
        lines.append(f"{document.file}:{place.line}:{place.column}: {text}")
    return CommandFailure("\n".join(lines), exit_codes.of_status(error.code))


def _write(session: Session, done: list[tuple[str, policy_pb2.Policy]]) -> None:
    if session.output == "table":
        rows = [(item.policy_id, action, str(item.revision or ""), item.digest) for action, item in done]
        show(table(("policy", "", "revision", "digest"), rows, empty="nothing was applied"))
        return
    write_data([{"action": action, "policy": as_data(item)} for action, item in done], session.output)
