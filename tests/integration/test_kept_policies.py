"""A rollout under way is judged by the policies that it began with, until somebody has it judged by those of now."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import grpc
import pytest
import pytest_asyncio
from sqlalchemy import select, update

from release_passport.v1 import (
    catalog_service_pb2,
    decision_pb2,
    decision_service_pb2,
    policy_pb2,
    policy_service_pb2,
)
from release_passport.v1 import watch_window_service_pb2 as pb
from release_passport_server.adapters.sql import tables
from support.server import real_server
from support.story import Story
from support.watch_policy import enforce, exposed, measure, watching

CANARY, HOLD, ROLLBACK = 2, 4, 6
REASON = "the threshold was wrong, see the incident"
NAME = "tenants/default/policies/watch"


@pytest_asyncio.fixture
async def story(tmp_path: Any) -> AsyncIterator[Story]:
    async with real_server(tmp_path, worker={"enabled": False}) as server:
        told = Story(server)
        await told.begin()
        yield told


async def changed(story: Story, expect: str, **rule: Any) -> None:
    """Replace what the policy that watches expects."""
    get = policy_service_pb2.GetPolicyRequest(name=NAME)
    policy: policy_pb2.Policy = (await story.call("PolicyService", "GetPolicy", get)).policy
    policy.spec.rules[0].expect = expect
    for field, value in rule.items():
        setattr(policy.spec.rules[0], field, value)
    await story.call("PolicyService", "UpdatePolicy", policy_service_pb2.UpdatePolicyRequest(policy=policy))


async def rolling(story: Story, value: float = 0.01) -> str:
    """Return an attempt that is under way and looks good."""
    attempt = (await story.start(await story.decided("1.0.0"))).name
    await exposed(story, attempt, 5)
    await measure(story, attempt, value)
    return attempt


async def judged(story: Story) -> decision_pb2.Decision:
    answer: decision_service_pb2.EvaluateResponse = await story.evaluate("1.0.0")
    return answer.decision


async def adopt(story: Story, attempt: str, **given: Any) -> pb.AdoptPoliciesResponse:
    request = pb.AdoptPoliciesRequest(name=f"{attempt}/watchWindow", **given)
    answer: pb.AdoptPoliciesResponse = await story.call("WatchWindowService", "AdoptPolicies", request)
    return answer


async def adopted(story: Story, attempt: str) -> pb.AdoptPoliciesResponse:
    """Return the answer to having an attempt judged by what was shown of the policies of now."""
    shown = await adopt(story, attempt, validate_only=True)
    return await adopt(story, attempt, reason=REASON, etag=shown.etag)


async def replayed(story: Story, decision: decision_pb2.Decision) -> bool:
    asked = decision_service_pb2.ExplainDecisionRequest(name=decision.name)
    explained = await story.call("DecisionService", "ExplainDecision", asked)
    return bool(explained.replay == decision_service_pb2.REPLAY_RESULT_SAME)


async def test_a_policy_that_is_wrong_condemns_nothing_that_is_under_way(story: Story) -> None:
    await enforce(story, "watch", **watching())
    attempt = await rolling(story)
    await changed(story, "evidence.metric_sample.value > 0.1")
    held = await judged(story)
    assert held.effective_verdict == CANARY
    assert [(one.policy, one.revision) for one in held.policy_results if one.policy == "watch"] == [
        ("watch", 1)
    ]
    assert await replayed(story, held)
    # Neither does it let go what the policy from before condemns.
    await measure(story, attempt, 0.5)
    assert (await judged(story)).effective_verdict == ROLLBACK
    await story.finish(attempt, "FAILED")
    # The next rollout begins with the policy of now.
    again = await story.decided("2.0.0")
    assert ("watch", 2) in {(one.policy, one.revision) for one in again.policy_results}


async def test_a_policy_that_is_deleted_goes_on_watching_what_it_began_with(story: Story) -> None:
    await enforce(story, "watch", **watching())
    attempt = await rolling(story)
    get = policy_service_pb2.GetPolicyRequest(name=NAME)
    policy = (await story.call("PolicyService", "GetPolicy", get)).policy
    gone = policy_service_pb2.DeletePolicyRequest(name=NAME, etag=policy.etag)
    await story.call("PolicyService", "DeletePolicy", gone)
    await measure(story, attempt, 0.5)
    assert (await judged(story)).effective_verdict == ROLLBACK


async def test_what_an_environment_comes_to_require_is_asked_of_the_next_rollout(story: Story) -> None:
    await enforce(story, "watch", **watching())
    await rolling(story)
    rule = watching()["rule"]
    rule.rule_id, rule.stages[:] = "late", ["STAGE_PRE_ROLLOUT"]
    rule.needs[0].max_age.FromTimedelta(timedelta(minutes=5))
    await enforce(story, "late", rule)
    get = catalog_service_pb2.GetEnvironmentRequest(name="tenants/default/environments/prod")
    environment = (await story.call("CatalogService", "GetEnvironment", get)).environment
    environment.required_policies.append("late")
    changed = catalog_service_pb2.UpdateEnvironmentRequest(environment=environment)
    await story.call("CatalogService", "UpdateEnvironment", changed)
    seen = await judged(story)
    assert seen.effective_verdict == CANARY
    assert await replayed(story, seen)


async def test_it_is_shown_what_the_policies_of_now_would_say_before_they_do(story: Story) -> None:
    await enforce(story, "watch", **watching())
    attempt = await rolling(story, 0.05)
    await changed(story, "evidence.metric_sample.value < 0.02", failures=1)
    before = await judged(story)
    shown = await adopt(story, attempt, validate_only=True)
    (change,) = shown.changes
    assert (change.policy_id, change.revision_before, change.revision_after) == ("watch", 1, 2)
    assert (shown.verdict_before, shown.verdict_after) == (CANARY, ROLLBACK)
    assert "EXPECTATION_FAILED" in shown.reasons
    assert "watch@1" in shown.window.policies
    assert await judged(story) == before
    done = await adopt(story, attempt, reason=REASON, etag=shown.etag)
    assert (list(done.changes), done.revision > 0) == ([change], True)
    assert {"watch@2", "watch@1"} & set(done.window.policies) == {"watch@2"}
    after = await judged(story)
    assert after.effective_verdict == ROLLBACK
    assert await replayed(story, after)
    c = tables.audit.c
    with story.server.store._engine.connect() as connection:
        assert len(connection.execute(select(c.subject).where(c.action == "AdoptPolicies")).all()) == 1


async def test_what_latched_stands_whatever_policies_are_adopted(story: Story) -> None:
    await enforce(story, "watch", **watching())
    attempt = await rolling(story, 0.5)
    assert (await judged(story)).effective_verdict == ROLLBACK
    await changed(story, "evidence.metric_sample.value < 0.9")
    assert (await adopted(story, attempt)).verdict_after == ROLLBACK
    assert (await judged(story)).effective_verdict == ROLLBACK


async def test_what_was_not_shown_is_not_adopted(story: Story) -> None:
    await enforce(story, "watch", **watching())
    attempt = await rolling(story)
    await changed(story, "evidence.metric_sample.value < 0.2")
    shown = await adopt(story, attempt, validate_only=True)
    await changed(story, "evidence.metric_sample.value < 0.9")
    with pytest.raises(grpc.aio.AioRpcError, match="was changed since it was read"):
        await adopt(story, attempt, reason=REASON, etag=shown.etag)
    await adopted(story, attempt)
    with pytest.raises(grpc.aio.AioRpcError, match="is judged by the policies as they are now"):
        await adopted(story, attempt)
    await story.finish(attempt, "FAILED")
    with pytest.raises(grpc.aio.AioRpcError, match="ended as FAILED before"):
        await adopt(story, attempt, validate_only=True)


async def test_an_equal_request_is_adopted_once(story: Story) -> None:
    await enforce(story, "watch", **watching())
    attempt = await rolling(story)
    await changed(story, "evidence.metric_sample.value < 0.2")
    etag = (await adopt(story, attempt, validate_only=True)).etag
    first, second = [
        await adopt(story, attempt, reason=REASON, etag=etag, request_id="one") for _ in range(2)
    ]
    assert (len(first.changes), len(second.changes)) == (1, 0)
    assert first.window.policies == second.window.policies


async def test_as_many_observations_are_read_as_the_policies_of_a_rollout_look_back_on(story: Story) -> None:
    given = watching()
    given["rule"].failures = 3
    await enforce(story, "watch", **given)
    attempt = await rolling(story)
    # No policy of now looks back.
    await changed(story, "evidence.metric_sample.value < 0.1", failures=1)
    for number in range(3):
        await measure(story, attempt, 0.5 + number / 100)
        expected = ROLLBACK if number == 2 else CANARY
        assert (await judged(story)).effective_verdict == expected


async def test_a_rollout_of_before_is_judged_by_the_policies_of_now(story: Story) -> None:
    await enforce(story, "watch", **watching())
    attempt = await rolling(story, 0.05)
    c = tables.attempts.c
    with story.server.store._engine.begin() as connection:
        connection.execute(update(tables.attempts).where(c.name == attempt).values(policies=None))
    await changed(story, "evidence.metric_sample.value < 0.02", failures=1)
    assert (await judged(story)).effective_verdict == ROLLBACK


async def test_a_supposed_policy_is_tried_beside_those_of_the_rollout(story: Story) -> None:
    await enforce(story, "watch", **watching())
    await rolling(story, 0.05)
    await changed(story, "evidence.metric_sample.value < 0.02", failures=1)
    request = decision_service_pb2.SimulateDecisionRequest(
        release="tenants/default/services/checkout/environments/prod/releases/1.0.0"
    )
    as_is = await story.call("DecisionService", "SimulateDecision", request)
    assert as_is.decision.effective_verdict == CANARY
    spec = policy_pb2.PolicySpec(mode="POLICY_MODE_ENFORCE", rules=[watching()["rule"]])
    spec.rules[0].expect = "evidence.metric_sample.value < 0.03"
    request.policies.append(policy_pb2.Policy(policy_id="watch", spec=spec))
    supposed = await story.call("DecisionService", "SimulateDecision", request)
    assert supposed.decision.effective_verdict == ROLLBACK
