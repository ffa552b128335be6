"""Overrides between messages and the domain."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

from release_passport.v1 import override_service_pb2 as pb
from release_passport_server.domain.access import Principal, same_tenant
from release_passport_server.domain.act_names import OverrideName
from release_passport_server.domain.acts import (
    MAX_OVERRIDE,
    REVIEW_WITHIN,
    BypassReport,
    Override,
    OverrideFilter,
    OverrideRequest,
)
from release_passport_server.domain.errors import Violation
from release_passport_server.domain.ids import DecisionName, ReleaseName
from release_passport_server.wire.facts import time_problem
from release_passport_server.wire.fields import every_violation, refuse, slug_violations, text_violations
from release_passport_server.wire.freezes import MAX_REASON, MAX_TICKET, MIN_REASON
from release_passport_server.wire.times import moment, span, timestamp

DEFAULT_DURATION = timedelta(hours=1)
MAX_REVIEW = 4096
MAX_DIGESTS = 100
_DIGEST = re.compile("sha256:[0-9a-f]{64}")
_PRINCIPAL = re.compile(r"[a-z]{1,16}:[A-Za-z0-9@._:/+=|~-]{1,270}")


def override_name(principal: Principal, name: str) -> OverrideName:
    """Return an override's name in the caller's tenant; raise Invalid or NotFound."""
    parsed = OverrideName.parse(name)
    same_tenant(principal, parsed.tenant)
    return parsed


def override_to_create(principal: Principal, request: pb.CreateOverrideRequest) -> OverrideRequest:
    """Return which release to let start; raise Invalid or NotFound."""

    def release() -> ReleaseName:
        return ReleaseName.parse(request.release, field="release")

    def decision() -> DecisionName:
        return DecisionName.parse(request.decision, field="decision")

    def rest() -> None:
        refuse([*_why_violations(request.ticket, request.reason), *_duration_violations(request)])

    with every_violation(release, decision, rest):
        name, decided = release(), decision()
        rest()
    same_tenant(principal, name.tenant)
    same_tenant(principal, decided.release.tenant)
    lasts = span(request.duration) if request.HasField("duration") else DEFAULT_DURATION
    return OverrideRequest(name, request.decision, request.ticket, request.reason, lasts)


def bypass_to_record(principal: Principal, request: pb.RecordOverrideRequest) -> BypassReport:
    """Return what was done by hand; raise Invalid or NotFound."""

    def release() -> ReleaseName:
        return ReleaseName.parse(request.release, field="release")

    def rest() -> None:
        refuse(
            [
                *_why_violations(request.ticket, request.reason),
                *_act_violations(request),
                *_digest_violations(request),
            ]
        )

    with every_violation(release, rest):
        name = release()
        rest()
    same_tenant(principal, name.tenant)
    return BypassReport(
        release=name,
        principal=request.principal,
        act_time=moment(request.act_time),
        ticket=request.ticket,
        reason=request.reason,
        artifact_digests=tuple(dict.fromkeys(request.artifact_digests)),
    )


def review_to_record(principal: Principal, request: pb.ReviewOverrideRequest) -> tuple[OverrideName, str]:
    """Return which override was reviewed, and what the review says; raise Invalid or NotFound."""
    name = override_name(principal, request.name)
    refuse(list(text_violations(request.review, "review", most=MAX_REVIEW, least=MIN_REASON)))
    return name, request.review


def overrides_wanted(request: pb.ListOverridesRequest) -> OverrideFilter:
    """Return which overrides to list; raise Invalid."""
    places = ((request.service, "service"), (request.environment, "environment"))
    refuse([one for value, path in places if value for one in slug_violations(value, path)])
    return OverrideFilter(request.service, request.environment, request.unreviewed, request.retrospective)


def override_to_proto(override: Override) -> pb.Override:
    """Return the resource that shows an override."""
    message = pb.Override(
        name=override.name,
        release=override.release,
        decision=override.decision,
        principal=override.principal,
        ticket=override.ticket,
        reason=override.reason,
        create_time=timestamp(override.create_time),
        expire_time=timestamp(override.expire_time),
        end_time=None if override.end_time is None else timestamp(override.end_time),
        ended_by=override.ended_by,
        retrospective=override.retrospective,
        act_time=None if override.act_time is None else timestamp(override.act_time),
        review_due_time=timestamp(override.create_time + REVIEW_WITHIN),
        reviewer=override.reviewer,
        review_time=None if override.review_time is None else timestamp(override.review_time),
        review=override.review,
        artifact_digests=override.artifact_digests,
        recorder=override.recorder,
    )
    for policy, rule, artifact, key, reason, _ in override.overrules:
        message.overrules.add(policy=policy, rule=rule, artifact=artifact, key=key, reason=reason)
    return message


def _why_violations(ticket: str, reason: str) -> Iterator[Violation]:
    yield from text_violations(ticket, "ticket", most=MAX_TICKET, least=1)
    yield from text_violations(reason, "reason", most=MAX_REASON, least=MIN_REASON)


def _duration_violations(request: pb.CreateOverrideRequest) -> Iterator[Violation]:
    if not request.HasField("duration"):
        return
    seconds = request.duration.seconds
    if request.duration.nanos or not 1 <= seconds <= MAX_OVERRIDE.total_seconds():
        yield Violation("duration", "must be whole seconds, at most 4 hours")


def _act_violations(request: pb.RecordOverrideRequest) -> Iterator[Violation]:
    if request.principal and not _PRINCIPAL.fullmatch(request.principal):
        yield Violation("principal", "must be a principal's id, such as user:ada")
    problem = time_problem(request.act_time)
    if not request.HasField("act_time"):
        yield Violation("act_time", "is required: when it was done")
    elif problem is not None:
        yield Violation("act_time", problem)


def _digest_violations(request: pb.RecordOverrideRequest) -> Iterator[Violation]:
    if len(request.artifact_digests) > MAX_DIGESTS:
        yield Violation("artifact_digests", f"must hold at most {MAX_DIGESTS} digests")
        return
    for index, digest in enumerate(request.artifact_digests):
        if not _DIGEST.fullmatch(digest):
            text = "must be sha256: and 64 lower-case hexadecimal digits"
            yield Violation(f"artifact_digests[{index}]", text)
