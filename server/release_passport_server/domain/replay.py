"""A recorded case read back, so that it can be decided again years later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from release_passport_server.domain.access import Scope
from release_passport_server.domain.canonical import unstamp
from release_passport_server.domain.case import Held
from release_passport_server.domain.evidence import EvidenceItem, Revocation, Subject, Verification
from release_passport_server.domain.kind import SubjectType
from release_passport_server.domain.people import NOBODY, People
from release_passport_server.domain.people_record import people_of
from release_passport_server.domain.release import Attempt, Ground, Latch, ObserveOnly, Place
from release_passport_server.domain.verdict import Verdict

Record = Mapping[str, Any]


def place_of(record: Record) -> Place:
    """Return the place as it stood."""
    place = record["place"]
    binding = place["observeOnly"]
    return Place(
        service=place["service"],
        environment=place["environment"],
        service_known=place["serviceKnown"],
        environment_known=place["environmentKnown"],
        service_labels=place["serviceLabels"],
        environment_labels=place["environmentLabels"],
        signers=tuple(place["signers"]),
        trust_revision=place.get("trustRevision", 0),
        required_policies=tuple(place["requiredPolicies"]),
        observe_only=None if binding is None else ObserveOnly(binding[0], binding[1], moment(binding[2])),
    )


def attempt_of(record: Record) -> Attempt | None:
    """Return the attempt that was open."""
    attempt = record["attempt"]
    if attempt is None:
        return None
    start = moment(attempt["startTime"])
    return Attempt(attempt["name"], attempt["number"], attempt["ground"], start, attempt["starter"])


def ground_of(record: Record) -> Ground | None:
    """Return the ground as it stood."""
    ground = record["ground"]
    if ground is None:
        return None
    return Ground(ground[0], Verdict(ground[1]), Verdict(ground[2]), tuple(ground[3]))


def held_of(record: Record) -> Held | None:
    """Return since when the rollout had been on hold."""
    held = record.get("held")
    return None if held is None else Held(moment(held[0]), held[1])


def latches_of(record: Record) -> tuple[Latch, ...]:
    """Return the latches that stood."""
    return tuple(
        Latch(name, policy, rule, decision, attempt, enforced, reason, moment(created))
        for name, policy, rule, decision, attempt, enforced, reason, created in record["latches"]
    )


def vouched_of(record: Record) -> frozenset[str]:
    """Return the items whose signers a trust configuration let vouch."""
    return frozenset(record.get("vouched", ()))


def people_in(record: Record) -> People:
    """Return what people's acts came to."""
    people = record.get("people")
    return NOBODY if people is None else people_of(people)


def evidence_digests(record: Record) -> tuple[str, ...]:
    """Return the digests of all bodies that the case names."""
    return tuple(dict.fromkeys(item[6] for item in record["evidence"]))


def item_of(fields: Sequence[Any], facts: object) -> EvidenceItem:
    """Return an item out of the fields that `case_record` listed."""
    observe_time = moment(fields[7])
    return EvidenceItem(
        name=fields[0],
        kind=fields[1],
        key=fields[2],
        subject=Subject(SubjectType(fields[3]), fields[4]),
        source=fields[5],
        facts=facts,
        facts_digest=fields[6],
        observe_time=observe_time,
        receive_time=moment(fields[8]),
        expire_time=unstamp(fields[9]),
        verification=Verification(fields[10]),
        verification_reason=fields[11],
        signer=fields[12],
        scopes=tuple(Scope(tuple(services), tuple(environments)) for services, environments in fields[13]),
        samples=fields[14],
        inconclusive=fields[15],
        revocation=Revocation(observe_time, "", fields[16]) if fields[16] is not None else None,
    )


def moment(text: str) -> datetime:
    """Return a recorded time, which is always there."""
    time = unstamp(text)
    assert time is not None
    return time
