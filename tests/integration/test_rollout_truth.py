"""What a rollout starts on and how it ends is what is true at that moment, and evidence leaves a trace of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
import pytest_asyncio
from sqlalchemy import select

from release_passport.v1 import (
    decision_pb2,
    decision_service_pb2,
    evidence_pb2,
    evidence_service_pb2,
    policy_pb2,
)
from release_passport_server.adapters.sql import tables
from support.server import real_server
from support.story import IMAGE, Story, item, manifests
from support.watch_policy import begun, enforce, exposed, measure, watching

WINDOW = timedelta(hours=1)
ALLOW, CANARY, ASKS, HOLD, BLOCK = 1, 2, 3, 4, 5


@pytest_asyncio.fixture
async def story(tmp_path: Any) -> AsyncIterator[Story]:
    # Nothing is decided here but what somebody asks for.
    async with real_server(tmp_path, worker={"enabled": False}) as server:
        told = Story(server)
        await told.begin()
        yield told


async def test_a_rollout_does_not_start_without_the_limits_of_a_policy_that_came_since(story: Story) -> None:
    decision = await story.decided("1.0.0")
    assert decision.effective_verdict == ALLOW
    need = policy_pb2.Need(kind="manifest_render", sources=["user:*"])
    rule = policy_pb2.Rule(
        rule_id="rendered",
        title="Rendered?",
        needs=[need],
        expect="evidence.manifest_render.object_count > 0",
    )
    await enforce(story, "slowly", rule, canary=policy_pb2.CanaryConstraints(max_weight=10, steps=[5, 10]))
    with pytest.raises(grpc.aio.AioRpcError, match="other findings or limits"):
        await story.start(decision)
    again = (await story.evaluate("1.0.0")).decision
    assert again.effective_verdict == CANARY
    assert (await story.start(again)).ground == again.name


async def test_a_pipeline_that_runs_again_late_asks_people(story: Story) -> None:
    old = await story.decided("1.0.0")
    newer = await story.decided("2.0.0")
    attempt = await story.start(newer)
    again = (await story.evaluate("1.0.0")).decision
    assert (again.effective_verdict, [one.reason for one in again.findings][:1]) == (ASKS, ["OUT_OF_ORDER"])
    assert again.name != old.name
    asked = decision_service_pb2.ExplainDecisionRequest(name=again.name)
    explained = await story.call("DecisionService", "ExplainDecision", asked)
    assert explained.replay == decision_service_pb2.REPLAY_RESULT_SAME
    # Once the newer one was taken back there is nothing to overtake.
    await story.finish(attempt.name, "ROLLED_BACK")
    assert (await story.evaluate("1.0.0")).decision.effective_verdict == ALLOW


async def test_a_rollout_that_brings_other_images_than_its_release_holds(story: Story) -> None:
    attempt = (await story.start(await story.decided("1.0.0"))).name
    reading = await story.somebody("sa:cluster", "connector")
    other = f"sha256:{'e' * 64}"

    async def brought(*images: str) -> decision_pb2.Decision:
        status = evidence_pb2.RolloutStatus(object="eu-1/shop/Canary/checkout", canary_image_digests=images)
        seen = item({"rollout_status": status}, attempt=attempt)
        request = evidence_service_pb2.SubmitEvidenceRequest(evidence=[seen])
        await reading.call("EvidenceService", "SubmitEvidence", request)
        decision: decision_pb2.Decision = (await story.evaluate("1.0.0")).decision
        return decision

    assert (await brought(IMAGE)).effective_verdict == ALLOW
    # The controller went on to something else, or runs something beside it, in the name of this rollout.
    for images in (other,), (IMAGE, other):
        held = await brought(*images)
        (finding,) = (one for one in held.findings if one.reason == "ARTIFACT_NOT_COVERED")
        assert (held.effective_verdict, other in finding.message) == (HOLD, True)
        asked = decision_service_pb2.ExplainDecisionRequest(name=held.name)
        explained = await story.call("DecisionService", "ExplainDecision", asked)
        assert explained.replay == decision_service_pb2.REPLAY_RESULT_SAME
    with pytest.raises(grpc.aio.AioRpcError, match="HOLD now"):
        await story.finish(attempt, "PASSED")
    assert (await brought(IMAGE)).effective_verdict == ALLOW


async def test_a_silence_that_is_younger_than_the_release_is_no_quiet(story: Story) -> None:
    need = policy_pb2.Need(kind="incident_state", sources=["connector:*", "sa:*"])
    rule = policy_pb2.Rule(rule_id="quiet", needs=[need], expect="evidence.incident_state.sev1 == 0")
    await enforce(story, "quiet", rule)
    assert (await story.decided("1.0.0")).effective_verdict == HOLD
    reading = await story.somebody("sa:alerts", "connector")
    place = evidence_pb2.ServiceEnvironment(service="checkout", environment="prod")

    async def silenced(ago: timedelta) -> decision_pb2.Decision:
        state = evidence_pb2.IncidentState(provider="alertmanager", sev1=0, suppressed=1)
        state.newest_silence_time.FromDatetime(datetime.now(UTC) - ago)
        request = evidence_service_pb2.SubmitEvidenceRequest(
            evidence=[item({"incident_state": state}, workload=place)]
        )
        await reading.call("EvidenceService", "SubmitEvidence", request)
        decision: decision_pb2.Decision = (await story.evaluate("1.0.0")).decision
        return decision

    assert (await silenced(timedelta(hours=1))).effective_verdict == ALLOW
    late = await silenced(timedelta(0))
    assert (late.effective_verdict, [one.reason for one in late.findings][:1]) == (
        BLOCK,
        ["EVIDENCE_CONFLICT"],
    )
    asked = decision_service_pb2.ExplainDecisionRequest(name=late.name)
    explained = await story.call("DecisionService", "ExplainDecision", asked)
    assert explained.replay == decision_service_pb2.REPLAY_RESULT_SAME


async def test_a_rollout_without_a_signal_cannot_end_as_passed(story: Story) -> None:
    await enforce(story, "watch", **watching())
    attempt = await story.start(await story.decided("1.0.0"))
    with pytest.raises(grpc.aio.AioRpcError, match="no signal yet"):
        await story.finish(attempt.name, "PASSED")
    await measure(story, attempt.name, 0.01)
    begun(story, attempt.name, WINDOW)
    assert (await story.finish(attempt.name, "PASSED")).HasField("finish_time")


async def test_a_rollout_cannot_end_as_passed_before_its_window_has_passed(story: Story) -> None:
    await enforce(story, "watch", **watching())
    attempt = await story.start(await story.decided("1.0.0"))
    await measure(story, attempt.name, 0.01)
    with pytest.raises(grpc.aio.AioRpcError, match="have it watched until"):
        await story.finish(attempt.name, "PASSED")
    # Nobody looks at exposure: the clock runs from the start.
    begun(story, attempt.name, WINDOW - timedelta(minutes=1))
    with pytest.raises(grpc.aio.AioRpcError, match="have it watched until"):
        await story.finish(attempt.name, "PASSED")
    begun(story, attempt.name, 3 * WINDOW)
    await exposed(story, attempt.name, 5, 2 * WINDOW)
    await exposed(story, attempt.name, 0, WINDOW + timedelta(minutes=5))
    with pytest.raises(grpc.aio.AioRpcError, match="longer than it was exposed"):
        await story.finish(attempt.name, "PASSED")
    await exposed(story, attempt.name, 5, timedelta(minutes=6))
    assert (await story.finish(attempt.name, "PASSED")).HasField("finish_time")


async def test_a_window_does_not_pass_without_the_signal_of_a_required_rule(story: Story) -> None:
    given = watching()
    given["rule"].when = "attempt.number > 1"
    given["watch"].required_rules.append("errors")
    await enforce(story, "watch", **given)
    attempt = await story.start(await story.decided("1.0.0"))
    begun(story, attempt.name, 2 * WINDOW)
    assert (await story.evaluate("1.0.0")).decision.effective_verdict == CANARY
    with pytest.raises(grpc.aio.AioRpcError, match="without a signal of errors"):
        await story.finish(attempt.name, "PASSED")
    await story.finish(attempt.name, "CANCELLED")


async def test_a_signal_from_before_the_exposure_is_none(story: Story) -> None:
    given = watching()
    given["watch"].required_rules.append("errors")
    given["rule"].needs[0].max_age.FromTimedelta(4 * WINDOW)
    await enforce(story, "watch", **given)
    attempt = await story.start(await story.decided("1.0.0"))
    begun(story, attempt.name, 3 * WINDOW)
    # Good as long as it gets no traffic.
    await measure(story, attempt.name, 0.01, 2.5 * WINDOW)
    await exposed(story, attempt.name, 5, 2 * WINDOW)
    assert (await story.evaluate("1.0.0")).decision.effective_verdict == CANARY
    with pytest.raises(grpc.aio.AioRpcError, match="without a signal of errors since it took traffic"):
        await story.finish(attempt.name, "PASSED")
    await measure(story, attempt.name, 0.02)
    assert (await story.finish(attempt.name, "PASSED")).HasField("finish_time")


async def test_a_failing_rollout_cannot_end_as_passed_though_nobody_asked(story: Story) -> None:
    await enforce(story, "watch", **watching())
    attempt = await story.start(await story.decided("1.0.0"))
    await measure(story, attempt.name, 0.5)
    with pytest.raises(grpc.aio.AioRpcError, match="ROLLBACK_RECOMMENDED now"):
        await story.finish(attempt.name, "PASSED")
    assert (await story.finish(attempt.name, "ROLLED_BACK")).HasField("finish_time")


async def test_evidence_that_comes_with_a_question_is_audited(story: Story) -> None:
    await story.decided("1.0.0")
    request = evidence_service_pb2.ListEvidenceRequest(kind="manifest_render")
    (stored,) = (await story.call("EvidenceService", "ListEvidence", request)).evidence
    c = tables.audit.c
    with story.server.store._engine.connect() as connection:
        rows = connection.execute(select(c.action).where(c.subject == stored.name)).all()
    assert [row.action for row in rows] == ["Evaluate"]


async def test_a_subject_and_a_release_narrow_a_list_together(story: Story) -> None:
    decision = await story.decided("1.0.0")
    await story.decided("2.0.0")
    other = evidence_pb2.EvidenceSubject(manifest_digest=manifests("2.0.0"))
    request = evidence_service_pb2.ListEvidenceRequest(release=decision.release, subject=other)
    assert not (await story.call("EvidenceService", "ListEvidence", request)).evidence
    request.subject.manifest_digest = manifests("1.0.0")
    assert len((await story.call("EvidenceService", "ListEvidence", request)).evidence) == 1
