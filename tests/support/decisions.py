"""Decisions as a server would answer them, for the tests of clients."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from release_passport.v1 import decision_pb2, decision_service_pb2, verdict_pb2

RELEASE = "tenants/acme/services/checkout/environments/prod/releases/1.4.2"
DIGEST = f"sha256:{'1' * 64}"


def decision(
    verdict: int = verdict_pb2.VERDICT_ALLOW, *, valid_for: float | None = 900, **changes: Any
) -> decision_pb2.Decision:
    """Return a recorded decision with this effective verdict."""
    now = datetime.now(UTC)
    found = decision_pb2.Decision(
        name=f"{RELEASE}/decisions/01HZX3M5Q6T7V8W9YABCDEFGHJ",
        release=RELEASE,
        stage=verdict_pb2.STAGE_PRE_ROLLOUT,
        verdict=verdict,  # type: ignore[arg-type]  # Tests also send values that the contract does not know.
        effective_verdict=verdict,  # type: ignore[arg-type]
        decide_time=now,
        findings=[finding(verdict)],
        policy_results=[
            decision_pb2.PolicyResult(
                policy="baseline",
                revision=3,
                mode=verdict_pb2.POLICY_MODE_ENFORCE,
                verdict=verdict_pb2.VERDICT_ALLOW,
            )
        ],
    )
    if valid_for is not None:
        found.valid_until.FromDatetime(now + timedelta(seconds=valid_for))
    found.MergeFrom(decision_pb2.Decision(**changes))
    return found


def finding(verdict: int, **changes: Any) -> decision_pb2.Finding:
    """Return the finding of one enforced rule."""
    passing = verdict in {verdict_pb2.VERDICT_ALLOW, verdict_pb2.VERDICT_ALLOW_WITH_CANARY}
    found = decision_pb2.Finding(
        policy="baseline",
        rule="tests-pass",
        title="Did the tests pass?",
        verdict=verdict,  # type: ignore[arg-type]
        reason="PASSED" if passing else "EVIDENCE_MISSING",
        message="" if passing else "no test result for the source revision",
        next_action="" if passing else "Run the tests and submit their result.",
        who_can_act=[] if passing else ["sa:ci"],
        mode=verdict_pb2.POLICY_MODE_ENFORCE,
    )
    found.MergeFrom(decision_pb2.Finding(**changes))
    return found


def evaluated(
    verdict: int = verdict_pb2.VERDICT_ALLOW, **changes: Any
) -> decision_service_pb2.EvaluateResponse:
    """Return the answer of Evaluate with such a decision."""
    replayed = changes.pop("replayed", False)
    return decision_service_pb2.EvaluateResponse(
        decision=decision(verdict, **changes), revision=7, replayed=replayed
    )
