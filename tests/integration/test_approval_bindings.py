"""What a vote is bound to and what it is not: hundreds of them, second identities, delegates, and time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from release_passport.v1 import (
    approval_pb2,
    approval_service_pb2,
    decision_service_pb2,
    group_service_pb2,
    policy_pb2,
    policy_service_pb2,
    release_service_pb2,
)
from release_passport_server import core
from release_passport_server.domain.acts import Vote
from release_passport_server.ports.store import Transaction
from release_passport_server.services.authenticate import Vouchers
from support.corp import TENANT, Provider, signed_in
from support.people_requests import REASON
from support.requests import identity
from support.voting import ALLOW, ASKS, BLOCK, OURS, Place, other_rules, rules, voting

MANY = 200


@pytest_asyncio.fixture
async def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Place]:
    monkeypatch.setattr(core, "_vouchers", lambda *_: Vouchers(Provider()))
    async with voting(tmp_path) as found:
        yield found


async def pending(place: Place, who: str) -> list[approval_pb2.ApprovalRequest]:
    request = approval_service_pb2.ListPendingApprovalsRequest(page_size=1000)
    found: list[approval_pb2.ApprovalRequest] = []
    while True:
        answer = await place.people[who]("ListPendingApprovals", request)
        found += answer.requests
        request.page_token = answer.next_page_token
        if not request.page_token:
            return found


async def update(place: Place, policy: str, spec: policy_pb2.PolicySpec) -> None:
    stored = await place.admin(
        "GetPolicy", policy_service_pb2.GetPolicyRequest(name=f"{OURS.inside}/policies/{policy}")
    )
    stored.policy.spec.CopyFrom(spec)
    await place.admin("UpdatePolicy", policy_service_pb2.UpdatePolicyRequest(policy=stored.policy))


async def test_an_unrelated_change_of_policy_voids_none_of_two_hundred_votes(place: Place) -> None:
    made = policy_pb2.Policy(policy_id="other", spec=other_rules())
    await place.admin("CreatePolicy", policy_service_pb2.CreatePolicyRequest(policy=made))
    few = asyncio.Semaphore(8)

    async def voted(number: int) -> None:
        async with few:
            release = await place.release(f"1.{number}.0")
            await place.submit(release, "policy_report", failed=0)
            await place.decided(release)
            await place.approve("user:ada", release)

    await asyncio.gather(*(voted(number) for number in range(MANY)))
    assert not await pending(place, "user:ada")
    await update(place, "other", other_rules(maximum=1))
    mine = rules(next_action="ask somebody")
    mine.description, mine.rules[0].next_action = "the same question, told better", ""
    await update(place, OURS.policy, mine)
    waiting = await pending(place, "user:eve")
    assert len(waiting) == MANY
    votes = [vote for one in waiting for vote in one.approvals]
    assert ([vote.not_counting for vote in votes], len(votes)) == ([""] * MANY, MANY)
    last = waiting[0].release
    assert (await place.approve("user:eve", last)).decision.effective_verdict == ALLOW


async def test_an_author_is_refused_under_a_second_identity_too(place: Place) -> None:
    mine = await signed_in(place, "dev")
    group = group_service_pb2.Group(group_id="sre", members=["user:ada", "group:corp/leads"])
    await place.admin("PutGroup", group_service_pb2.PutGroupRequest(group=group))
    release = await place.release("1.0.0", authors=("Dev@Example.com",))
    await place.decided(release)
    refused = await mine.refused("Approve", await place.ballot("dev", release))
    assert (refused.code, refused.reason) == ("PERMISSION_DENIED", "SELF_APPROVAL")
    await signed_in(place, "lead")
    assert (await place.approve("lead", release)).approval.group == "sre"
    given = identity(OURS)
    given.version = "2.0.0"
    await signed_in(place, "mia", "release-manager")
    made = await place.people["mia"](
        "CreateRelease", release_service_pb2.CreateReleaseRequest(identity=given)
    )
    await place.submit(made.release.name, "change_ticket", approved=False)
    await place.decided(made.release.name)
    assert "mia@example.com" in (await place.asked("lead", made.release.name)).authors


async def test_other_digests_are_asked_about_anew(place: Place) -> None:
    first = await place.release("1.0.0")
    await place.decided(first)
    await place.approve("user:ada", first)
    assert (await place.approve("user:eve", first)).decision.effective_verdict == ALLOW
    other = await place.release("1.0.1", digest="sha256:" + "c" * 64)
    assert (await place.decided(other)).effective_verdict == ASKS
    seen = await place.ballot("user:ada", first)
    seen.release = other
    refused = await place.people["user:ada"].refused("Approve", seen)
    assert refused.reason == "ETAG_MISMATCH"
    assert (await place.asked("user:ada", other)).subject.release_digest in refused.message


async def test_a_refused_vote_says_what_is_not_as_it_was_shown(place: Place) -> None:
    release = await place.release("1.0.0")
    await place.decided(release)
    seen = await place.ballot("user:ada", release)
    await place.reject("user:eve", release)
    ada = place.people["user:ada"]
    vetoed = await ada.refused("Approve", seen)
    assert (vetoed.code, "agreed is BLOCK REJECTED now" in vetoed.message) == ("ABORTED", True)
    seen = await place.ballot("user:ada", release)
    await update(place, OURS.policy, rules(expect="!!evidence.change_ticket.approved"))
    changed = (await ada.refused("Approve", seen)).message
    assert "the rule agreed says something else now" in changed
    assert "the release is" not in changed
    seen.etag = "some"
    assert "the etag is of no request" in (await ada.refused("Approve", seen)).message


async def test_a_vote_counts_until_it_expires_and_decisions_of_before_replay_the_same(place: Place) -> None:
    release = await place.release("1.0.0")
    await place.decided(release)
    vote = (await place.approve("user:ada", release)).approval
    before = (await place.approve("user:eve", release)).decision
    assert before.effective_verdict == ALLOW
    shown = vote.expire_time.ToDatetime() - vote.create_time.ToDatetime()
    assert shown == timedelta(hours=24)

    def expire(tx: Transaction) -> None:
        stored = tx.find_act(Vote, vote.name.rpartition("/")[2])
        assert stored is not None
        tx.put_act(replace(stored, expire_time=tx.now - timedelta(seconds=1)))

    await place.admin.server.store.write(TENANT, expire)
    assert (await place.decided(release)).effective_verdict == ASKS
    listed = approval_service_pb2.ListApprovalsRequest(release=release)
    votes = (await place.admin("ListApprovals", listed)).approvals
    assert {one.voter: one.not_counting for one in votes} == {"user:ada": "EXPIRED", "user:eve": ""}
    replayed = decision_service_pb2.ExplainDecisionRequest(name=before.name)
    assert "SAME" in str(await place.admin("ExplainDecision", replayed))
    assert (await place.approve("user:ada", release)).decision.effective_verdict == ALLOW


async def test_what_i_have_voted_on_or_what_needs_no_more_of_us_does_not_wait_for_me(place: Place) -> None:
    release = await place.release("1.0.0")
    await place.decided(release)
    assert await pending(place, "user:ada")
    await place.approve("user:both", release, "sre")
    assert not await pending(place, "user:both")
    assert not await pending(place, "user:ada")
    assert [one.release for one in await pending(place, "user:eve")] == [release]


async def test_who_is_in_two_groups_votes_for_the_one_that_lacks_votes(place: Place) -> None:
    release = await place.release("1.0.0")
    await place.decided(release)
    await place.approve("user:ada", release)
    given = await place.approve("user:both", release)
    assert (given.approval.group, given.decision.effective_verdict) == ("security", ALLOW)


async def test_delegates_vote_in_the_place_of_a_group_while_they_are_delegates(tmp_path: Path) -> None:
    spec = rules()
    spec.rules[0].approval.groups[0].delegates.append("standby")
    async with voting(tmp_path, spec) as place:
        standby = group_service_pb2.Group(group_id="standby", members=["user:nobody"])
        await place.admin("PutGroup", group_service_pb2.PutGroupRequest(group=standby))
        release = await place.release("1.0.0")
        asks = (await place.decided(release)).findings[0]
        assert list(asks.who_can_act) == ["sre", "standby", "security"]
        assert (await place.approve("user:nobody", release)).approval.group == "sre"
        assert (await place.approve("user:eve", release)).decision.effective_verdict == ALLOW
        standby.members[:] = ["user:dev"]
        await place.admin("PutGroup", group_service_pb2.PutGroupRequest(group=standby))
        assert (await place.decided(release)).effective_verdict == ASKS


async def test_who_it_escalates_to_waits_for_the_groups_first(tmp_path: Path) -> None:
    spec = rules()
    late = policy_pb2.ApprovalEscalation(group="directors")
    late.after.FromTimedelta(timedelta(hours=4))
    spec.rules[0].approval.escalate_to.CopyFrom(late)
    async with voting(tmp_path, spec) as place:
        directors = group_service_pb2.Group(group_id="directors", members=["user:nobody"])
        await place.admin("PutGroup", group_service_pb2.PutGroupRequest(group=directors))
        release = await place.release("1.0.0")
        await place.decided(release)
        asked = await place.asked("user:nobody", release)
        assert asked.finding.approval.escalate_to == late
        assert not asked.your_groups
        ballot = await place.ballot("user:nobody", release)
        refused = await place.people["user:nobody"].refused("Approve", ballot)
        assert (refused.code, refused.reason) == ("PERMISSION_DENIED", "ACCESS_DENIED")


async def test_an_approved_release_that_somebody_rejects_is_blocked(place: Place) -> None:
    release = await place.release("1.0.0")
    await place.decided(release)
    await place.approve("user:ada", release)
    await place.approve("user:eve", release)
    veto = await place.reject("user:both", release)
    assert veto.decision.effective_verdict == BLOCK
    revoke = approval_service_pb2.RevokeApprovalRequest(name=veto.approval.name, reason=REASON)
    await place.people["user:both"]("RevokeApproval", revoke)
    assert (await place.decided(release)).effective_verdict == ALLOW
