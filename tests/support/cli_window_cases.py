"""The commands about watch windows and dead jobs, each with the RPC that it is for and an answer of it."""

from __future__ import annotations

from google.protobuf.message import Message

from release_passport.v1 import job_service_pb2, latch_pb2, watch_window_pb2
from release_passport.v1 import watch_window_service_pb2 as pb
from support.decisions import RELEASE

A_WINDOW = watch_window_pb2.WatchWindow(
    name=f"{RELEASE}/attempts/1/watchWindow",
    release=RELEASE,
    state="WATCH_WINDOW_STATE_LATCHED",
    ground=f"{RELEASE}/decisions/01H",
    rollback_target="1.0.0",
    latches=[latch_pb2.Latch(policy="base", rule="errors", reason="ROLLBACK_RECOMMENDED")],
    acknowledgements=[
        watch_window_pb2.LatchAcknowledgement(principal="user:ann", reason="the probe was wrong")
    ],
)
_ATTEMPT = f"{RELEASE}/attempts/1"
_REASON = "the probe was wrong, see the incident"

WINDOWS: list[tuple[tuple[str, ...], str, Message, str]] = [
    (("window", "list"), "ListWatchWindows", pb.ListWatchWindowsResponse(windows=[A_WINDOW]), "1.4.2"),
    (
        ("window", "show", _ATTEMPT),
        "GetWatchWindow",
        pb.GetWatchWindowResponse(window=A_WINDOW),
        "errors",
    ),
    (
        ("window", "acknowledge", _ATTEMPT, "--reason", _REASON),
        "AcknowledgeWatchWindow",
        pb.AcknowledgeWatchWindowResponse(window=A_WINDOW),
        "user:ann",
    ),
    (
        ("window", "close", _ATTEMPT, "--outcome", "failed", "--reason", _REASON),
        "CloseWatchWindow",
        pb.CloseWatchWindowResponse(window=A_WINDOW),
        "1.0.0",
    ),
    (
        ("window", "adopt-policies", _ATTEMPT, "--dry-run"),
        "AdoptPolicies",
        pb.AdoptPoliciesResponse(
            window=A_WINDOW,
            changes=[pb.AdoptedPolicy(policy_id="base", revision_before=3, revision_after=4)],
            verdict_before="VERDICT_ALLOW",
            verdict_after="VERDICT_HOLD",
            reasons=["EVIDENCE_MISSING"],
        ),
        "EVIDENCE_MISSING",
    ),
    (
        ("job", "list"),
        "ListDeadJobs",
        job_service_pb2.ListDeadJobsResponse(
            jobs=[job_service_pb2.DeadJob(kind="notify", key="one", attempts=9, error="it answered 500")]
        ),
        "it answered 500",
    ),
    (
        ("job", "retry", "notify", "one"),
        "RetryDeadJob",
        job_service_pb2.RetryDeadJobResponse(revision=7),
        "",
    ),
    (
        ("job", "discard", "notify", "one", "--reason", _REASON),
        "DiscardDeadJob",
        job_service_pb2.DiscardDeadJobResponse(revision=7),
        "",
    ),
]
