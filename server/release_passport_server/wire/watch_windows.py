"""Watch windows as messages."""

from __future__ import annotations

from release_passport.v1 import watch_window_pb2 as pb
from release_passport.v1 import watch_window_service_pb2 as service_pb
from release_passport.v1.evidence_pb2 import RollbackReadiness
from release_passport_server.domain.access import Principal, same_tenant
from release_passport_server.domain.adoption import Adoption
from release_passport_server.domain.errors import Violation, invalid
from release_passport_server.domain.etags import adoption_etag
from release_passport_server.domain.ids import AttemptName
from release_passport_server.domain.watch_window import BY_HAND, Acknowledgement, WatchWindow, window_name
from release_passport_server.wire.enums import verdict_to_proto
from release_passport_server.wire.fields import every_violation, refuse, text_violations
from release_passport_server.wire.release import latch_to_proto
from release_passport_server.wire.times import duration, timestamp

MIN_REASON = 20
MAX_REASON = 1024
MAX_ETAG = 64


def name_of(principal: Principal, text: str) -> AttemptName:
    """Return the attempt of a window in the caller's tenant; raise Invalid or NotFound."""
    name = window_name(text)
    same_tenant(principal, name.release.tenant)
    return name


def acknowledged(
    principal: Principal, request: service_pb.AcknowledgeWatchWindowRequest
) -> tuple[AttemptName, str]:
    """Return which window, and why; raise Invalid or NotFound."""
    with every_violation(lambda: name_of(principal, request.name), lambda: _reason(request.reason)):
        return name_of(principal, request.name), _reason(request.reason)


def closed(principal: Principal, request: service_pb.CloseWatchWindowRequest) -> tuple[AttemptName, str, str]:
    """Return which window, how it ended and why; raise Invalid or NotFound."""
    with every_violation(
        lambda: name_of(principal, request.name),
        lambda: _outcome(request.outcome),
        lambda: _reason(request.reason),
    ):
        return name_of(principal, request.name), _outcome(request.outcome), _reason(request.reason)


def adopted(principal: Principal, request: service_pb.AdoptPoliciesRequest) -> tuple[AttemptName, str, str]:
    """Return which window, why, and the etag; raise Invalid or NotFound."""
    with every_violation(
        lambda: name_of(principal, request.name),
        lambda: _reason(request.reason),
        lambda: refuse(list(text_violations(request.etag, "etag", most=MAX_ETAG, least=1))),
    ):
        return name_of(principal, request.name), _reason(request.reason), request.etag


def adoption_to_proto(
    window: WatchWindow, found: Adoption, revision: int
) -> service_pb.AdoptPoliciesResponse:
    """Return what it changes, or changed, that the policies of now judge a rollout."""
    return service_pb.AdoptPoliciesResponse(
        window=window_to_proto(window),
        changes=[
            service_pb.AdoptedPolicy(
                policy_id=one.policy_id, revision_before=one.before, revision_after=one.after
            )
            for one in found.changes
        ],
        verdict_before=verdict_to_proto(found.before),
        verdict_after=verdict_to_proto(found.after),
        reasons=found.reasons,
        etag=adoption_etag(found),
        revision=revision,
    )


def _reason(text: str) -> str:
    refuse(list(text_violations(text, "reason", most=MAX_REASON, least=MIN_REASON)))
    return text


def _outcome(given: int) -> str:
    states = {pb.WatchWindowState.Value(f"WATCH_WINDOW_STATE_{one}"): one.value for one in BY_HAND}
    if given not in states:
        raise invalid([Violation("outcome", "must be ROLLED_BACK, FAILED or CANCELLED")])
    return states[given]


def window_to_proto(window: WatchWindow) -> pb.WatchWindow:
    """Return the resource that shows a window."""
    attempt = window.attempt
    release = attempt.name.partition("/attempts/")[0]
    message = pb.WatchWindow(
        name=window.name,
        release=release,
        state=f"WATCH_WINDOW_STATE_{window.state}",
        ground=attempt.ground,
        decision=window.decision,
        effective_verdict=verdict_to_proto(window.effective_verdict),
        duration=duration(window.duration),
        max_weight=window.max_weight,
        steps=window.steps,
        arm_time=timestamp(attempt.start_time),
        reason=attempt.reason,
        rollback_target=window.rollback_target,
        paused=window.is_paused,
        policies=[f"{policy}@{revision}" for policy, revision in attempt.policies or ()],
        latches=[latch_to_proto(one, window.release_digest) for one in window.latches],
        acknowledgements=[_acknowledgement(one) for one in window.acknowledgements],
    )
    readiness = window.readiness
    if readiness is not None and isinstance(readiness.facts, RollbackReadiness):
        message.rollback_readiness.CopyFrom(readiness.facts)
        message.rollback_readiness_time.CopyFrom(timestamp(readiness.observe_time))
    times = {
        "open_time": window.open_time,
        "pass_time": window.pass_time,
        "expire_time": window.expire_time,
        "close_time": attempt.finish_time,
    }
    for field, time in times.items():
        if time is not None:
            getattr(message, field).CopyFrom(timestamp(time))
    return message


def _acknowledgement(one: Acknowledgement) -> pb.LatchAcknowledgement:
    environment = one.name.partition("/releases/")[0]
    return pb.LatchAcknowledgement(
        principal=one.principal,
        reason=one.reason,
        acknowledge_time=timestamp(one.time),
        latches=[f"{environment}/latches/{latch}" for latch in one.latches],
        decision=one.decision,
    )
