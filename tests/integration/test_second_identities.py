"""Who did something for a release under one of their accounts decides nothing about it under another one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from release_passport.v1 import (
    approval_service_pb2,
    decision_pb2,
    decision_service_pb2,
    evidence_pb2,
    evidence_service_pb2,
    group_service_pb2,
    release_service_pb2,
)
from release_passport_server import core
from release_passport_server.services.authenticate import Vouchers
from support.calls import Caller
from support.corp import Provider, signed_in
from support.requests import ahead
from support.voting import ALLOW, ASKS, Place, voting


@pytest_asyncio.fixture
async def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Place]:
    monkeypatch.setattr(core, "_vouchers", lambda *_: Vouchers(Provider()))
    async with voting(tmp_path) as found:
        # Who votes is in the group by the address-less name of the account.
        await grouped(place_=found, sre="user:corp/ada.2", security="user:eve")
        yield found


async def grouped(place_: Place, **members: str) -> None:
    for group, member in members.items():
        given = group_service_pb2.Group(group_id=group, members=[member])
        await place_.admin("PutGroup", group_service_pb2.PutGroupRequest(group=given))


async def refused(place: Place, who: str, release: str) -> str:
    await place.decided(release)
    found = await place.people[who].refused("Approve", await place.ballot(who, release))
    return str(found.reason)


async def evidenced(caller: Caller, release: str) -> None:
    facts = evidence_pb2.EvidenceFacts(policy_report=evidence_pb2.PolicyReport(engine="kyverno", passed=1))
    subject = evidence_pb2.EvidenceSubject(release=release)
    item = evidence_pb2.EvidenceInput(subject=subject, facts=facts, observe_time=ahead())
    await caller("SubmitEvidence", evidence_service_pb2.SubmitEvidenceRequest(evidence=[item]))


async def test_who_submitted_evidence_has_no_vote_under_another_account(place: Place) -> None:
    release = await place.release("1.0.0")
    await signed_in(place, "ada.2")
    other = await place.release("1.1.0", digest="sha256:" + "d" * 64)
    await evidenced(await signed_in(place, "ada", "admin"), release)
    assert await refused(place, "ada.2", release) == "SELF_APPROVAL"
    await place.decided(other)
    assert (await place.approve("ada.2", other)).approval.voter == "user:corp/ada.2"


async def test_a_vote_counts_no_longer_once_its_voter_submitted_evidence_under_another_account(
    place: Place,
) -> None:
    release = await place.release("1.0.0")
    await place.decided(release)
    await signed_in(place, "ada.2")
    await place.approve("ada.2", release)
    assert (await place.approve("user:eve", release)).decision.effective_verdict == ALLOW
    await evidenced(await signed_in(place, "ada", "admin"), release)
    assert (await place.decided(release)).effective_verdict == ASKS


async def test_who_starts_the_rollout_loses_the_vote_of_every_account(place: Place) -> None:
    release = await place.release("1.0.0")
    await place.decided(release)
    await signed_in(place, "ada.2")
    await place.approve("ada.2", release)
    await place.approve("user:eve", release)
    starter = await signed_in(place, "ada", "admin")
    await starter("StartRollout", release_service_pb2.StartRolloutRequest(release=release))
    asked = approval_service_pb2.ListApprovalsRequest(release=release)
    votes = (await place.admin("ListApprovals", asked)).approvals
    assert {one.voter: one.not_counting for one in votes} == {"user:corp/ada.2": "AUTHOR", "user:eve": ""}


async def test_a_release_of_unknown_authors_says_so_in_its_decision(place: Place) -> None:
    def unknown(decision: decision_pb2.Decision) -> list[str]:
        return [one.next_action for one in decision.findings if one.reason == "AUTHORS_UNKNOWN"]

    release = await place.release("1.0.0", authors=())
    found = await place.decided(release)
    (advice,) = unknown(found)
    assert "--author" in advice
    explained = decision_service_pb2.ExplainDecisionRequest(name=found.name)
    assert "SAME" in str(await place.admin("ExplainDecision", explained))
    known = await place.release("1.1.0", digest="sha256:" + "e" * 64)
    assert not unknown(await place.decided(known))
    passing = await place.release("1.2.0", authors=(), failed=0, digest="sha256:" + "f" * 64)
    assert not unknown(await place.decided(passing))
