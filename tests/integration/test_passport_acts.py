"""A passport shows what people did about the release, and the lists of what waits for people are full."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from release_passport.v1 import (
    approval_service_pb2,
    freeze_pb2,
    freeze_service_pb2,
    override_service_pb2,
    passport_pb2,
    release_service_pb2,
    waiver_pb2,
    waiver_service_pb2,
)
from support.calls import Caller, somebody
from support.people_requests import REASON
from support.requests import ahead
from support.voting import ALLOW, OURS, Place, rules, voting


@pytest_asyncio.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    spec = rules()
    spec.waivers.service_wide = True
    async with voting(tmp_path, spec) as found:
        yield found


async def passport(caller: Caller, release: str) -> passport_pb2.Passport:
    request = release_service_pb2.GetPassportRequest(name=release)
    found: passport_pb2.Passport = (await caller("GetPassport", request)).passport
    return found


async def waived(place: Place, release: str, *, service_wide: bool) -> waiver_pb2.Waiver:
    asked = waiver_service_pb2.RequestWaiverRequest(
        release=release,
        policy=OURS.policy,
        rule="agreed",
        service_wide=service_wide,
        owner="user:ada",
        ticket="OPS-1",
        reason=REASON,
        expire_time=ahead(days=1),
    )
    name = (await place.ci("RequestWaiver", asked)).waiver.name
    granter = await somebody(place.admin, "user:greta", "admin")
    granted = await granter("GrantWaiver", waiver_service_pb2.GrantWaiverRequest(name=name))
    found: waiver_pb2.Waiver = granted.waiver
    return found


async def test_votes_are_in_the_passport_with_why_they_do_not_count(place: Place) -> None:
    release = await place.release("1.0.0")
    await place.decided(release)
    assert not (await passport(place.ci, release)).approvals
    await place.approve("user:ada", release)
    await place.approve("user:eve", release)
    await place.submit(release, "change_ticket", approved=0)
    evidence = await somebody(place.admin, "user:ada", "admin")
    await evidence("StartRollout", release_service_pb2.StartRolloutRequest(release=release))
    found = (await passport(place.ci, release)).approvals
    assert {one.voter: one.not_counting for one in found} == {"user:eve": "", "user:ada": "AUTHOR"}


async def test_waivers_of_the_release_and_of_its_service_are_in_the_passport(place: Place) -> None:
    release = await place.release("1.0.0")
    await place.decided(release)
    own = await waived(place, release, service_wide=False)
    other = await place.release("1.1.0", digest="sha256:" + "d" * 64)
    await place.decided(other)
    wide = await waived(place, other, service_wide=True)
    assert [one.name for one in (await passport(place.ci, release)).waivers] == [wide.name, own.name]
    assert [one.name for one in (await passport(place.ci, other)).waivers] == [wide.name]
    ended = waiver_service_pb2.RevokeWaiverRequest(name=own.name, reason="not needed")
    await place.admin("RevokeWaiver", ended)
    states = {one.name: one.state for one in (await passport(place.ci, release)).waivers}
    assert states[own.name] == waiver_pb2.WAIVER_STATE_ENDED


async def test_overrides_and_what_was_done_by_hand_are_in_the_passport_and_listed(place: Place) -> None:
    release = await place.release("1.0.0")
    decision = await place.decided(release)
    breaker = await somebody(place.admin, "user:bree", "admin")
    opened = override_service_pb2.CreateOverrideRequest(
        release=release, decision=decision.name, ticket="INC-7", reason=REASON
    )
    given = (await breaker("CreateOverride", opened)).override
    told = override_service_pb2.RecordOverrideRequest(
        release=release, act_time=ahead(hours=-1), ticket="INC-8", reason=REASON
    )
    by_hand = (await breaker("RecordOverride", told)).override
    found = (await passport(place.ci, release)).overrides
    assert [one.name for one in found] == [by_hand.name, given.name]
    wanted = override_service_pb2.ListOverridesRequest(retrospective=True)
    listed = (await place.admin("ListOverrides", wanted)).overrides
    assert [one.name for one in listed] == [by_hand.name]


async def test_exemptions_from_freezes_are_in_the_passport(place: Place) -> None:
    release = await place.release("1.0.0", failed=0)
    frozen = freeze_pb2.Freeze(
        title="year's end", start_time=ahead(hours=-1), until_time=ahead(hours=1), reason=REASON
    )
    made = (await place.admin("CreateFreeze", freeze_service_pb2.CreateFreezeRequest(freeze=frozen))).freeze
    exempt = freeze_service_pb2.CreateFreezeExemptionRequest(
        freeze=made.name, release=release, ticket="OPS-1", reason=REASON
    )
    someone = await somebody(place.admin, "user:fred", "admin")
    given = (await someone("CreateFreezeExemption", exempt)).exemption
    assert (await place.decided(release)).effective_verdict == ALLOW
    found = await passport(place.ci, release)
    assert [one.name for one in found.freeze_exemptions] == [given.name]
    assert not found.truncated


async def test_a_page_of_what_waits_is_full_whatever_was_decided_in_between(place: Place) -> None:
    mine = []
    for number in range(6):
        release = await place.release(f"1.{number}.0", digest=f"sha256:{number:064}")
        await place.decided(release)
        if number % 3:
            await place.approve("user:ada", release)
        else:
            mine.append(release)
    request = approval_service_pb2.ListPendingApprovalsRequest(page_size=2)
    answer = await place.people["user:ada"]("ListPendingApprovals", request)
    assert [one.release for one in answer.requests] == mine[::-1]
