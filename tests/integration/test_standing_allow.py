"""An ALLOW does not outlive its reasons: what it stands on goes, and the server says so without being asked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from release_passport.v1 import (
    access_pb2,
    access_service_pb2,
    approval_service_pb2,
    catalog_service_pb2,
    decision_pb2,
    decision_service_pb2,
    freeze_pb2,
    freeze_service_pb2,
    group_service_pb2,
    policy_pb2,
    policy_service_pb2,
    verdict_pb2,
)
from support.people_requests import REASON
from support.requests import ahead
from support.shop import digest_of, started
from support.voting import ALLOW, OURS, Place, other_rules, voting

DEADLINE = 20.0
Change = Callable[[Place, str, str], Awaitable[None]]


async def newest(place: Place, release: str) -> decision_pb2.Decision:
    """Return the newest decision of a release, as it stands on record."""
    request = decision_service_pb2.ListDecisionsRequest(release=release)
    found: decision_pb2.Decision = (await place.admin("ListDecisions", request)).decisions[0]
    return found


async def frozen(place: Place, seconds: float) -> None:
    given = freeze_pb2.Freeze(
        title="quarter's end",
        start_time=ahead(seconds=seconds),
        until_time=ahead(hours=2),
        reason=REASON,
        environments=[OURS.environment],
    )
    await place.admin("CreateFreeze", freeze_service_pb2.CreateFreezeRequest(freeze=given))


async def a_freeze_begins(place: Place, release: str, vote: str) -> None:
    await frozen(place, -1)


async def a_freeze_that_was_planned_begins(place: Place, release: str, vote: str) -> None:
    await frozen(place, 2)


async def a_vote_is_taken_back(place: Place, release: str, vote: str) -> None:
    revoke = approval_service_pb2.RevokeApprovalRequest(name=vote, reason="changed my mind")
    await place.people["user:ada"]("RevokeApproval", revoke)


async def a_voter_leaves_the_group(place: Place, release: str, vote: str) -> None:
    group = group_service_pb2.Group(group_id="sre", members=["user:both"])
    await place.admin("PutGroup", group_service_pb2.PutGroupRequest(group=group))


async def a_voter_loses_the_role(place: Place, release: str, vote: str) -> None:
    listed = await place.admin("ListRoleBindings", access_service_pb2.ListRoleBindingsRequest())
    (name,) = [one.name for one in listed.role_bindings if one.principal == "user:ada"]
    await place.admin("DeleteRoleBinding", access_service_pb2.DeleteRoleBindingRequest(name=name))


async def a_voter_is_banned(place: Place, release: str, vote: str) -> None:
    ban = access_pb2.Ban(principal="user:ada", reason=REASON)
    await place.admin("CreateBan", access_service_pb2.CreateBanRequest(ban=ban))


async def somebody_rejects(place: Place, release: str, vote: str) -> None:
    await place.reject("user:both", release)


async def a_policy_comes(place: Place, release: str, vote: str) -> None:
    policy = policy_pb2.Policy(policy_id="stricter", spec=other_rules())
    await place.admin("CreatePolicy", policy_service_pb2.CreatePolicyRequest(policy=policy))


async def the_environment_requires_a_policy(place: Place, release: str, vote: str) -> None:
    name = f"tenants/default/environments/{OURS.environment}"
    found = (
        await place.admin("GetEnvironment", catalog_service_pb2.GetEnvironmentRequest(name=name))
    ).environment
    found.required_policies.append("not-there")
    await place.admin("UpdateEnvironment", catalog_service_pb2.UpdateEnvironmentRequest(environment=found))


async def a_later_release_begins(place: Place, release: str, vote: str) -> None:
    later = await place.release("2.0.0", failed=0, digest=digest_of("2.0.0"))
    assert (await started(place.admin, await place.decided(later))).startswith(later)


CHANGES: tuple[Change, ...] = (
    a_freeze_begins,
    a_freeze_that_was_planned_begins,
    a_vote_is_taken_back,
    a_voter_leaves_the_group,
    a_voter_loses_the_role,
    a_voter_is_banned,
    somebody_rejects,
    a_policy_comes,
    the_environment_requires_a_policy,
    a_later_release_begins,
)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
async def test_an_allow_ends_when(tmp_path: Path, change: Change) -> None:
    async with voting(tmp_path) as place:
        release = await place.release("1.0.0")
        await place.decided(release)
        vote = (await place.approve("user:ada", release)).approval.name
        allowed = (await place.approve("user:eve", release)).decision
        assert allowed.effective_verdict == ALLOW
        await change(place, release, vote)
        async with asyncio.timeout(DEADLINE):
            while (now := await newest(place, release)).effective_verdict == ALLOW:
                pass
        assert now.name != allowed.name
        assert now.effective_verdict > verdict_pb2.VERDICT_ALLOW_WITH_CANARY
