"""The domain's enums as the contract's; both have the same numbers."""

from __future__ import annotations

from typing import cast

from release_passport.v1 import decision_service_pb2, verdict_pb2
from release_passport_server.domain.verdict import Mode, Stage, Verdict

_VERDICTS = {verdict: cast("verdict_pb2.Verdict", int(verdict)) for verdict in Verdict}
_MODES = {mode: cast("verdict_pb2.PolicyMode", int(mode)) for mode in Mode}


def verdict_to_proto(verdict: Verdict | None) -> verdict_pb2.Verdict:
    """Return a verdict, or UNSPECIFIED for none."""
    return verdict_pb2.VERDICT_UNSPECIFIED if verdict is None else _VERDICTS[verdict]


def stage_to_proto(stage: Stage) -> verdict_pb2.Stage:
    """Return a stage."""
    return cast("verdict_pb2.Stage", int(stage))


def mode_to_proto(mode: Mode) -> verdict_pb2.PolicyMode:
    """Return a policy's mode."""
    return _MODES[mode]


def replay_to_proto(result: str) -> decision_service_pb2.ReplayResult:
    """Return how a replay compares, by its name."""
    value = decision_service_pb2.ReplayResult.Value(f"REPLAY_RESULT_{result}")
    return cast("decision_service_pb2.ReplayResult", value)
