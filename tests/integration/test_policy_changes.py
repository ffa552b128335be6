"""Nobody alone takes the last ENFORCE policy from a registered service and environment."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio

from release_passport.v1 import (
    audit_service_pb2,
    catalog_pb2,
    catalog_service_pb2,
    policy_pb2,
    release_service_pb2,
    verdict_pb2,
)
from release_passport.v1 import policy_service_pb2 as pb
from release_passport_server.domain.policy_change import PolicyChange
from support.calls import Caller, Refused, somebody
from support.policy_specs import spec
from support.requests import REASON, Names, identity
from support.server import real_server
from support.shop import backdated, decided

pytestmark = pytest.mark.asyncio(loop_scope="function")

WEAKER: dict[str, dict[str, object]] = {
    "demoted to SHADOW": {"mode": 1},
    "demoted to ADVISORY": {"mode": 2},
    "narrowed": {"match": {"environments": ["staging"]}},
}


@dataclass(frozen=True)
class Place:
    """Who may write policies, and what is enforced."""

    admin: Caller
    ada: Caller
    bob: Caller
    policy: policy_pb2.Policy


@pytest_asyncio.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with real_server(tmp_path) as running:
        admin = Caller(running, running.token)
        service = catalog_pb2.Service(service_id="checkout")
        await admin("CreateService", catalog_service_pb2.CreateServiceRequest(service=service))
        for name in ("prod", "staging"):
            environment = catalog_pb2.Environment(environment_id=name)
            request = catalog_service_pb2.CreateEnvironmentRequest(environment=environment)
            await admin("CreateEnvironment", request)
        ada = await somebody(admin, "user:ada", "policy-admin")
        bob = await somebody(admin, "user:bob", "policy-admin")
        yield Place(admin, ada, bob, await created(ada, "quiet"))


async def created(caller: Caller, policy_id: str, **more: object) -> policy_pb2.Policy:
    request = pb.CreatePolicyRequest(policy=policy_pb2.Policy(policy_id=policy_id, spec=spec(**more)))
    found: policy_pb2.Policy = (await caller("CreatePolicy", request)).policy
    return found


def changed(policy: policy_pb2.Policy, **more: object) -> policy_pb2.Policy:
    return policy_pb2.Policy(name=policy.name, etag=policy.etag, spec=spec(**more))


def alone(
    policy: policy_pb2.Policy, weaker: str
) -> tuple[str, pb.UpdatePolicyRequest | pb.DeletePolicyRequest]:
    if weaker == "deleted":
        return "DeletePolicy", pb.DeletePolicyRequest(name=policy.name, etag=policy.etag)
    return "UpdatePolicy", pb.UpdatePolicyRequest(policy=changed(policy, **WEAKER[weaker]))


def proposal(policy: policy_pb2.Policy, weaker: str, **more: object) -> pb.ProposePolicyChangeRequest:
    if weaker == "deleted":
        given = policy_pb2.Policy(name=policy.name, etag=policy.etag)
    else:
        given = changed(policy, **WEAKER[weaker])
    return pb.ProposePolicyChangeRequest(
        policy=given,
        delete=weaker == "deleted",
        reason=REASON,
        **more,  # type: ignore[arg-type]
    )


async def proposed(place: Place, weaker: str = "deleted") -> policy_pb2.PolicyChange:
    answer = await place.ada("ProposePolicyChange", proposal(place.policy, weaker))
    found: policy_pb2.PolicyChange = answer.change
    return found


def applying(change: policy_pb2.PolicyChange, request_id: str = "") -> pb.ApplyPolicyChangeRequest:
    return pb.ApplyPolicyChangeRequest(name=change.name, request_id=request_id)


async def stands(place: Place) -> policy_pb2.Policy:
    found: policy_pb2.Policy = (
        await place.ada("GetPolicy", pb.GetPolicyRequest(name=place.policy.name))
    ).policy
    return found


async def state(place: Place, change: policy_pb2.PolicyChange) -> str:
    found = (await place.bob("GetPolicyChange", pb.GetPolicyChangeRequest(name=change.name))).change
    return policy_pb2.PolicyChangeState.Name(found.state).removeprefix("POLICY_CHANGE_STATE_")


@pytest.mark.parametrize("weaker", [*WEAKER, "deleted"])
async def test_one_person_is_refused_and_two_do_it(place: Place, weaker: str) -> None:
    refused = await place.ada.refused(*alone(place.policy, weaker))
    assert (refused.code, refused.reason) == ("FAILED_PRECONDITION", "LAST_ENFORCED")
    assert "checkout/prod" in refused.message
    change = await proposed(place, weaker)
    assert change.place_count == len(change.places) == (1 if weaker == "narrowed" else 2)
    own = await place.ada.refused("ApplyPolicyChange", applying(change))
    assert (own.code, own.reason) == ("PERMISSION_DENIED", "SELF_APPROVAL")
    assert (await stands(place)) == place.policy
    answer = await place.bob("ApplyPolicyChange", applying(change))
    assert (answer.change.applier, answer.policy.revision) == ("user:bob", 2)
    assert answer.policy.HasField("delete_time") == (weaker == "deleted")
    assert answer.policy == await stands(place)
    assert await state(place, change) == "APPLIED"


async def test_afterwards_nothing_is_enforced_and_releases_hold(place: Place) -> None:
    made = release_service_pb2.CreateReleaseRequest(identity=identity(Names()))
    name = (await place.admin("CreateRelease", made)).release.name
    await place.bob("ApplyPolicyChange", applying(await proposed(place, "demoted to SHADOW")))
    found = await decided(place.admin, name)
    assert found.effective_verdict == verdict_pb2.VERDICT_HOLD
    assert "NOTHING_ENFORCED" in [finding.reason for finding in found.findings]


async def test_with_another_enforced_policy_one_person_is_enough(place: Place) -> None:
    other = await created(place.ada, "other")
    method, request = alone(place.policy, "deleted")
    await place.ada(method, request)
    assert isinstance(await place.ada.tried(*alone(other, "demoted to ADVISORY")), Refused)


async def test_two_people_who_each_delete_one_at_once_leave_one(place: Place) -> None:
    other = await created(place.ada, "other")
    answers = await asyncio.gather(
        place.ada.tried(*alone(place.policy, "deleted")), place.bob.tried(*alone(other, "deleted"))
    )
    assert [one.reason for one in answers if isinstance(one, Refused)] == ["LAST_ENFORCED"]


@pytest.mark.parametrize("weaker", ["demoted to SHADOW", "deleted"])
async def test_both_steps_are_in_the_audit_log_with_what_is_left_open(place: Place, weaker: str) -> None:
    change = await proposed(place, weaker)
    await place.bob("ApplyPolicyChange", applying(change))
    listed = await place.admin("ListAuditEntries", audit_service_pb2.ListAuditEntriesRequest(page_size=1000))
    found = {one.action: one for one in listed.entries if "PolicyChange" in one.action}
    asked, applied = found["ProposePolicyChange"], found["ApplyPolicyChange"]
    assert (asked.principal, asked.subject) == ("user:ada", change.name)
    assert (applied.principal, applied.subject) == ("user:bob", "policies/quiet")
    for entry in (asked, applied):
        detail = json.loads(entry.body)["detail"]
        assert detail["unenforced"] == ["checkout/prod", "checkout/staging"]
        assert (detail["unenforcedCount"], detail["reason"]) == (2, REASON)
    detail = json.loads(applied.body)["detail"]
    assert (detail["change"], detail["proposer"], detail["revision"]) == (change.name, "user:ada", 2)


async def test_a_change_is_not_applied_to_another_revision(place: Place) -> None:
    change = await proposed(place)
    await place.ada("UpdatePolicy", pb.UpdatePolicyRequest(policy=changed(place.policy, title="other")))
    refused = await place.bob.refused("ApplyPolicyChange", applying(change))
    assert (refused.code, refused.reason) == ("ABORTED", "ETAG_MISMATCH")
    assert await state(place, change) == "OUTDATED"


async def test_places_that_nobody_was_shown_are_not_left_open(place: Place) -> None:
    change = await proposed(place)
    service = catalog_pb2.Service(service_id="search")
    await place.admin("CreateService", catalog_service_pb2.CreateServiceRequest(service=service))
    refused = await place.bob.refused("ApplyPolicyChange", applying(change))
    assert refused.reason == "LAST_ENFORCED"
    assert "search/prod" in refused.message


async def test_a_change_is_applied_once_and_a_repeated_request_is_answered_alike(place: Place) -> None:
    change = await proposed(place)
    first = await place.bob("ApplyPolicyChange", applying(change, "r1"))
    assert await place.bob("ApplyPolicyChange", applying(change, "r1")) == first
    again = await place.bob.refused("ApplyPolicyChange", applying(change))
    assert again.reason == "ALREADY_ENDED"


async def test_a_change_that_waited_too_long_is_over(place: Place) -> None:
    change = await proposed(place)
    await backdated(place.admin, PolicyChange, change.name, expire_time=datetime.now(UTC))
    refused = await place.bob.refused("ApplyPolicyChange", applying(change))
    assert (refused.code, refused.reason) == ("FAILED_PRECONDITION", "ALREADY_ENDED")
    assert await state(place, change) == "EXPIRED"


async def test_no_machine_is_one_of_the_two(place: Place) -> None:
    robot = await somebody(place.admin, "sa:gitops", "policy-admin")
    refused = await robot.refused("ProposePolicyChange", proposal(place.policy, "deleted"))
    assert refused.code == "PERMISSION_DENIED"
    refused = await robot.refused("ApplyPolicyChange", applying(await proposed(place)))
    assert refused.code == "PERMISSION_DENIED"


async def test_a_second_name_of_the_proposer_is_no_second_person(place: Place) -> None:
    change = await proposed(place)
    await backdated(place.admin, PolicyChange, change.name, proposer_identities=("user:Bob",))  # type: ignore[arg-type]
    refused = await place.bob.refused("ApplyPolicyChange", applying(change))
    assert refused.reason == "SELF_APPROVAL"


async def test_who_may_not_write_policies_neither_proposes_nor_applies(place: Place) -> None:
    vic = await somebody(place.admin, "user:vic", "viewer")
    change = await proposed(place)
    assert (await vic("ListPolicyChanges", pb.ListPolicyChangesRequest())).changes[0] == change
    refused = await vic.refused("ProposePolicyChange", proposal(place.policy, "deleted"))
    assert refused.reason == "ACCESS_DENIED"
    assert (await vic.refused("ApplyPolicyChange", applying(change))).reason == "ACCESS_DENIED"


async def test_a_policy_that_does_not_compile_is_not_proposed(place: Place) -> None:
    given = policy_pb2.Policy(name=place.policy.name, etag=place.policy.etag, spec=spec(rules=[]))
    request = pb.ProposePolicyChangeRequest(policy=given, reason=REASON)
    assert (await place.ada.refused("ProposePolicyChange", request)).reason == "POLICY_INVALID"


async def test_to_delete_and_to_change_at_once_is_refused(place: Place) -> None:
    request = proposal(place.policy, "narrowed")
    request.delete = True
    refused = await place.ada.refused("ProposePolicyChange", request)
    assert refused.fields == ("policy.spec",)


async def test_changes_are_listed_by_policy_newest_first(place: Place) -> None:
    first, second = await proposed(place), await proposed(place, "narrowed")
    other = await created(place.ada, "other")
    third = (await place.ada("ProposePolicyChange", proposal(other, "narrowed"))).change
    assert third.place_count == 0
    request = pb.ListPolicyChangesRequest(policy=place.policy.name)
    assert [one.name for one in (await place.bob("ListPolicyChanges", request)).changes] == [
        second.name,
        first.name,
    ]
    everything = await place.bob("ListPolicyChanges", pb.ListPolicyChangesRequest())
    assert [one.name for one in everything.changes] == [third.name, second.name, first.name]
