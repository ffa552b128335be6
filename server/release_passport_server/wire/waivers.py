"""Waivers between messages and the domain."""

from __future__ import annotations

from collections.abc import Iterator

from release_passport.v1 import waiver_pb2, waiver_service_pb2
from release_passport_server.domain.access import Principal, same_tenant
from release_passport_server.domain.act_names import WaiverName
from release_passport_server.domain.acts import Waiver, WaiverFilter, WaiverRequest, WaiverState
from release_passport_server.domain.authors import is_person
from release_passport_server.domain.errors import Violation
from release_passport_server.domain.ids import ReleaseName
from release_passport_server.wire.facts import time_problem
from release_passport_server.wire.fields import every_violation, refuse, slug_violations, text_violations
from release_passport_server.wire.freezes import MAX_REASON, MAX_TICKET, MIN_REASON
from release_passport_server.wire.times import moment, timestamp

MAX_NAME = 256
_STATES = {
    number: WaiverState(name.removeprefix("WAIVER_STATE_"))
    for name, number in waiver_pb2.WaiverState.items()
    if number
}
_NUMBERS = {state: number for number, state in _STATES.items()}


def waiver_name(principal: Principal, name: str) -> WaiverName:
    """Return a waiver's name in the caller's tenant; raise Invalid or NotFound."""
    parsed = WaiverName.parse(name)
    same_tenant(principal, parsed.tenant)
    return parsed


def waiver_to_request(
    principal: Principal, request: waiver_service_pb2.RequestWaiverRequest
) -> WaiverRequest:
    """Return which finding to make an exception to; raise Invalid or NotFound."""

    def release() -> ReleaseName:
        return ReleaseName.parse(request.release, field="release")

    def rest() -> None:
        refuse(list(_violations(principal, request)))

    with every_violation(release, rest):
        name = release()
        rest()
    same_tenant(principal, name.tenant)
    return WaiverRequest(
        release=name,
        service_wide=request.service_wide,
        policy=request.policy,
        rule=request.rule,
        artifact=request.artifact,
        key=request.key,
        owner=request.owner,
        ticket=request.ticket,
        reason=request.reason,
        expire_time=moment(request.expire_time),
    )


def waiver_to_revoke(
    principal: Principal, request: waiver_service_pb2.RevokeWaiverRequest
) -> tuple[WaiverName, str]:
    """Return which waiver to end, and why; raise Invalid or NotFound."""
    name = waiver_name(principal, request.name)
    refuse(list(text_violations(request.reason, "reason", most=MAX_REASON)))
    return name, request.reason


def waivers_wanted(principal: Principal, request: waiver_service_pb2.ListWaiversRequest) -> WaiverFilter:
    """Return which waivers to list; raise Invalid or NotFound."""
    if request.release:
        same_tenant(principal, ReleaseName.parse(request.release, field="release").tenant)
    violations = [*_place_violations(request.service, "service")]
    violations += _place_violations(request.environment, "environment")
    if request.state and request.state not in _STATES:
        violations.append(Violation("state", "is no state of a waiver"))
    refuse(violations)
    return WaiverFilter(request.release, request.service, request.environment, _STATES.get(request.state))


def waiver_to_proto(waiver: Waiver, state: WaiverState) -> waiver_pb2.Waiver:
    """Return the resource that shows a waiver as it stands."""
    return waiver_pb2.Waiver(
        name=waiver.name,
        release=waiver.release,
        service=waiver.service,
        environment=waiver.environment,
        policy=waiver.policy,
        rule=waiver.rule,
        finding_reason=waiver.finding_reason,
        artifact=waiver.artifact,
        key=waiver.key,
        fingerprint=waiver.fingerprint,
        owner=waiver.owner,
        ticket=waiver.ticket,
        reason=waiver.reason,
        requester=waiver.requester,
        granter=waiver.granter,
        create_time=timestamp(waiver.create_time),
        grant_time=None if waiver.grant_time is None else timestamp(waiver.grant_time),
        expire_time=timestamp(waiver.expire_time),
        end_time=None if waiver.end_time is None else timestamp(waiver.end_time),
        ended_by=waiver.ended_by,
        end_reason=waiver.end_reason,
        state=waiver_pb2.WaiverState.Name(_NUMBERS[state]),
    )


def _violations(
    principal: Principal, request: waiver_service_pb2.RequestWaiverRequest
) -> Iterator[Violation]:
    yield from slug_violations(request.policy, "policy")
    yield from slug_violations(request.rule, "rule")
    yield from text_violations(request.artifact, "artifact", most=MAX_NAME)
    yield from text_violations(request.key, "key", most=MAX_NAME)
    yield from text_violations(request.owner, "owner", most=MAX_NAME)
    if not request.owner and not is_person(principal.id):
        yield Violation("owner", "is required where a machine asks: who answers for the exception")
    yield from text_violations(request.ticket, "ticket", most=MAX_TICKET, least=1)
    yield from text_violations(request.reason, "reason", most=MAX_REASON, least=MIN_REASON)
    problem = time_problem(request.expire_time)
    if not request.HasField("expire_time"):
        yield Violation("expire_time", "is required: no exception is for ever")
    elif problem is not None:
        yield Violation("expire_time", problem)


def _place_violations(value: str, path: str) -> Iterator[Violation]:
    if value:
        yield from slug_violations(value, path)
