"""Freezes and exemptions from them, as messages and as the domain's values."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from release_passport.v1 import freeze_pb2, freeze_service_pb2, policy_pb2
from release_passport_server.domain.access import Principal, same_tenant
from release_passport_server.domain.act_names import FreezeExemptionName, FreezeName
from release_passport_server.domain.acts import Exemption, ExemptionRequest, Freeze, FreezeTimes
from release_passport_server.domain.errors import Violation
from release_passport_server.domain.etags import freeze_etag
from release_passport_server.domain.ids import ReleaseName
from release_passport_server.wire.facts import time_problem
from release_passport_server.wire.fields import (
    MAX_TITLE,
    etag_violations,
    glob_violations,
    label_violations,
    refuse,
    slug_violations,
    text_violations,
)
from release_passport_server.wire.times import moment, set_time, span, timestamp

MAX_REASON = 1024
MIN_REASON = 20
MAX_TICKET = 256
MAX_RULE = 512
MAX_GROUPS = 10
MAX_VOTES = 10

_UNSET = datetime.min.replace(tzinfo=UTC)
_IN_FLIGHT = {1: "FINISH", 2: "HOLD", 3: "ROLLBACK"}
_IN_FLIGHT_NUMBERS = {name: number for number, name in _IN_FLIGHT.items()}


def freeze_to_create(given: freeze_pb2.Freeze) -> Freeze:
    """Return the freeze that a request asks for; raise Invalid."""
    refuse(list(_violations(given)))
    return _freeze(given, "")


def freeze_to_update(principal: Principal, given: freeze_pb2.Freeze) -> tuple[Freeze, str]:
    """Return the new state of a freeze and the etag that was sent; raise Invalid or NotFound."""
    name = freeze_name(principal, given.name, field="freeze.name")
    refuse([*etag_violations(given.etag, "freeze.etag"), *_violations(given)])
    return _freeze(given, str(name)), given.etag


def freeze_name(principal: Principal, name: str, *, field: str = "name") -> FreezeName:
    """Return a freeze's name in the caller's tenant; raise Invalid or NotFound."""
    parsed = FreezeName.parse(name, field=field)
    same_tenant(principal, parsed.tenant)
    return parsed


def freeze_to_end(
    principal: Principal, request: freeze_service_pb2.EndFreezeRequest
) -> tuple[FreezeName, str]:
    """Return which freeze to end, and why; raise Invalid or NotFound."""
    name = freeze_name(principal, request.name)
    refuse(list(text_violations(request.reason, "reason", most=MAX_REASON)))
    return name, request.reason


def exemptions_wanted(
    principal: Principal, request: freeze_service_pb2.ListFreezeExemptionsRequest
) -> tuple[str, str]:
    """Return the release and the freeze to narrow to, each empty where not asked for; raise Invalid or NotFound."""
    if request.release:
        same_tenant(principal, ReleaseName.parse(request.release, field="release").tenant)
    if request.freeze:
        freeze_name(principal, request.freeze, field="freeze")
    return request.release, request.freeze


def exemption_name(principal: Principal, name: str) -> FreezeExemptionName:
    """Return an exemption's name in the caller's tenant; raise Invalid or NotFound."""
    parsed = FreezeExemptionName.parse(name)
    same_tenant(principal, parsed.tenant)
    return parsed


def exemption_to_create(
    principal: Principal, request: freeze_service_pb2.CreateFreezeExemptionRequest
) -> ExemptionRequest:
    """Return which release to exempt; raise Invalid or NotFound."""
    freeze = freeze_name(principal, request.freeze, field="freeze")
    release = ReleaseName.parse(request.release, field="release")
    same_tenant(principal, release.tenant)
    refuse(
        [
            *text_violations(request.ticket, "ticket", most=MAX_TICKET, least=1),
            *text_violations(request.reason, "reason", most=MAX_REASON, least=MIN_REASON),
            *_time_violations(request.expire_time, "expire_time"),
        ]
    )
    end = moment(request.expire_time) if request.HasField("expire_time") else None
    return ExemptionRequest(freeze, release, request.ticket, request.reason, end)


def freeze_to_proto(freeze: Freeze, times: FreezeTimes) -> freeze_pb2.Freeze:
    """Return the resource that shows a freeze as it stands."""
    message = freeze_pb2.Freeze(
        name=freeze.name,
        title=freeze.title,
        services=freeze.services,
        environments=freeze.environments,
        service_labels=dict(freeze.service_labels),
        environment_labels=dict(freeze.environment_labels),
        start_time=timestamp(freeze.start_time),
        rrule=freeze.rrule,
        time_zone=freeze.time_zone,
        in_flight=freeze_pb2.InFlight.Name(_IN_FLIGHT_NUMBERS[freeze.in_flight]),
        exempt_groups=[policy_pb2.ApprovalGroup(group=g, count=n) for g, n in freeze.exempt_groups],
        restores_too=freeze.restores_too,
        reason=freeze.reason,
        creator=freeze.creator,
        create_time=timestamp(freeze.create_time),
        ended_by=freeze.ended_by,
        on=freeze.end_time is None and times.until_time is not None,
        etag=freeze_etag(freeze),
    )
    if freeze.duration_seconds:
        message.duration.seconds = freeze.duration_seconds
    if freeze.until_time is not None:
        set_time(message.until_time, freeze.until_time)
    if freeze.end_time is not None:
        set_time(message.end_time, freeze.end_time)
    elif (following := times.until_time or times.next_start) is not None:
        set_time(message.next_time, following)
    return message


def exemption_to_proto(exemption: Exemption) -> freeze_pb2.FreezeExemption:
    """Return the resource that shows an exemption."""
    return freeze_pb2.FreezeExemption(
        name=exemption.name,
        freeze=exemption.freeze,
        release=exemption.release,
        ticket=exemption.ticket,
        reason=exemption.reason,
        creator=exemption.creator,
        create_time=timestamp(exemption.create_time),
        expire_time=timestamp(exemption.expire_time),
        end_time=None if exemption.end_time is None else timestamp(exemption.end_time),
        ended_by=exemption.ended_by,
    )


def _freeze(given: freeze_pb2.Freeze, name: str) -> Freeze:
    return Freeze(
        name=name,
        title=given.title,
        services=tuple(given.services),
        environments=tuple(given.environments),
        service_labels=tuple(sorted(given.service_labels.items())),
        environment_labels=tuple(sorted(given.environment_labels.items())),
        start_time=moment(given.start_time),
        until_time=moment(given.until_time) if given.HasField("until_time") else None,
        rrule=given.rrule,
        duration_seconds=int(span(given.duration).total_seconds()),
        time_zone=given.time_zone,
        in_flight=_IN_FLIGHT.get(given.in_flight, "FINISH"),
        exempt_groups=tuple((one.group, one.count) for one in given.exempt_groups),
        restores_too=given.restores_too,
        reason=given.reason,
        creator="",
        create_time=_UNSET,
    )


def _violations(given: freeze_pb2.Freeze) -> Iterator[Violation]:
    yield from text_violations(given.title, "freeze.title", most=MAX_TITLE, least=1)
    yield from text_violations(given.reason, "freeze.reason", most=MAX_REASON, least=MIN_REASON)
    yield from glob_violations(given.services, "freeze.services")
    yield from glob_violations(given.environments, "freeze.environments")
    yield from label_violations(given.service_labels, "freeze.service_labels")
    yield from label_violations(given.environment_labels, "freeze.environment_labels")
    yield from text_violations(given.rrule, "freeze.rrule", most=MAX_RULE)
    yield from text_violations(given.time_zone, "freeze.time_zone", most=64)
    if not given.HasField("start_time"):
        yield Violation("freeze.start_time", "is required: when the freeze, or its first occurrence, begins")
    yield from _time_violations(given.start_time, "freeze.start_time")
    yield from _time_violations(given.until_time, "freeze.until_time")
    if not 0 <= given.duration.seconds <= 366 * 86400 or given.duration.nanos:
        yield Violation("freeze.duration", "must be whole seconds, at most 31 days")
    if given.in_flight not in (0, *_IN_FLIGHT):
        yield Violation("freeze.in_flight", "must be IN_FLIGHT_FINISH, IN_FLIGHT_HOLD or IN_FLIGHT_ROLLBACK")
    if len(given.exempt_groups) > MAX_GROUPS:
        yield Violation("freeze.exempt_groups", f"must name at most {MAX_GROUPS} groups")
    for index, asked in enumerate(given.exempt_groups[:MAX_GROUPS]):
        yield from slug_violations(asked.group, f"freeze.exempt_groups[{index}].group")
        if asked.delegates:
            text = "cannot be given for a freeze: name every group that has to approve"
            yield Violation(f"freeze.exempt_groups[{index}].delegates", text)
        if not 1 <= asked.count <= MAX_VOTES:
            yield Violation(f"freeze.exempt_groups[{index}].count", f"must be 1 to {MAX_VOTES}")


def _time_violations(given: Timestamp, path: str) -> Iterator[Violation]:
    problem = time_problem(given)
    if problem is not None:
        yield Violation(path, problem)
