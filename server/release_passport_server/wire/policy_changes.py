"""Proposed changes of policies: what requests say of them, and how they are shown."""

from __future__ import annotations

from typing import cast

from release_passport.v1 import policy_pb2, policy_service_pb2
from release_passport_server.domain.access import Principal, same_tenant
from release_passport_server.domain.act_names import PolicyChangeName
from release_passport_server.domain.errors import Violation
from release_passport_server.domain.ids import PolicyName
from release_passport_server.domain.policy_change import ShownChange
from release_passport_server.wire.fields import etag_violations, id_in_name, refuse, text_violations
from release_passport_server.wire.policies import policy_id_of
from release_passport_server.wire.times import set_time, timestamp

MIN_REASON = 20
MAX_REASON = 1024


def change_to_propose(
    principal: Principal, request: policy_service_pb2.ProposePolicyChangeRequest
) -> tuple[str, policy_pb2.PolicySpec | None, str, str]:
    """Return the policy, its new spec (None to delete it), the etag and the reason; raise Invalid or NotFound."""
    given = request.policy
    policy_id = policy_id_of(principal, given.name, field="policy.name")
    violations = [
        *id_in_name(given.policy_id, policy_id, "policy.policy_id"),
        *etag_violations(given.etag, "policy.etag"),
        *text_violations(request.reason, "reason", most=MAX_REASON, least=MIN_REASON),
    ]
    if request.delete and given.HasField("spec"):
        violations.append(Violation("policy.spec", "must be left out where the policy is to be deleted"))
    if not request.delete and not given.HasField("spec"):
        violations.append(Violation("policy.spec", "is required, or say delete"))
    refuse(violations)
    return policy_id, None if request.delete else given.spec, given.etag, request.reason


def change_name(principal: Principal, name: str) -> PolicyChangeName:
    """Return a change's name in the caller's tenant; raise Invalid or NotFound."""
    parsed = PolicyChangeName.parse(name)
    same_tenant(principal, parsed.tenant)
    return parsed


def change_to_withdraw(
    principal: Principal, request: policy_service_pb2.WithdrawPolicyChangeRequest
) -> tuple[PolicyChangeName, str]:
    """Return which change is taken back, and why; raise Invalid or NotFound."""
    name = change_name(principal, request.name)
    refuse(list(text_violations(request.reason, "reason", most=MAX_REASON)))
    return name, request.reason


def policy_wanted(principal: Principal, name: str) -> str:
    """Return the policy to narrow a list to, empty where none is named; raise Invalid or NotFound."""
    return policy_id_of(principal, name, field="policy") if name else ""


def change_to_proto(tenant: str, shown: ShownChange) -> policy_pb2.PolicyChange:
    """Return the resource that shows a change."""
    change = shown.change
    message = policy_pb2.PolicyChange(
        name=change.name,
        policy=str(PolicyName(tenant, change.policy_id)),
        base_revision=change.base_revision,
        spec=cast("policy_pb2.PolicySpec | None", shown.spec),
        digest=change.digest,
        places=change.places,
        place_count=change.place_count,
        reason=change.reason,
        proposer=change.proposer,
        create_time=timestamp(change.create_time),
        expire_time=timestamp(change.expire_time),
        applier=change.applier,
        state=f"POLICY_CHANGE_STATE_{shown.state}",
        withdrawn_by=change.withdrawn_by,
        withdraw_reason=change.withdraw_reason,
        weakenings=change.weakenings,
    )
    if change.apply_time is not None:
        set_time(message.apply_time, change.apply_time)
    if change.withdraw_time is not None:
        set_time(message.withdraw_time, change.withdraw_time)
    return message
