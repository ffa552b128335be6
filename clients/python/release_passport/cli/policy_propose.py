"""What is proposed to another person, and what they are shown of it."""

from __future__ import annotations

from release_passport.cli.failure import usage
from release_passport.cli.resource_names import child_name
from release_passport.cli.session import Session
from release_passport.v1 import policy_pb2, policy_service_pb2


def change_wanted(
    session: Session, target: str, *, delete: bool, reason: str
) -> policy_service_pb2.ProposePolicyChangeRequest:
    """Return the request for a file's policy, or to delete the policy of a name, as it is now."""
    if delete:
        current = _policy(session, child_name(session, "policies", target))
        changed = policy_pb2.Policy(name=current.name, etag=current.etag)
    else:
        from release_passport.cli.policy_files import read_policies

        documents = read_policies((target,))
        if len(documents) != 1:
            raise usage(f"{target} has {len(documents)} policies; name the file of one")
        wanted = documents[0].policy
        current = _policy(session, child_name(session, "policies", wanted.policy_id))
        changed = policy_pb2.Policy(name=current.name, etag=current.etag, spec=wanted.spec)
    return policy_service_pb2.ProposePolicyChangeRequest(policy=changed, delete=delete, reason=reason)


def read_change(session: Session, change_id: str) -> tuple[policy_pb2.PolicyChange, policy_pb2.Policy]:
    """Return a proposed change, and its policy as it is now."""
    whole = child_name(session, "policyChanges", change_id)
    request = policy_service_pb2.GetPolicyChangeRequest(name=whole)
    found = session.client.get_policy_change(request).change
    return found, _policy(session, found.policy)


def _policy(session: Session, name: str) -> policy_pb2.Policy:
    return session.client.get_policy(policy_service_pb2.GetPolicyRequest(name=name)).policy
