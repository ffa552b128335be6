"""Everything that one decision is made of; nothing else may influence it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from release_passport_server.domain.canonical import stamp
from release_passport_server.domain.evidence import EvidenceItem
from release_passport_server.domain.people import NOBODY, People
from release_passport_server.domain.people_record import people_record
from release_passport_server.domain.policy import Policy
from release_passport_server.domain.release import Attempt, Ground, Latch, Place, Release
from release_passport_server.domain.verdict import Stage


class Held(NamedTuple):
    """Since when a rollout has been on hold without a break, and whether it may take traffic."""

    since: datetime
    exposed: bool


# A rule may look at no more observations of one series than this.
MAX_SERIES = 256


@dataclass(frozen=True, slots=True)
class Case:
    """One release at one stage with all that is known about it.

    `evidence` holds every item bound to the release, by kind, oldest first. `release_facts` and
    `attempt_facts` are the messages that expressions see.
    """

    release: Release
    place: Place
    stage: Stage
    policies: tuple[Policy, ...]
    evidence: Mapping[str, tuple[EvidenceItem, ...]]
    release_facts: object
    attempt: Attempt | None = None
    attempt_facts: object | None = None
    ground: Ground | None = None
    latches: tuple[Latch, ...] = ()
    rollback_target: str = ""
    # How the last ended attempt of the same digests came out here; empty where there was none.
    previous_outcome: str = ""
    # The names of verified items whose signer a rule or key of the trust configuration lets vouch here now.
    vouched: frozenset[str] = frozenset()
    dev: bool = False
    people: People = NOBODY
    # Images that the rollout was last seen to bring and that are none of the release's.
    foreign_images: tuple[str, ...] = ()
    # The names of items that say nothing of alerts because somebody silenced one since the release was made.
    silenced: frozenset[str] = frozenset()
    # None where the rollout was not on hold until now.
    held: Held | None = None


def case_record(case: Case) -> dict[str, object]:
    """Return the JSON value that names everything in a case; its digest binds a decision to what it saw."""
    identity = case.release.identity
    return {
        "release": {
            "name": case.release.name,
            "digest": identity.digest,
            "isFirst": case.release.is_first,
            "isRestore": case.release.is_restore,
            "previous": case.release.previous,
            "previousOutcome": case.previous_outcome,
            **({"overtakenBy": case.release.overtaken_by} if case.release.overtaken_by else {}),
            **({"wayBackFrom": case.release.way_back_from} if case.release.way_back_from else {}),
        },
        "place": _place(case.place),
        "stage": int(case.stage),
        "attempt": None if case.attempt is None else _attempt(case.attempt),
        "ground": None if case.ground is None else _ground(case.ground),
        "policies": [[p.policy_id, p.revision, p.digest] for p in case.policies],
        "evidence": [_item(item) for kind in sorted(case.evidence) for item in case.evidence[kind]],
        "latches": [_latch(latch) for latch in case.latches],
        "rollbackTarget": case.rollback_target,
        "vouched": sorted(case.vouched),
        "dev": case.dev,
        **({"foreignImages": list(case.foreign_images)} if case.foreign_images else {}),
        **({"silenced": sorted(case.silenced)} if case.silenced else {}),
        **({"held": [stamp(case.held.since), case.held.exposed]} if case.held else {}),
        **({"people": people_record(case.people)} if case.people != NOBODY else {}),
    }


def _place(place: Place) -> dict[str, object]:
    binding = place.observe_only
    return {
        "service": place.service,
        "environment": place.environment,
        "serviceKnown": place.service_known,
        "environmentKnown": place.environment_known,
        "serviceLabels": dict(place.service_labels or {}),
        "environmentLabels": dict(place.environment_labels or {}),
        "signers": list(place.signers),
        "trustRevision": place.trust_revision,
        "requiredPolicies": list(place.required_policies),
        "observeOnly": None if binding is None else [binding.name, binding.owner, stamp(binding.expire_time)],
    }


def _attempt(attempt: Attempt) -> dict[str, object]:
    return {
        "name": attempt.name,
        "number": attempt.number,
        "ground": attempt.ground,
        "startTime": stamp(attempt.start_time),
        "starter": attempt.starter,
    }


def _ground(ground: Ground) -> list[object]:
    return [ground.decision, int(ground.verdict), int(ground.effective_verdict), list(ground.withdrawn)]


def _latch(latch: Latch) -> list[object]:
    return [
        latch.name,
        latch.policy,
        latch.rule,
        latch.decision,
        latch.attempt,
        latch.enforced,
        latch.reason,
        stamp(latch.create_time),
    ]


def _item(item: EvidenceItem) -> list[object]:
    """List an item's fields in the fixed order that `replay.item_of` reads back."""
    return [
        item.name,
        item.kind,
        item.key,
        item.subject.type,
        item.subject.value,
        item.source,
        item.facts_digest,
        stamp(item.observe_time),
        stamp(item.receive_time),
        stamp(item.expire_time),
        item.verification,
        item.verification_reason,
        item.signer,
        [(scope.services, scope.environments) for scope in item.scopes],
        item.samples,
        item.inconclusive,
        None if item.revocation is None else item.revocation.reason,
    ]
