"""Permits: a short-lived, single-use yes for one release, one attempt and one gate.

The predicate's schema is proto/schema/permit-predicate-v1.schema.json.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from release_passport_server.domain.canonical import stamp, unstamp
from release_passport_server.domain.record import DecisionDraft, DecisionRecord
from release_passport_server.domain.release import Artifact, Release
from release_passport_server.domain.statement import statement
from release_passport_server.domain.verdict import Stage, Verdict

PERMIT_PREDICATE = "https://release-passport.dev/predicates/permit/v1"
MAX_PERMIT_LIFE = timedelta(minutes=10)


class PermitRefusal(StrEnum):
    """Why a permit opens nothing."""

    EXPIRED = "PERMIT_EXPIRED"
    NOT_YET_VALID = "PERMIT_NOT_YET_VALID"
    OTHER_RELEASE = "PERMIT_OTHER_RELEASE"
    OTHER_TARGET = "PERMIT_OTHER_TARGET"
    OTHER_ATTEMPT = "PERMIT_OTHER_ATTEMPT"
    OTHER_STAGE = "PERMIT_OTHER_STAGE"
    OTHER_EPOCH = "PERMIT_OTHER_EPOCH"
    OTHER_MODE = "PERMIT_OTHER_MODE"
    WEIGHT_EXCEEDED = "PERMIT_WEIGHT_EXCEEDED"
    REDEEMED = "PERMIT_REDEEMED"
    VERDICT_CHANGED = "VERDICT_CHANGED"


@dataclass(frozen=True, slots=True)
class Errand:
    """What a permit is asked for: the gate or target, the attempt, and the store's epoch."""

    target: str
    attempt: str
    epoch: int


@dataclass(frozen=True, slots=True)
class Permit:
    """What a permit says."""

    permit_id: str
    decision: str
    release: str
    release_digest: str
    verdict: Verdict
    outcome_digest: str
    stage: Stage
    errand: Errand
    max_weight: int
    steps: tuple[int, ...]
    issue_time: datetime
    not_after: datetime
    dev: bool = False
    # What weakens the decision: who honours the permit sees that it stands on an override or a waiver.
    weakenings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Redemption:
    """What is true when somebody redeems a permit; all of it is read in the transaction that marks it as used.

    `newest` is the newest decision of the release, and `weight` the share of traffic that is asked for.
    """

    release: Release
    stage: Stage
    errand: Errand
    newest: DecisionRecord | None
    used: bool
    now: datetime
    weight: int = 0
    dev: bool = False


@dataclass(frozen=True, slots=True)
class Terms:
    """On which terms a permit is given, and when."""

    errand: Errand
    now: datetime
    max_weight: int = 100
    steps: tuple[int, ...] = ()
    dev: bool = False
    weakenings: tuple[str, ...] = ()


def new_permit(permit_id: str, decision: DecisionRecord, release: Release, terms: Terms) -> Permit | None:
    """Return the permit of a decision that stands, None where its effective verdict lets nothing go."""
    if not decision.effective_verdict.allows or decision.valid_until is None:
        return None
    not_after = min(terms.now + MAX_PERMIT_LIFE, decision.valid_until)
    if not_after <= terms.now:
        return None
    return Permit(
        permit_id=permit_id,
        decision=decision.name,
        release=release.name,
        release_digest=release.identity.digest,
        verdict=decision.effective_verdict,
        outcome_digest=decision.outcome_digest,
        stage=decision.stage,
        errand=terms.errand,
        max_weight=terms.max_weight,
        steps=terms.steps,
        issue_time=terms.now,
        not_after=not_after,
        dev=terms.dev,
        weakenings=terms.weakenings,
    )


def terms_of(draft: DecisionDraft, errand: Errand) -> Terms:
    """Return the terms that a decision sets."""
    canary = draft.outcome.canary
    if draft.outcome.effective_verdict is Verdict.ALLOW or canary is None:
        return Terms(errand, draft.now, dev=draft.case.dev, weakenings=draft.outcome.weakenings)
    limits = canary.max_weight, canary.steps
    return Terms(errand, draft.now, *limits, draft.case.dev, draft.outcome.weakenings)


def permit_refusal(permit: Permit, redemption: Redemption) -> PermitRefusal | None:
    """Return why a permit opens nothing here and now, None where it does."""
    release, asked, newest = redemption.release, redemption.errand, redemption.newest
    same_release = (permit.release, permit.release_digest) == (release.name, release.identity.digest)
    stands = newest is not None and _stands(permit, newest, redemption.now)
    checks = (
        (redemption.used, PermitRefusal.REDEEMED),
        (permit.dev is not redemption.dev, PermitRefusal.OTHER_MODE),
        (permit.errand.epoch != asked.epoch, PermitRefusal.OTHER_EPOCH),
        (not same_release, PermitRefusal.OTHER_RELEASE),
        (permit.errand.target != asked.target, PermitRefusal.OTHER_TARGET),
        (permit.errand.attempt != asked.attempt, PermitRefusal.OTHER_ATTEMPT),
        (permit.stage is not redemption.stage, PermitRefusal.OTHER_STAGE),
        (redemption.now < permit.issue_time, PermitRefusal.NOT_YET_VALID),
        (redemption.now >= permit.not_after, PermitRefusal.EXPIRED),
        (redemption.weight > permit.max_weight, PermitRefusal.WEIGHT_EXCEEDED),
        (not stands, PermitRefusal.VERDICT_CHANGED),
    )
    return next((refusal for applies, refusal in checks if applies), None)


def permit_statement(permit: Permit, artifacts: tuple[Artifact, ...]) -> bytes:
    """Return the statement to sign."""
    predicate = {
        "permit": permit.permit_id,
        "decision": permit.decision,
        "release": permit.release,
        "releaseDigest": permit.release_digest,
        "verdict": permit.verdict.name,
        "outcomeDigest": permit.outcome_digest,
        "stage": permit.stage.name,
        "target": permit.errand.target,
        "attempt": permit.errand.attempt,
        "epoch": permit.errand.epoch,
        "maxWeight": permit.max_weight,
        "steps": list(permit.steps),
        "issueTime": stamp(permit.issue_time),
        "notAfter": stamp(permit.not_after),
        "dev": permit.dev,
        "weakenings": list(permit.weakenings),
    }
    return statement(artifacts, PERMIT_PREDICATE, predicate)


def permit_of(document: Mapping[str, Any]) -> Permit:
    """Return the permit of a statement whose signature was verified; raise ValueError for anything else."""
    if document.get("predicateType") != PERMIT_PREDICATE:
        raise ValueError("the statement is not a permit")
    said = document["predicate"]
    try:
        issued, ends = unstamp(said["issueTime"]), unstamp(said["notAfter"])
        if issued is None or ends is None:
            raise ValueError("a permit has its times")
        return Permit(
            permit_id=said["permit"],
            decision=said["decision"],
            release=said["release"],
            release_digest=said["releaseDigest"],
            verdict=Verdict[said["verdict"]],
            outcome_digest=said["outcomeDigest"],
            stage=Stage[said["stage"]],
            errand=Errand(said["target"], said["attempt"], said["epoch"]),
            max_weight=said["maxWeight"],
            steps=tuple(said["steps"]),
            issue_time=issued,
            not_after=ends,
            dev=said["dev"],
            weakenings=tuple(said["weakenings"]),
        )
    except (KeyError, TypeError) as error:
        raise ValueError("the permit is not complete") from error


def _stands(permit: Permit, newest: DecisionRecord, now: datetime) -> bool:
    """Say whether the newest decision still lets go what the permit said, and as far: the same outcome, or ALLOW."""
    valid = newest.valid_until is not None and now < newest.valid_until
    same = newest.outcome_digest == permit.outcome_digest and newest.effective_verdict.allows
    as_far = same or newest.effective_verdict is Verdict.ALLOW
    return valid and newest.stage is permit.stage and as_far
