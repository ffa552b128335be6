"""Streams of decisions: requests, messages, and the token that a stream is resumed with.

A token says where to go on and nothing else. It grants nothing, because every stream is authorised anew, so it carries
no signature and works on every server of the store: 1 byte version, 16 bytes of the SHA-256 of tenant and
subscriptions, 4 bytes epoch, 8 bytes revision, 8 bytes check of the revision, all big-endian, as base64url without
padding. The token of a snapshot that is not complete has revision 0: the snapshot begins anew.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import struct
from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import lru_cache
from types import MappingProxyType

from google.protobuf.duration_pb2 import Duration

from release_passport.v1 import decision_service_pb2 as pb
from release_passport.v1 import watch_pb2
from release_passport_server.domain.access import Principal, same_tenant
from release_passport_server.domain.canonical import canonical
from release_passport_server.domain.errors import Invalid, Violation, invalid
from release_passport_server.domain.watch import (
    MOST_SUBSCRIPTIONS,
    DecisionChange,
    Farewell,
    Happening,
    Mark,
    Subscription,
    Told,
    WatchCommand,
    Watched,
)
from release_passport_server.wire.commands import release_name
from release_passport_server.wire.decision import decision_from_body
from release_passport_server.wire.fields import every_violation, glob_violations, refuse
from release_passport_server.wire.times import timestamp

LEAST_HEARTBEAT = 5.0
MOST_HEARTBEAT = 60.0
USUAL_HEARTBEAT = 15.0
MOST_TOKEN = 128

_CLIENT = re.compile(r"[!-~]{0,128}")
_VERSION = 1
_TOKEN = struct.Struct(">B16sIq8s")
_KINDS: Mapping[Happening, watch_pb2.DecisionEventKind] = MappingProxyType(
    {
        Happening.STOOD: watch_pb2.DECISION_EVENT_KIND_SNAPSHOT,
        Happening.CHANGED: watch_pb2.DECISION_EVENT_KIND_CHANGED,
        Happening.RENEWED: watch_pb2.DECISION_EVENT_KIND_RENEWED,
        Happening.EXPIRED: watch_pb2.DECISION_EVENT_KIND_EXPIRED,
    }
)
_GOODBYES: Mapping[Farewell, watch_pb2.GoodbyeReason] = MappingProxyType(
    {
        Farewell.DRAINING: watch_pb2.GOODBYE_REASON_DRAINING,
        Farewell.REBALANCE: watch_pb2.GOODBYE_REASON_REBALANCE,
        Farewell.AUTH_EXPIRED: watch_pb2.GOODBYE_REASON_AUTH_EXPIRED,
    }
)


def command_of(principal: Principal, request: pb.WatchDecisionRequest) -> WatchCommand:
    """Return what a request asks for; raise Invalid, or NotFound for another tenant."""
    same_tenant(principal, request.tenant)
    with every_violation(
        lambda: _watched(principal, request),
        lambda: _token(request.resume_token),
        lambda: _choices(request),
    ):
        watched, token = _watched(principal, request), _token(request.resume_token)
        _choices(request)
    mark = None if token is None else _own_mark(token, _binding(principal, watched))
    return WatchCommand(
        principal,
        watched,
        # A snapshot that was not complete begins anew.
        resume=mark if mark is not None and mark.revision else None,
        snapshot=mark is not None or request.initial_state != watch_pb2.INITIAL_STATE_NONE,
        every=request.delivery == watch_pb2.DELIVERY_EVERY,
        heartbeat_seconds=_heartbeat(request),
        min_revision=request.min_revision,
        client_id=request.client_id,
    )


class Messages:
    """Makes the messages of one stream."""

    def __init__(self, command: WatchCommand) -> None:
        self._binding = _binding(command.principal, command.watched)
        self._interval = Duration()
        self._interval.FromTimedelta(timedelta(seconds=command.heartbeat_seconds))

    def message(self, told: Told) -> pb.WatchDecisionResponse:
        """Return what is sent."""
        # What happened is put into bytes once for all streams.
        message = pb.WatchDecisionResponse.FromString(b"" if told.change is None else _event(told.change))
        message.resume_token = self._token(told.mark or Mark(0, 0, b""))
        message.revision = told.revision
        message.heartbeat_interval.CopyFrom(self._interval)
        if told.change is not None:
            return message
        if told.snapshot is not None:
            message.snapshot_end.decisions = told.snapshot
        elif told.farewell is not None:
            message.goodbye.reason = _GOODBYES[told.farewell]
            message.goodbye.reconnect_after.FromTimedelta(timedelta(seconds=told.reconnect_seconds))
        elif told.heartbeat is not None:
            message.heartbeat.server_time.CopyFrom(timestamp(told.heartbeat))
        return message

    def _token(self, mark: Mark) -> str:
        content = _TOKEN.pack(_VERSION, self._binding, mark.epoch, mark.revision, mark.check)
        return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


@lru_cache(maxsize=256)
def _event(change: DecisionChange) -> bytes:
    """Return the part of a message that tells of a change."""
    event = watch_pb2.DecisionEvent(kind=_KINDS[change.happening], index=change.index)
    event.decision.CopyFrom(decision_from_body(change.body))
    return pb.WatchDecisionResponse(decision=event).SerializeToString()


def _watched(principal: Principal, request: pb.WatchDecisionRequest) -> Watched:
    given = request.subscriptions
    if len(given) > MOST_SUBSCRIPTIONS:
        text = f"must be at most {MOST_SUBSCRIPTIONS}: watch services and environments by globs"
        raise invalid([Violation("subscriptions", text)])
    refuse(
        [one for number, each in enumerate(given) for one in _violations(each, f"subscriptions[{number}]")]
    )
    for number, each in enumerate(given):
        if each.release:
            release_name(principal, each.release, field=f"subscriptions[{number}].release")
    subscriptions = dict.fromkeys(
        Subscription(each.release)
        if each.release
        else Subscription("", each.service or "*", each.environment or "*")
        for each in given
    )
    return Watched(tuple(subscriptions) or (Subscription(),))


def _violations(given: watch_pb2.Subscription, path: str) -> Iterator[Violation]:
    if given.release and (given.service or given.environment):
        yield Violation(path, "names a release and a place: give one of them")
    for field, glob in (("service", given.service), ("environment", given.environment)):
        for one in glob_violations([glob] if glob else [], field):
            yield Violation(f"{path}.{field}", one.description)


def _choices(request: pb.WatchDecisionRequest) -> None:
    violations = []
    if request.initial_state not in watch_pb2.InitialState.values():
        violations.append(Violation("initial_state", "must be SNAPSHOT or NONE"))
    if request.delivery not in watch_pb2.Delivery.values():
        violations.append(Violation("delivery", "must be LATEST or EVERY"))
    if not _CLIENT.fullmatch(request.client_id):
        violations.append(Violation("client_id", "must be up to 128 visible ASCII characters"))
    if request.min_revision < 0:
        violations.append(Violation("min_revision", "must not be negative"))
    refuse(violations)


def _heartbeat(request: pb.WatchDecisionRequest) -> float:
    if not request.HasField("heartbeat_interval"):
        return USUAL_HEARTBEAT
    return min(MOST_HEARTBEAT, max(LEAST_HEARTBEAT, float(request.heartbeat_interval.seconds)))


def _token(text: str) -> tuple[bytes, Mark] | None:
    """Return what a resume token is bound to and its mark; None where there is none."""
    if not text:
        return None
    try:
        version, binding, epoch, revision, check = _TOKEN.unpack(_decoded(text))
    except (binascii.Error, ValueError, struct.error):
        raise invalid([Violation("resume_token", "is not a token of a stream: begin without it")]) from None
    if version != _VERSION or revision < 0:
        raise invalid([Violation("resume_token", "is not a token of this version: begin without it")])
    return binding, Mark(epoch, revision, check)


def _own_mark(token: tuple[bytes, Mark], binding: bytes) -> Mark:
    """Return the mark of a token; raise Invalid for one of other subscriptions."""
    if token[0] == binding:
        return token[1]
    violation = Violation(
        "resume_token", "belongs to other subscriptions: send it with the same ones, or begin without it"
    )
    text = f"resume_token {violation.description}"
    raise Invalid("RESUME_TOKEN_MISMATCH", text, violations=[violation])


def _decoded(token: str) -> bytes:
    if len(token) > MOST_TOKEN:
        raise ValueError("too long")
    return base64.b64decode(token.encode("ascii") + b"=" * (-len(token) % 4), altchars=b"-_", validate=True)


def _binding(principal: Principal, watched: Watched) -> bytes:
    texts = sorted([one.release, one.service, one.environment] for one in watched.subscriptions)
    return hashlib.sha256(canonical([principal.tenant, texts])).digest()[:16]
