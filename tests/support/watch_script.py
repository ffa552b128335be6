"""What a watcher's stream may say, and what of it was told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from release_passport.errors import PassportAPIError
from release_passport.v1 import decision_service_pb2 as pb
from release_passport.v1 import verdict_pb2, watch_pb2
from release_passport.watching import Update

NOW = datetime(2026, 11, 1, tzinfo=UTC)
ALLOW, BLOCK, HOLD = verdict_pb2.VERDICT_ALLOW, verdict_pb2.VERDICT_BLOCK, verdict_pb2.VERDICT_HOLD
GONE = PassportAPIError("UNAVAILABLE", "gone")


def told(token: str, release: str = "a", verdict: int = ALLOW, kind: int = 2, revision: int = 1) -> Any:
    message = pb.WatchDecisionResponse(resume_token=token, revision=revision)
    message.decision.kind = kind  # type: ignore[assignment]
    message.decision.decision.release = release
    message.decision.decision.effective_verdict = verdict  # type: ignore[assignment]
    message.decision.decision.valid_until.FromDatetime(NOW + timedelta(minutes=10))
    message.heartbeat_interval.seconds = 5
    return message


def goodbye(token: str) -> Any:
    message = pb.WatchDecisionResponse(resume_token=token, revision=9)
    message.goodbye.reason = watch_pb2.GOODBYE_REASON_DRAINING
    message.goodbye.reconnect_after.FromTimedelta(timedelta(milliseconds=1))
    return message


def releases(updates: list[Update]) -> list[str]:
    return [one.decision.release for one in updates if one.decision is not None]
