"""A policy that watches the error rate of rollouts, and samples of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf.duration_pb2 import Duration
from sqlalchemy import update

from release_passport.v1 import (
    evidence_pb2,
    evidence_service_pb2,
    policy_pb2,
    policy_service_pb2,
    verdict_pb2,
)
from release_passport_server.adapters.sql import tables
from support.story import Story, item


async def enforce(story: Story, policy_id: str, rule: policy_pb2.Rule, **more: Any) -> None:
    """Enforce a policy of one rule."""
    spec = policy_pb2.PolicySpec(title=policy_id, mode=verdict_pb2.POLICY_MODE_ENFORCE, rules=[rule], **more)
    policy = policy_pb2.Policy(policy_id=policy_id, spec=spec)
    request = policy_service_pb2.CreatePolicyRequest(policy=policy)
    await story.call("PolicyService", "CreatePolicy", request)


def watching() -> dict[str, Any]:
    """Return a rule over error rates in a watch window of an hour, with ten minutes until the first signal."""
    need = policy_pb2.Need(kind="metric_sample", keys=["errors"], sources=["user:*"])
    rule = policy_pb2.Rule(
        rule_id="errors",
        title="Few errors?",
        stages=[verdict_pb2.STAGE_WATCH],
        needs=[need],
        expect="evidence.metric_sample.value < 0.1",
        failures=1,
    )
    window = policy_pb2.WatchRequirement(
        duration=Duration(seconds=3600), grace_period=Duration(seconds=600), interval=Duration(seconds=30)
    )
    return {"rule": rule, "watch": window}


async def measure(story: Story, attempt: str, value: float, ago: timedelta = timedelta(0)) -> None:
    """Send one sample of the error rate of an attempt, taken a while ago."""
    sample = evidence_pb2.MetricSample(name="errors", value=value)
    taken = item({"metric_sample": sample}, attempt=attempt)
    if ago:
        taken.observe_time.FromDatetime(datetime.now(UTC) - ago)
    request = evidence_service_pb2.SubmitEvidenceRequest(evidence=[taken])
    await story.call("EvidenceService", "SubmitEvidence", request)


def begun(story: Story, attempt: str, ago: timedelta) -> None:
    """Let a rollout have begun a while ago."""
    c = tables.attempts.c
    with story.server.store._engine.begin() as connection:
        changed = update(tables.attempts).where(c.name == attempt).values(start_time=datetime.now(UTC) - ago)
        assert connection.execute(changed).rowcount == 1


async def exposed(story: Story, attempt: str, weight: int, ago: timedelta = timedelta(0)) -> None:
    """Let somebody have seen the weight of a rollout a while ago."""
    status = evidence_pb2.RolloutStatus(object="eu-1/shop/Rollout/checkout", weight=weight)
    seen = item({"rollout_status": status}, attempt=attempt)
    seen.observe_time.FromDatetime(datetime.now(UTC) - ago)
    reading = await story.somebody("sa:cluster", "connector")
    request = evidence_service_pb2.SubmitEvidenceRequest(evidence=[seen])
    await reading.call("EvidenceService", "SubmitEvidence", request)
