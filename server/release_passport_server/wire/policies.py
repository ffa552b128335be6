"""Policies as resources: what requests say of them, and how they are shown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from release_passport.v1 import policy_pb2
from release_passport_server.domain.access import Principal, same_tenant
from release_passport_server.domain.catalog import PolicyDocument
from release_passport_server.domain.errors import Violation
from release_passport_server.domain.etags import policy_etag
from release_passport_server.domain.expression import ExpressionProblem
from release_passport_server.domain.ids import PolicyName
from release_passport_server.wire.fields import etag_violations, id_in_name, refuse, slug_violations
from release_passport_server.wire.times import timestamp

# The id of a policy that is checked or tested without having one.
UNNAMED = "policy"


def policy_to_create(given: policy_pb2.Policy) -> tuple[str, policy_pb2.PolicySpec]:
    """Return the id and spec that a request registers; raise Invalid. The spec itself is checked elsewhere."""
    violations = list(slug_violations(given.policy_id, "policy.policy_id"))
    if not given.HasField("spec"):
        violations.append(Violation("policy.spec", "is required"))
    refuse(violations)
    return given.policy_id, given.spec


def policy_to_update(
    principal: Principal, given: policy_pb2.Policy
) -> tuple[str, policy_pb2.PolicySpec, str]:
    """Return the id, the new spec and the etag that was sent; raise Invalid or NotFound."""
    policy_id = policy_id_of(principal, given.name, field="policy.name")
    violations = [
        *id_in_name(given.policy_id, policy_id, "policy.policy_id"),
        *etag_violations(given.etag, "policy.etag"),
    ]
    if not given.HasField("spec"):
        violations.append(Violation("policy.spec", "is required"))
    refuse(violations)
    return policy_id, given.spec, given.etag


def policy_to_try(given: policy_pb2.Policy) -> tuple[str, policy_pb2.PolicySpec]:
    """Return the id, which may be left out, and the spec of a policy that is not stored; raise Invalid."""
    violations = list(slug_violations(given.policy_id, "policy.policy_id")) if given.policy_id else []
    if not given.HasField("spec"):
        violations.append(Violation("policy.spec", "is required"))
    refuse(violations)
    return given.policy_id or UNNAMED, given.spec


def policy_id_of(principal: Principal, name: str, *, field: str = "name") -> str:
    """Return the id in a policy's name in the caller's tenant; raise Invalid or NotFound."""
    parsed = PolicyName.parse(name, field=field)
    same_tenant(principal, parsed.tenant)
    return parsed.policy


def policy_to_proto(tenant: str, document: PolicyDocument) -> policy_pb2.Policy:
    """Return the resource that shows a revision of a policy."""
    return policy_pb2.Policy(
        name=str(PolicyName(tenant, document.policy_id)),
        policy_id=document.policy_id,
        spec=cast(policy_pb2.PolicySpec, document.spec),
        revision=document.revision,
        digest=document.digest,
        etag=policy_etag(document),
        create_time=timestamp(document.create_time),
        update_time=timestamp(document.update_time),
        delete_time=None if document.delete_time is None else timestamp(document.delete_time),
        author=document.author,
    )


def problems_to_proto(problems: Iterable[ExpressionProblem]) -> list[policy_pb2.PolicyProblem]:
    """Return problems as messages."""
    return [
        policy_pb2.PolicyProblem(field=p.field, line=p.line, column=p.column, problem=p.problem)
        for p in problems
    ]
