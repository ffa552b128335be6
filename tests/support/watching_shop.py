"""A policy that watches one signal of a rollout, and the samples of that signal."""

from __future__ import annotations

from datetime import timedelta

from release_passport.v1 import evidence_pb2, evidence_service_pb2, policy_pb2, policy_service_pb2
from support.calls import Caller
from support.requests import ahead

WATCHER = "watch-errors"


async def watched(admin: Caller, *, window: timedelta = timedelta(0)) -> None:
    """Enforce a policy that recommends a rollback at the first sample of two errors in a hundred or more."""
    need = policy_pb2.Need(kind="metric_sample", keys=["error_rate"], sources=["user:*"])
    need.max_age.FromTimedelta(timedelta(minutes=2))
    rule = policy_pb2.Rule(
        rule_id="few-errors",
        title="Few errors?",
        stages=["STAGE_WATCH"],
        needs=[need],
        expect="evidence.metric_sample.value < 0.02",
        on_fail="VERDICT_ROLLBACK_RECOMMENDED",
        failures=1,
        message="'too many errors'",
        next_action="Roll back.",
    )
    spec = policy_pb2.PolicySpec(title="Few errors", mode="POLICY_MODE_ENFORCE", rules=[rule])
    if window:
        spec.watch.duration.FromTimedelta(window)
        spec.watch.grace_period.FromTimedelta(timedelta(0))
    policy = policy_pb2.Policy(policy_id=WATCHER, spec=spec)
    await admin("CreatePolicy", policy_service_pb2.CreatePolicyRequest(policy=policy))


async def sampled(admin: Caller, attempt: str, errors: float) -> None:
    """Submit a sample of the rollout's error rate."""
    sample = evidence_pb2.MetricSample(name="error_rate", query_id="error_rate", value=errors, samples=100)
    item = evidence_pb2.EvidenceInput(
        subject=evidence_pb2.EvidenceSubject(attempt=attempt),
        facts=evidence_pb2.EvidenceFacts(metric_sample=sample),
        observe_time=ahead(),
    )
    await admin("SubmitEvidence", evidence_service_pb2.SubmitEvidenceRequest(evidence=[item]))
