"""Votes on a real server: who may, what they are bound to, what makes them lapse, and what a veto does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from release_passport.v1 import (
    access_pb2,
    access_service_pb2,
    approval_service_pb2,
    decision_service_pb2,
    freeze_pb2,
    freeze_service_pb2,
    group_service_pb2,
    policy_pb2,
    policy_service_pb2,
)
from support.calls import somebody
from support.people_requests import REASON
from support.requests import ahead
from support.voting import ALLOW, ASKS, BLOCK, OURS, Place, other_rules, voting


@pytest_asyncio.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with voting(tmp_path) as found:
        yield found


async def test_the_votes_of_all_groups_let_it_go_at_once_and_stand_in_the_decision(place: Place) -> None:
    release = await place.release("1.0.0")
    assert (await place.decided(release)).effective_verdict == ASKS
    first = await place.approve("user:ada", release)
    assert first.decision.effective_verdict == ASKS
    second = await place.approve("user:eve", release)
    assert second.decision.effective_verdict == ALLOW
    (finding,) = second.decision.findings
    assert (finding.reason, [one.principal for one in finding.lifted_by]) == (
        "APPROVED",
        ["user:ada", "user:eve"],
    )
    replayed = decision_service_pb2.ExplainDecisionRequest(name=second.decision.name)
    assert "SAME" in str(await place.admin("ExplainDecision", replayed))


async def test_nobody_votes_on_their_own_twice_for_others_or_without_being_asked(place: Place) -> None:
    release = await place.release("1.0.0")
    nothing = approval_service_pb2.ApproveRequest(release=release, etag="e")
    assert (await place.people["user:ada"].refused("Approve", nothing)).reason == "NOTHING_ASKED"
    await place.decided(release)
    own = await place.people["user:dev"].refused("Approve", await place.ballot("user:dev", release))
    assert own.reason == "SELF_APPROVAL"
    other = await place.people["user:nobody"].refused("Approve", await place.ballot("user:nobody", release))
    assert other.reason == "ACCESS_DENIED"
    foreign = await place.ballot("user:ada", release, "security")
    assert (await place.people["user:ada"].refused("Approve", foreign)).reason == "ACCESS_DENIED"
    robot = await somebody(place.admin, "sa:robot", "approver")
    ballot = await place.ballot("user:ada", release)
    assert (await robot.refused("Approve", ballot)).reason == "ACCESS_DENIED"
    viewer = await somebody(place.admin, "user:vic", "viewer")
    assert (await viewer.refused("Approve", ballot)).code == "PERMISSION_DENIED"
    unclear = await place.people["user:both"].refused("Approve", await place.ballot("user:both", release))
    assert unclear.reason == "NOTHING_ASKED"
    assert (await place.approve("user:both", release, "sre")).decision.effective_verdict == ASKS
    again = await place.ballot("user:both", release, "security")
    assert (await place.people["user:both"].refused("Approve", again)).code == "ALREADY_EXISTS"


async def test_without_known_authors_one_vote_more_is_asked_for(place: Place) -> None:
    release = await place.release("1.0.0", authors=())
    await place.decided(release)
    asked = await place.asked("user:ada", release)
    assert not asked.authors_known
    await place.approve("user:ada", release)
    assert (await place.approve("user:eve", release)).decision.effective_verdict == ASKS
    assert (await place.approve("user:both", release, "sre")).decision.effective_verdict == ALLOW


async def test_a_vote_is_about_what_was_shown(place: Place) -> None:
    release = await place.release("1.0.0")
    await place.decided(release)
    seen = await place.ballot("user:ada", release)
    made = policy_pb2.Policy(policy_id="other", spec=other_rules())
    await place.admin("CreatePolicy", policy_service_pb2.CreatePolicyRequest(policy=made))
    changed = await place.people["user:ada"].refused("Approve", seen)
    assert (changed.code, changed.reason) == ("ABORTED", "ETAG_MISMATCH")
    assert "other/clean" in changed.message


async def approved(place: Place) -> str:
    release = await place.release("1.0.0")
    await place.decided(release)
    await place.approve("user:ada", release)
    assert (await place.approve("user:eve", release)).decision.effective_verdict == ALLOW
    return release


async def not_counting(place: Place, release: str) -> dict[str, str]:
    listed = await place.admin("ListApprovals", approval_service_pb2.ListApprovalsRequest(release=release))
    return {one.voter: one.not_counting for one in listed.approvals}


async def test_a_new_failing_finding_voids_votes_and_an_unrelated_change_does_not(place: Place) -> None:
    release = await approved(place)
    await place.submit(release, "policy_report", failed=0)
    made = policy_pb2.Policy(policy_id="other", spec=other_rules())
    stored = (await place.admin("CreatePolicy", policy_service_pb2.CreatePolicyRequest(policy=made))).policy
    assert (await place.decided(release)).effective_verdict == ALLOW
    stored.spec.description = "why"
    await place.admin("UpdatePolicy", policy_service_pb2.UpdatePolicyRequest(policy=stored))
    assert (await place.decided(release)).effective_verdict == ALLOW
    await place.submit(release, "policy_report", failed=3)
    assert (await place.decided(release)).effective_verdict == BLOCK
    assert set((await not_counting(place, release)).values()) == {"FINDINGS_CHANGED"}
    reasons = {one.rule: one.reason for one in (await place.decided(release)).findings}
    assert reasons["agreed"] == "EXPECTATION_FAILED"


async def test_the_vote_of_who_left_or_was_taken_out_of_the_group_counts_no_longer(place: Place) -> None:
    release = await approved(place)
    held = access_service_pb2.ListRoleBindingsRequest(principal="user:ada")
    (binding,) = (await place.admin("ListRoleBindings", held)).role_bindings
    await place.admin("DeleteRoleBinding", access_service_pb2.DeleteRoleBindingRequest(name=binding.name))
    assert (await place.decided(release)).effective_verdict == ASKS
    assert (await not_counting(place, release))["user:ada"] == "RIGHT_LOST"
    given = access_pb2.RoleBinding(principal="user:ada", role="approver")
    await place.admin("CreateRoleBinding", access_service_pb2.CreateRoleBindingRequest(role_binding=given))
    assert (await place.decided(release)).effective_verdict == ALLOW
    group = group_service_pb2.Group(group_id="sre", members=["user:both"])
    await place.admin("PutGroup", group_service_pb2.PutGroupRequest(group=group))
    assert (await place.decided(release)).effective_verdict == ASKS


async def test_another_text_of_the_rule_asks_again(place: Place) -> None:
    release = await approved(place)
    stored = (
        await place.admin(
            "GetPolicy", policy_service_pb2.GetPolicyRequest(name=f"{OURS.inside}/policies/{OURS.policy}")
        )
    ).policy
    stored.spec.rules[0].expect = "evidence.change_ticket.approved && evidence.change_ticket.id != ''"
    await place.admin("UpdatePolicy", policy_service_pb2.UpdatePolicyRequest(policy=stored))
    assert (await place.decided(release)).effective_verdict == ASKS
    assert set((await not_counting(place, release)).values()) == {"RULE_CHANGED"}


async def test_a_rejection_blocks_until_its_voter_or_somebody_who_may_ends_it(place: Place) -> None:
    release = await place.release("1.0.0")
    await place.decided(release)
    veto = await place.reject("user:ada", release)
    assert veto.decision.effective_verdict == BLOCK
    await place.approve("user:both", release, "sre")
    assert (await place.approve("user:eve", release)).decision.effective_verdict == BLOCK
    resolve = approval_service_pb2.ResolveRejectionRequest(name=veto.approval.name, reason=REASON)
    assert (await place.people["user:dev"].refused("ResolveRejection", resolve)).reason == "SELF_APPROVAL"
    revoke = approval_service_pb2.RevokeApprovalRequest(name=veto.approval.name, reason=REASON)
    assert (await place.people["user:eve"].refused("RevokeApproval", revoke)).reason == "ACCESS_DENIED"
    await place.people["user:eve"]("ResolveRejection", resolve)
    assert (await place.decided(release)).effective_verdict == ALLOW
    twice = await place.people["user:ada"].refused("RevokeApproval", revoke)
    assert twice.reason == "ALREADY_ENDED"


async def test_who_takes_a_vote_back_is_asked_for_again(place: Place) -> None:
    release = await place.release("1.0.0")
    await place.decided(release)
    given = await place.approve("user:ada", release)
    await place.approve("user:eve", release)
    revoke = approval_service_pb2.RevokeApprovalRequest(name=given.approval.name, reason="changed my mind")
    await place.people["user:ada"]("RevokeApproval", revoke)
    assert (await place.decided(release)).effective_verdict == ASKS
    assert (await place.approve("user:ada", release)).decision.effective_verdict == ALLOW


async def test_what_waits_for_me_is_listed_for_me_and_shows_what_i_approve(place: Place) -> None:
    release = await place.release("1.0.0")
    await place.decided(release)
    request = approval_service_pb2.ListPendingApprovalsRequest()
    (mine,) = (await place.people["user:ada"]("ListPendingApprovals", request)).requests
    assert (mine.release, mine.rule, list(mine.your_groups)) == (release, "agreed", ["sre"])
    assert mine.subject.identity.artifacts[0].digest == OURS.digest
    assert list(mine.authors) == ["sa:ci", "user:admin", "user:dev"]
    assert not (await place.people["user:dev"]("ListPendingApprovals", request)).requests
    assert (await place.asked("user:dev", release)).why_not == "you are an author of this release"
    await place.approve("user:ada", release)
    await place.approve("user:eve", release)
    assert not (await place.people["user:both"]("ListPendingApprovals", request)).requests


async def test_the_groups_of_a_freeze_let_an_exempt_release_go(place: Place) -> None:
    release = await place.release("1.0.0", failed=0)
    assert (await place.decided(release)).effective_verdict == ALLOW
    frozen = freeze_pb2.Freeze(
        title="year's end",
        start_time=ahead(hours=-1),
        until_time=ahead(hours=1),
        reason=REASON,
        exempt_groups=[policy_pb2.ApprovalGroup(group="sre", count=1)],
    )
    made = (await place.admin("CreateFreeze", freeze_service_pb2.CreateFreezeRequest(freeze=frozen))).freeze
    chief = await somebody(place.admin, "user:chief", "admin")
    exempt = freeze_service_pb2.CreateFreezeExemptionRequest(
        freeze=made.name, release=release, ticket="OPS-1", reason=REASON
    )
    await chief("CreateFreezeExemption", exempt)
    assert (await place.decided(release)).effective_verdict == ASKS
    assert (await place.approve("user:ada", release)).decision.effective_verdict == ALLOW
    assert await not_counting(place, release) == {"user:ada": ""}
    made.title = "the whole of December"
    await place.admin("UpdateFreeze", freeze_service_pb2.UpdateFreezeRequest(freeze=made))
    assert (await place.decided(release)).effective_verdict == ASKS
    assert await not_counting(place, release) == {"user:ada": "RULE_CHANGED"}
