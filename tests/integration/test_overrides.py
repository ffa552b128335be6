"""Overrides on a real server: one start against what stood then, announced, marked, and looked at by somebody else."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import pytest_asyncio
from google.protobuf.duration_pb2 import Duration

from release_passport.v1 import (
    decision_pb2,
    decision_service_pb2,
    evidence_pb2,
    evidence_service_pb2,
    override_service_pb2,
    policy_pb2,
    policy_service_pb2,
    release_service_pb2,
    verdict_pb2,
)
from release_passport_server.domain.acts import Override
from support.calls import Caller, somebody
from support.people_requests import REASON
from support.requests import ahead
from support.server import real_server
from support.shop import (
    SCANS,
    backdated,
    decided,
    digest_of,
    finished,
    opened,
    reasons,
    released,
    replay_of,
    scanned,
    started,
    told,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

ALLOW, HOLD, BLOCK = verdict_pb2.VERDICT_ALLOW, verdict_pb2.VERDICT_HOLD, verdict_pb2.VERDICT_BLOCK
ROLLBACK, CANARY = verdict_pb2.VERDICT_ROLLBACK_RECOMMENDED, verdict_pb2.VERDICT_ALLOW_WITH_CANARY
ASKS = verdict_pb2.VERDICT_REQUIRE_APPROVAL
CVE_1, CVE_2 = ("CVE-2026-1", "critical", "3.0.8"), ("CVE-2026-2", "critical", "")
REVIEW = "looked at with the incident: justified, and the fix is out"


@dataclass(frozen=True)
class Shop:
    """Who is there: a pipeline, who breaks the glass, and who looks at it afterwards."""

    admin: Caller
    ci: Caller
    breaker: Caller
    reviewer: Caller


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    async with real_server(tmp_path_factory.mktemp("overrides")) as running:
        admin = await opened(Caller(running, running.token))
        await admin("CreatePolicy", policy_service_pb2.CreatePolicyRequest(policy=watching()))
        ci = await somebody(admin, "sa:ci-1", "ci", "connector")
        breaker = await somebody(admin, "user:bree", "admin")
        yield Shop(admin, ci, breaker, await somebody(admin, "user:rita", "admin"))


def watching() -> policy_pb2.Policy:
    """Return a policy that looks at the error rate of a canary."""
    need = policy_pb2.Need(kind="metric_sample", keys=["error_rate"], sources=["sa:*"])
    rule = policy_pb2.Rule(
        rule_id="errors",
        needs=[need],
        expect="evidence.metric_sample.value < 0.05",
        stages=["STAGE_WATCH"],
        failures=1,
        on_fail="VERDICT_ROLLBACK_RECOMMENDED",
    )
    watch = policy_pb2.WatchRequirement(duration=Duration(seconds=600))
    spec = policy_pb2.PolicySpec(mode="POLICY_MODE_ENFORCE", rules=[rule], watch=watch)
    return policy_pb2.Policy(policy_id="watch", spec=spec)


def breaking(decision: decision_pb2.Decision, **more: object) -> override_service_pb2.CreateOverrideRequest:
    request = override_service_pb2.CreateOverrideRequest(
        release=decision.release, decision=decision.name, ticket="INC-7", reason=REASON
    )
    request.MergeFrom(override_service_pb2.CreateOverrideRequest(**more))  # type: ignore[arg-type]
    return request


async def broken(shop: Shop, release: str) -> override_service_pb2.CreateOverrideResponse:
    """Return an override of what stands against a release."""
    blocked = await decided(shop.ci, release)
    answer: override_service_pb2.CreateOverrideResponse = await shop.breaker(
        "CreateOverride", breaking(blocked)
    )
    return answer


async def reviewed(shop: Shop, override: str) -> None:
    asked = override_service_pb2.ReviewOverrideRequest(name=override, review=REVIEW)
    await shop.reviewer("ReviewOverride", asked)


async def sampled(shop: Shop, attempt: str, value: float) -> None:
    facts = evidence_pb2.EvidenceFacts(
        metric_sample=evidence_pb2.MetricSample(name="error_rate", value=value)
    )
    subject = evidence_pb2.EvidenceSubject(attempt=attempt)
    item = evidence_pb2.EvidenceInput(subject=subject, facts=facts, observe_time=ahead())
    await shop.ci("SubmitEvidence", evidence_service_pb2.SubmitEvidenceRequest(evidence=[item]))


async def test_an_override_lets_one_release_start_and_leaves_the_verdict(shop: Shop) -> None:
    release = await released(shop.ci, "1.0.1", CVE_1)
    blocked = await decided(shop.ci, release)
    assert blocked.effective_verdict == BLOCK
    answer = await shop.breaker("CreateOverride", breaking(blocked))
    made, now = answer.override, answer.decision
    assert [(one.rule, one.reason) for one in made.overrules] == [(SCANS, "EXPECTATION_FAILED")]
    assert made.expire_time.ToDatetime() - made.create_time.ToDatetime() == timedelta(hours=1)
    assert (now.verdict, now.effective_verdict) == (BLOCK, CANARY)
    assert list(now.weakenings) == ["OVERRIDDEN"]
    assert [one.name for one in now.overrides] == [made.name]
    assert await decided(shop.ci, release) == now
    assert await replay_of(shop.admin, now) == "SAME"
    attempt = await started(shop.ci, now)
    await finished(shop.ci, attempt)
    # It admits once.
    again = await decided(shop.ci, release)
    assert (again.verdict, again.effective_verdict) == (BLOCK, BLOCK)
    await reviewed(shop, made.name)


async def test_what_comes_later_counts_in_full(shop: Shop) -> None:
    release = await released(shop.ci, "1.0.2", CVE_1)
    made = (await broken(shop, release)).override
    failed = evidence_pb2.TestResult(suite="unit", passed=8, failed=1, errored=0)
    await told(shop.ci, "1.0.2", evidence_pb2.EvidenceFacts(test_result=failed))
    assert (await decided(shop.ci, release)).effective_verdict == BLOCK
    await reviewed(shop, made.name)


async def test_other_digests_are_not_let_go(shop: Shop) -> None:
    made = (await broken(shop, await released(shop.ci, "1.0.3", CVE_1))).override
    swapped = await released(shop.ci, "1.0.4", CVE_1)
    assert (await decided(shop.ci, swapped)).effective_verdict == BLOCK
    await reviewed(shop, made.name)


async def test_a_canary_that_degrades_is_rolled_back_whatever_was_overruled(shop: Shop) -> None:
    release = await released(shop.ci, "1.0.5", CVE_1)
    answer = await broken(shop, release)
    attempt = await started(shop.ci, answer.decision)
    await sampled(shop, attempt, 0.01)
    fine = await decided(shop.ci, release)
    assert (fine.verdict, fine.effective_verdict) == (BLOCK, CANARY)
    await sampled(shop, attempt, 0.9)
    worse = await decided(shop.ci, release)
    assert worse.effective_verdict == ROLLBACK
    late = await shop.breaker.refused("CreateOverride", breaking(worse))
    assert (late.code, late.reason) == ("FAILED_PRECONDITION", "STAGE_MISMATCH")
    assert await replay_of(shop.admin, worse) == "SAME"
    await finished(shop.ci, attempt)
    await reviewed(shop, answer.override.name)


async def test_an_override_that_is_withdrawn_holds_what_started_on_it(shop: Shop) -> None:
    release = await released(shop.ci, "1.0.6", CVE_1)
    answer = await broken(shop, release)
    attempt = await started(shop.ci, answer.decision)
    await sampled(shop, attempt, 0.01)
    withdraw = override_service_pb2.WithdrawOverrideRequest(name=answer.override.name)
    ended = (await shop.reviewer("WithdrawOverride", withdraw)).override
    assert ended.ended_by == "user:rita"
    held = await decided(shop.ci, release)
    assert held.effective_verdict == HOLD
    assert "GROUND_WITHDRAWN" in reasons(held)
    await finished(shop.ci, attempt)
    await reviewed(shop, answer.override.name)


async def test_after_four_hours_an_override_carries_no_rollout_any_further(shop: Shop) -> None:
    release = await released(shop.ci, "1.0.7", CVE_1)
    answer = await broken(shop, release)
    attempt = await started(shop.ci, answer.decision)
    await sampled(shop, attempt, 0.01)
    assert (await decided(shop.ci, release)).effective_verdict == CANARY
    long_ago = datetime.now(UTC) - timedelta(hours=4, seconds=1)
    await backdated(shop.admin, Override, answer.override.name, create_time=long_ago)
    assert (await decided(shop.ci, release)).effective_verdict == HOLD
    await finished(shop.ci, attempt)
    await reviewed(shop, answer.override.name)


async def test_when_its_time_is_over_an_override_opens_nothing(shop: Shop) -> None:
    release = await released(shop.ci, "1.0.8", CVE_1)
    answer = await broken(shop, release)
    assert answer.decision.valid_until.ToDatetime() <= answer.override.expire_time.ToDatetime()
    await backdated(shop.admin, Override, answer.override.name, expire_time=datetime.now(UTC))
    assert (await decided(shop.ci, release)).effective_verdict == BLOCK
    await reviewed(shop, answer.override.name)


async def test_the_glass_is_broken_by_a_person_who_may_and_has_seen_what_stands(shop: Shop) -> None:
    release = await released(shop.ci, "1.1.0", CVE_1)
    blocked = await decided(shop.ci, release)
    robot = await somebody(shop.admin, "sa:robot", "admin")
    assert (await robot.refused("CreateOverride", breaking(blocked))).reason == "ACCESS_DENIED"
    approver = await somebody(shop.admin, "user:apps", "approver", "release-manager")
    assert (await approver.refused("CreateOverride", breaking(blocked))).reason == "ACCESS_DENIED"
    failed = evidence_pb2.TestResult(suite="unit", passed=8, failed=1, errored=0)
    await told(shop.ci, "1.1.0", evidence_pb2.EvidenceFacts(test_result=failed))
    stale = await shop.breaker.refused("CreateOverride", breaking(blocked))
    assert (stale.code, stale.reason) == ("ABORTED", "VERDICT_CHANGED")
    await decided(shop.ci, release)
    other = await shop.breaker.refused("CreateOverride", breaking(blocked))
    assert (other.code, other.reason) == ("ABORTED", "VERDICT_CHANGED")


async def test_where_nothing_stands_nothing_is_overruled(shop: Shop) -> None:
    fine = await decided(shop.ci, await released(shop.ci, "1.1.1"))
    assert fine.effective_verdict == CANARY
    assert (await shop.breaker.refused("CreateOverride", breaking(fine))).reason == "NOTHING_ASKED"
    unasked = await released(shop.ci, "1.1.2", CVE_1)
    asked = breaking(fine, release=unasked)
    assert (await shop.breaker.refused("CreateOverride", asked)).reason == "NOTHING_ASKED"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"duration": Duration(seconds=4 * 3600 + 1)}, "duration"),
        ({"duration": Duration()}, "duration"),
        ({"reason": "short"}, "reason"),
    ],
)
async def test_an_override_without_end_or_reason_is_refused(
    shop: Shop, wrong: dict[str, object], field: str
) -> None:
    request = override_service_pb2.CreateOverrideRequest(
        release=f"tenants/default/services/checkout/environments/prod/releases/{field}",
        decision=f"tenants/default/services/checkout/environments/prod/releases/a/decisions/{'0' * 26}",
        ticket="INC-7",
        reason=REASON,
    )
    for name, value in wrong.items():
        if isinstance(value, Duration):
            request.duration.CopyFrom(value)
        else:
            setattr(request, name, value)
    found = await shop.breaker.refused("CreateOverride", request)
    assert (found.code, found.fields) == ("INVALID_ARGUMENT", (field,))


async def test_an_override_is_announced_at_once(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    before = await alerts(shop)
    with caplog.at_level(logging.WARNING):
        answer = await broken(shop, await released(shop.ci, "1.2.0", CVE_1))
    (line,) = [one for one in caplog.records if getattr(one, "alert", "") == "override"]
    assert line.levelname == "WARNING"
    assert (line.override, line.principal) == (answer.override.name, "user:bree")  # type: ignore[attr-defined]
    assert await alerts(shop) == before + 1
    store = shop.admin.server.store
    entries = await store.read("default", lambda reader: reader.audited_at([answer.revision]))
    assert "CreateOverride" in {one.action for one in entries}
    await reviewed(shop, answer.override.name)


async def test_a_call_that_is_repeated_is_one_override(shop: Shop) -> None:
    blocked = await decided(shop.ci, await released(shop.ci, "1.2.1", CVE_1))
    asked = breaking(blocked, request_id="again")
    before = await alerts(shop)
    first, second = [await shop.breaker("CreateOverride", asked) for _ in range(2)]
    assert first.override == second.override
    assert first.decision == second.decision
    assert await alerts(shop) == before + 1
    await reviewed(shop, first.override.name)


async def alerts(shop: Shop) -> float:
    """Return how many overrides the metrics tell of."""
    port = shop.admin.server.process.http_port
    async with httpx.AsyncClient() as client:
        text = (await client.get(f"http://127.0.0.1:{port}/metrics")).text
    (line,) = [one for one in text.splitlines() if one.startswith("rp_alerts_total{")]
    return float(line.rpartition(" ")[2])


async def test_an_override_is_listed_until_somebody_else_reviewed_it(shop: Shop) -> None:
    made = (await broken(shop, await released(shop.ci, "1.3.0", CVE_1))).override
    asked = override_service_pb2.ListOverridesRequest(service="checkout", environment="prod", unreviewed=True)
    due = (await shop.reviewer("ListOverrides", asked)).overrides
    assert [one.name for one in due] == [made.name]
    assert due[0].review_due_time.ToDatetime() - made.create_time.ToDatetime() == timedelta(hours=48)
    review = override_service_pb2.ReviewOverrideRequest(name=made.name, review=REVIEW)
    assert (await shop.breaker.refused("ReviewOverride", review)).reason == "SELF_APPROVAL"
    done = (await shop.reviewer("ReviewOverride", review)).override
    assert (done.reviewer, done.review) == ("user:rita", REVIEW)
    assert not (await shop.reviewer("ListOverrides", asked)).overrides
    assert (await shop.reviewer.refused("ReviewOverride", review)).reason == "ALREADY_ENDED"
    near = await somebody(shop.admin, "user:near", "admin", services=("billing",))
    assert not (await near("ListOverrides", override_service_pb2.ListOverridesRequest())).overrides


async def test_one_that_nobody_reviewed_in_time_has_the_next_release_approved(shop: Shop) -> None:
    made = (await broken(shop, await released(shop.ci, "1.3.1", CVE_1))).override
    following = await released(shop.ci, "1.3.2")
    assert (await decided(shop.ci, following)).effective_verdict == CANARY
    await backdated(
        shop.admin, Override, made.name, create_time=datetime.now(UTC) - timedelta(hours=48, seconds=1)
    )
    late = await decided(shop.ci, following)
    assert (late.effective_verdict, "OVERRIDE_UNREVIEWED" in reasons(late)) == (ASKS, True)
    await reviewed(shop, made.name)
    assert (await decided(shop.ci, following)).effective_verdict == CANARY


async def test_what_was_done_by_hand_is_recorded_within_a_day_and_opens_nothing(shop: Shop) -> None:
    release = await released(shop.ci, "1.4.0", CVE_1)
    request = override_service_pb2.RecordOverrideRequest(
        release=release,
        principal="user:hand",
        act_time=ahead(hours=-3),
        ticket="INC-7",
        reason=REASON,
        artifact_digests=[digest_of("1.4.0")],
    )
    made = (await shop.breaker("RecordOverride", request)).override
    assert made.retrospective
    assert (made.principal, made.recorder) == ("user:hand", "user:bree")
    assert list(made.artifact_digests) == [digest_of("1.4.0")]
    assert (await decided(shop.ci, release)).effective_verdict == BLOCK
    review = override_service_pb2.ReviewOverrideRequest(name=made.name, review=REVIEW)
    hand = await somebody(shop.admin, "user:hand", "admin")
    for maker in (shop.breaker, hand):
        assert (await maker.refused("ReviewOverride", review)).reason == "SELF_APPROVAL"
    await reviewed(shop, made.name)
    for field, wrong in (("act_time", ahead(hours=-25)), ("act_time", ahead(minutes=5))):
        request.act_time.CopyFrom(wrong)
        assert (await shop.breaker.refused("RecordOverride", request)).fields == (field,)
    request.act_time.CopyFrom(ahead(hours=-1))
    request.artifact_digests[:] = [digest_of("another")]
    assert (await shop.breaker.refused("RecordOverride", request)).fields == ("artifact_digests[0]",)


async def test_a_permit_under_an_override_says_so_and_no_summary_is_issued(shop: Shop) -> None:
    release = await released(shop.ci, "1.5.0", CVE_1)
    answer = await broken(shop, release)
    asked = decision_service_pb2.EvaluateRequest(release=release, target="gate")
    judged = await shop.ci("Evaluate", asked)
    statement = payload(judged.permit)
    assert statement["predicate"]["weakenings"] == ["OVERRIDDEN"]
    exported = await shop.admin("GetPassport", release_service_pb2.GetPassportRequest(name=release))
    assert answer.decision.name in {one.name for one in exported.passport.decisions}
    record = await shop.admin.server.store.read(
        "default", lambda reader: reader.find_decision(answer.decision.name)
    )
    assert record is not None
    assert record.summary == b""
    await reviewed(shop, answer.override.name)


def payload(envelope: bytes) -> dict[str, dict[str, object]]:
    """Return the statement in a signed envelope."""
    from base64 import b64decode

    found: dict[str, dict[str, object]] = json.loads(b64decode(json.loads(envelope)["payload"]))
    return found


async def test_scans_after_the_start_do_not_reopen_what_was_overruled(shop: Shop) -> None:
    release = await released(shop.ci, "1.6.0", CVE_1)
    answer = await broken(shop, release)
    attempt = await started(shop.ci, answer.decision)
    await sampled(shop, attempt, 0.01)
    await scanned(shop.ci, "1.6.0", CVE_1, CVE_2)
    assert (await decided(shop.ci, release)).effective_verdict == CANARY
    await finished(shop.ci, attempt)
    await reviewed(shop, answer.override.name)
