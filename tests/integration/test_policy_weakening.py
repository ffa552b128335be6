"""A tenant that asks two people for what weakens a policy, and proposals that are taken back."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest_asyncio
from sqlalchemy import select

from release_passport.v1 import audit_service_pb2, policy_pb2, tenant_pb2, tenant_service_pb2
from release_passport.v1 import policy_service_pb2 as pb
from release_passport_server.adapters.sql import tables
from release_passport_server.domain.notification import NOTIFY
from support.calls import Caller, somebody
from support.policy_specs import rule, spec
from support.requests import REASON
from support.server import real_server

WEAKER = spec(rules=[rule(expect="evidence.incident_state.open_count <= 2")])
STRICTER = spec(rules=[rule(on_stale="VERDICT_BLOCK")])


@dataclass(frozen=True)
class Place:
    """Who may write policies, and one of them; nothing is registered, so that it is nobody's last."""

    admin: Caller
    ada: Caller
    bob: Caller
    policy: policy_pb2.Policy

    async def updated(self, wanted: policy_pb2.PolicySpec) -> pb.UpdatePolicyRequest:
        """Return the request that makes the policy say this."""
        stands = (await self.ada("GetPolicy", pb.GetPolicyRequest(name=self.policy.name))).policy
        return pb.UpdatePolicyRequest(
            policy=policy_pb2.Policy(name=stands.name, etag=stands.etag, spec=wanted)
        )

    async def proposed(self, wanted: policy_pb2.PolicySpec) -> policy_pb2.PolicyChange:
        """Return Ada's proposal."""
        request = pb.ProposePolicyChangeRequest(policy=(await self.updated(wanted)).policy, reason=REASON)
        found: policy_pb2.PolicyChange = (await self.ada("ProposePolicyChange", request)).change
        return found

    async def two_people(self, *, asked: bool) -> tenant_pb2.Tenant:
        """Return the tenant, which asks two people for weakenings or does not."""
        wanted = tenant_pb2.Tenant(name="tenants/default", title="Acme", second_person=asked)
        request = tenant_service_pb2.UpdateTenantRequest(tenant=wanted)
        found: tenant_pb2.Tenant = (await self.admin("UpdateTenant", request)).tenant
        return found


@pytest_asyncio.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with real_server(tmp_path, worker={"enabled": False}) as running:
        admin = Caller(running, running.token)
        ada = await somebody(admin, "user:ada", "policy-admin")
        bob = await somebody(admin, "user:bob", "policy-admin")
        given = pb.CreatePolicyRequest(policy=policy_pb2.Policy(policy_id="quiet", spec=spec()))
        yield Place(admin, ada, bob, (await ada("CreatePolicy", given)).policy)


async def audited(place: Place, method: str) -> list[dict[str, object]]:
    listed = await place.admin("ListAuditEntries", audit_service_pb2.ListAuditEntriesRequest(page_size=100))
    return [json.loads(one.body)["detail"] for one in listed.entries if one.action == method]


async def test_nobody_alone_weakens_a_policy_where_the_tenant_says_so(place: Place) -> None:
    stored = await place.two_people(asked=True)
    assert (stored.title, stored.second_person) == ("Acme", True)
    refused = await place.ada.refused("UpdatePolicy", await place.updated(WEAKER))
    assert (refused.code, refused.reason) == ("FAILED_PRECONDITION", "SECOND_PERSON_REQUIRED")
    assert "rules[rule].expect" in refused.message
    deleting = pb.DeletePolicyRequest(name=place.policy.name, etag=place.policy.etag)
    assert (await place.ada.refused("DeletePolicy", deleting)).reason == "SECOND_PERSON_REQUIRED"
    change = await place.proposed(WEAKER)
    assert list(change.weakenings) == ["rules[rule].expect: is changed"]
    applying = pb.ApplyPolicyChangeRequest(name=change.name)
    assert (await place.ada.refused("ApplyPolicyChange", applying)).reason == "SELF_APPROVAL"
    assert (await place.bob("ApplyPolicyChange", applying)).policy.revision == 2


async def test_what_makes_it_stricter_one_person_does(place: Place) -> None:
    await place.two_people(asked=True)
    assert (await place.ada("UpdatePolicy", await place.updated(STRICTER))).policy.revision == 2


async def test_elsewhere_one_person_weakens_a_policy_and_the_log_says_what(place: Place) -> None:
    await place.two_people(asked=True)
    await place.two_people(asked=False)
    await place.ada("UpdatePolicy", await place.updated(WEAKER))
    (entry,) = await audited(place, "UpdatePolicy")
    assert entry["weakenings"] == ["rules[rule].expect: is changed"]
    # People are told, by the webhook and by channels.
    c, feed = tables.jobs.c, tables.feed.c
    with place.admin.server.store._engine.connect() as connection:
        told = connection.execute(select(c.payload).where(c.kind == NOTIFY)).scalars()
        assert "policy.weakened" in {json.loads(one)["type"] for one in told}
        assert "WeakenPolicy" in set(connection.execute(select(feed.type)).scalars())


async def test_who_writes_policies_does_not_say_that_one_person_is_enough(place: Place) -> None:
    wanted = tenant_pb2.Tenant(name="tenants/default", second_person=False)
    request = tenant_service_pb2.UpdateTenantRequest(tenant=wanted)
    assert (await place.ada.refused("UpdateTenant", request)).code == "PERMISSION_DENIED"


async def test_a_proposal_that_was_taken_back_is_applied_by_nobody(place: Place) -> None:
    change = await place.proposed(WEAKER)
    withdrawing = pb.WithdrawPolicyChangeRequest(name=change.name, reason="said better elsewhere")
    ended = (await place.ada("WithdrawPolicyChange", withdrawing)).change
    assert (ended.withdrawn_by, ended.withdraw_reason) == ("user:ada", "said better elsewhere")
    assert ended.state == policy_pb2.POLICY_CHANGE_STATE_WITHDRAWN
    applying = pb.ApplyPolicyChangeRequest(name=change.name)
    assert (await place.bob.refused("ApplyPolicyChange", applying)).reason == "ALREADY_ENDED"
    assert (await place.bob.refused("WithdrawPolicyChange", withdrawing)).reason == "ALREADY_ENDED"
    listed = (await place.bob("ListPolicyChanges", pb.ListPolicyChangesRequest())).changes
    assert [one.withdrawn_by for one in listed] == ["user:ada"]


async def test_another_person_takes_a_proposal_back_and_nobody_one_that_was_applied(place: Place) -> None:
    change = await place.proposed(WEAKER)
    withdrawing = pb.WithdrawPolicyChangeRequest(name=change.name)
    robot = await somebody(place.admin, "sa:robot", "policy-admin")
    assert (await robot.refused("WithdrawPolicyChange", withdrawing)).reason == "ACCESS_DENIED"
    assert (await place.bob("WithdrawPolicyChange", withdrawing)).change.withdrawn_by == "user:bob"
    again = await place.proposed(WEAKER)
    await place.bob("ApplyPolicyChange", pb.ApplyPolicyChangeRequest(name=again.name))
    late = pb.WithdrawPolicyChangeRequest(name=again.name)
    assert (await place.ada.refused("WithdrawPolicyChange", late)).reason == "ALREADY_ENDED"
