"""Freezes on a real server: what they hold, whom they let go, and when they end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from release_passport.v1 import (
    decision_pb2,
    decision_service_pb2,
    evidence_pb2,
    evidence_service_pb2,
    freeze_pb2,
    freeze_service_pb2,
    policy_pb2,
    policy_service_pb2,
    release_service_pb2,
    verdict_pb2,
)
from support.calls import Caller, Refused, somebody
from support.people_requests import REASON
from support.requests import Names, ahead, identity, request_for
from support.server import real_server

pytestmark = pytest.mark.asyncio(loop_scope="module")

OURS = Names()
ALLOW, HOLD, ASKS = (
    verdict_pb2.VERDICT_ALLOW,
    verdict_pb2.VERDICT_HOLD,
    verdict_pb2.VERDICT_REQUIRE_APPROVAL,
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def admin(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Caller]:
    async with real_server(tmp_path_factory.mktemp("freezes")) as running:
        caller = Caller(running, running.token)
        for name in ("CreateService", "CreateEnvironment"):
            await caller(name, request_for(name, OURS))
        need = policy_pb2.Need(kind="test_result", sources=["sa:*", "user:*"])
        rule = policy_pb2.Rule(rule_id="tested", needs=[need], expect="evidence.test_result.failed == 0")
        spec = policy_pb2.PolicySpec(mode="POLICY_MODE_ENFORCE", rules=[rule])
        made = policy_pb2.Policy(policy_id=OURS.policy, spec=spec)
        await caller("CreatePolicy", policy_service_pb2.CreatePolicyRequest(policy=made))
        yield caller


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def thawed(admin: Caller) -> None:
    """End what an earlier test left on."""
    found = await admin("ListFreezes", freeze_service_pb2.ListFreezesRequest(current=True))
    for one in found.freezes:
        await ended(admin, one.name)


async def passing(ci: Caller, version: str) -> str:
    """Return the name of a new release whose tests passed."""
    given = identity(OURS)
    given.version = version
    made = await ci("CreateRelease", release_service_pb2.CreateReleaseRequest(identity=given))
    facts = evidence_pb2.EvidenceFacts(
        test_result=evidence_pb2.TestResult(suite="unit", passed=3, failed=0, skipped=0)
    )
    item = evidence_pb2.EvidenceInput(
        subject=evidence_pb2.EvidenceSubject(artifact_digest=OURS.digest), facts=facts, observe_time=ahead()
    )
    await ci("SubmitEvidence", evidence_service_pb2.SubmitEvidenceRequest(evidence=[item]))
    return str(made.release.name)


async def decided(caller: Caller, release: str) -> decision_pb2.Decision:
    asked = decision_service_pb2.EvaluateRequest(release=release)
    answer: decision_service_pb2.EvaluateResponse = await caller("Evaluate", asked)
    return answer.decision


def freeze(**more: object) -> freeze_service_pb2.CreateFreezeRequest:
    given = freeze_pb2.Freeze(
        title="quarter's end",
        environments=["prod"],
        start_time=ahead(hours=-1),
        until_time=ahead(hours=2),
        reason=REASON,
    )
    given.MergeFrom(freeze_pb2.Freeze(**more))  # type: ignore[arg-type]
    return freeze_service_pb2.CreateFreezeRequest(freeze=given)


async def ended(admin: Caller, name: str) -> freeze_pb2.Freeze:
    answer = await admin("EndFreeze", freeze_service_pb2.EndFreezeRequest(name=name, reason="over"))
    found: freeze_pb2.Freeze = answer.freeze
    return found


async def test_a_freeze_holds_what_would_go_until_it_ends(admin: Caller) -> None:
    ci = await somebody(admin, "sa:ci-1", "ci")
    release = await passing(ci, "1.0.1")
    assert (await decided(ci, release)).effective_verdict == ALLOW
    made = (await admin("CreateFreeze", freeze())).freeze
    assert made.on
    held = await decided(ci, release)
    assert (held.verdict, held.effective_verdict) == (HOLD, HOLD)
    assert [one.reason for one in held.findings if one.verdict == HOLD] == ["FROZEN"]
    assert held.next_eligible_time == made.until_time
    over = await ended(admin, made.name)
    assert not over.on
    assert over.ended_by
    assert (await decided(ci, release)).effective_verdict == ALLOW


async def test_a_decision_is_valid_up_to_the_next_freeze_and_not_into_it(admin: Caller) -> None:
    ci = await somebody(admin, "sa:ci-2", "ci")
    coming = ahead(minutes=5)
    made = (await admin("CreateFreeze", freeze(start_time=coming))).freeze
    assert not made.on
    assert made.next_time == made.start_time
    decision = await decided(ci, await passing(ci, "1.0.2"))
    assert decision.effective_verdict == ALLOW
    assert decision.valid_until.ToDatetime() == made.start_time.ToDatetime()
    await ended(admin, made.name)


async def test_elsewhere_a_freeze_holds_nothing(admin: Caller) -> None:
    ci = await somebody(admin, "sa:ci-3", "ci")
    made = [
        (await admin("CreateFreeze", freeze(services=["billing"]))).freeze.name,
        (await admin("CreateFreeze", freeze(service_labels={"tier": "gold"}))).freeze.name,
    ]
    assert (await decided(ci, await passing(ci, "1.0.3"))).effective_verdict == ALLOW
    for name in made:
        await ended(admin, name)


async def test_a_release_is_exempted_by_a_person_who_did_not_make_it(admin: Caller) -> None:
    ci = await somebody(admin, "sa:ci-4", "ci")
    release = await passing(ci, "1.0.4")
    made = (await admin("CreateFreeze", freeze())).freeze
    asked = freeze_service_pb2.CreateFreezeExemptionRequest(
        freeze=made.name, release=release, ticket="OPS-7", reason=REASON
    )
    robot = await somebody(admin, "sa:robot", "admin")
    assert (await robot.refused("CreateFreezeExemption", asked)).reason == "ACCESS_DENIED"
    viewer = await somebody(admin, "user:vic-4", "viewer")
    assert (await viewer.refused("CreateFreezeExemption", asked)).reason == "ACCESS_DENIED"
    author = await somebody(admin, "user:author", "admin")
    own = identity(OURS)
    own.version, own.authors[:] = "1.0.5", ["user:author"]
    mine = await ci("CreateRelease", release_service_pb2.CreateReleaseRequest(identity=own))
    self_made = freeze_service_pb2.CreateFreezeExemptionRequest()
    self_made.CopyFrom(asked)
    self_made.release = mine.release.name
    assert (await author.refused("CreateFreezeExemption", self_made)).reason == "SELF_APPROVAL"
    person = await somebody(admin, "user:ada", "admin")
    exemption = (await person("CreateFreezeExemption", asked)).exemption
    decision = await decided(ci, release)
    assert decision.effective_verdict == ALLOW
    (exempt,) = [one for one in decision.findings if one.reason == "FREEZE_EXEMPT"]
    assert [act.name for act in exempt.lifted_by] == [exemption.name]
    await person("EndFreezeExemption", freeze_service_pb2.EndFreezeExemptionRequest(name=exemption.name))
    assert (await decided(ci, release)).effective_verdict == HOLD
    await ended(admin, made.name)


async def test_the_groups_of_a_freeze_are_asked_about_an_exempt_release(admin: Caller) -> None:
    ci = await somebody(admin, "sa:ci-6", "ci")
    release = await passing(ci, "1.0.6")
    groups = [policy_pb2.ApprovalGroup(group="sre", count=1)]
    delegated = [policy_pb2.ApprovalGroup(group="sre", count=1, delegates=["standby"])]
    refused = await admin.refused("CreateFreeze", freeze(exempt_groups=delegated))
    assert refused.fields == ("freeze.exempt_groups[0].delegates",)
    made = (await admin("CreateFreeze", freeze(exempt_groups=groups))).freeze
    person = await somebody(admin, "user:ada-6", "admin")
    asked = freeze_service_pb2.CreateFreezeExemptionRequest(
        freeze=made.name, release=release, ticket="OPS-7", reason=REASON
    )
    await person("CreateFreezeExemption", asked)
    decision = await decided(ci, release)
    assert decision.effective_verdict == ASKS
    assert [list(one.who_can_act) for one in decision.findings if one.reason == "FREEZE_EXEMPT"] == [["sre"]]
    await ended(admin, made.name)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"until_time": ahead(hours=-2)}, "freeze.until_time"),
        ({"until_time": ahead(days=500)}, "freeze.until_time"),
        ({"rrule": "FREQ=DAILY"}, "freeze.duration"),
        ({"rrule": "FREQ=DAILY", "duration": timedelta(hours=24)}, "freeze.duration"),
        ({"rrule": "FREQ=SECONDLY", "duration": timedelta(hours=1)}, "freeze.rrule"),
        ({"rrule": "FREQ=NEVER", "duration": timedelta(hours=1)}, "freeze.rrule"),
        ({"rrule": "FREQ=DAILY;UNTIL=20300101T000000Z", "duration": timedelta(hours=1)}, "freeze.rrule"),
        ({"rrule": "BYDAY=FR", "duration": timedelta(hours=1)}, "freeze.rrule"),
        ({"time_zone": "Mars/Olympus"}, "freeze.time_zone"),
        ({"time_zone": "../../etc/passwd"}, "freeze.time_zone"),
        ({"duration": timedelta(hours=1)}, "freeze.duration"),
    ],
)
async def test_a_freeze_that_makes_no_sense_or_never_ends_is_refused(
    admin: Caller, wrong: dict[str, object], field: str
) -> None:
    found = await admin.refused("CreateFreeze", freeze(**wrong))
    assert isinstance(found, Refused)
    assert (found.code, found.fields) == ("INVALID_ARGUMENT", (field,))


async def test_nobody_freezes_beyond_their_scope(admin: Caller) -> None:
    near = await somebody(admin, "user:near", "admin", services=("checkout",), environments=("prod",))
    assert (await near.refused("CreateFreeze", freeze())).code == "PERMISSION_DENIED"
    made = (await near("CreateFreeze", freeze(services=["checkout"]))).freeze
    wide = (await admin("CreateFreeze", freeze())).freeze
    assert (
        await near.refused("EndFreeze", freeze_service_pb2.EndFreezeRequest(name=wide.name))
    ).code == "PERMISSION_DENIED"
    for name in (made.name, wide.name):
        await ended(admin, name)


async def test_a_freeze_is_changed_by_who_has_read_it(admin: Caller) -> None:
    made = (await admin("CreateFreeze", freeze())).freeze
    made.title = "year's end"
    changed = (await admin("UpdateFreeze", freeze_service_pb2.UpdateFreezeRequest(freeze=made))).freeze
    assert (changed.title, changed.creator) == ("year's end", made.creator)
    stale = await admin.refused("UpdateFreeze", freeze_service_pb2.UpdateFreezeRequest(freeze=made))
    assert stale.reason == "ETAG_MISMATCH"
    current = await admin("ListFreezes", freeze_service_pb2.ListFreezesRequest(current=True))
    assert [one.name for one in current.freezes] == [made.name]
    await ended(admin, made.name)
    gone = await admin("ListFreezes", freeze_service_pb2.ListFreezesRequest(current=True))
    assert not gone.freezes
    changed.title = "never"
    late = await admin.refused("UpdateFreeze", freeze_service_pb2.UpdateFreezeRequest(freeze=changed))
    assert late.reason in ("ALREADY_ENDED", "ETAG_MISMATCH")


async def test_a_recurring_freeze_says_when_it_is_on_next(admin: Caller) -> None:
    friday = datetime(2026, 1, 2, 15, tzinfo=UTC)
    made = freeze(rrule="FREQ=WEEKLY;BYDAY=FR", duration=timedelta(hours=9), time_zone="Europe/Berlin")
    made.freeze.start_time.FromDatetime(friday)
    made.freeze.ClearField("until_time")
    shown = (await admin("CreateFreeze", made)).freeze
    assert shown.next_time.ToDatetime(UTC).astimezone(UTC) > datetime.now(UTC)
    await ended(admin, shown.name)
