"""Who did what about a release, and which of it should not have been one person's, or a machine's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from release_passport_server.domain.acts import (
    REVIEW_WITHIN,
    Exemption,
    Override,
    Vote,
    Waiver,
    same_person,
)
from release_passport_server.domain.authors import Authors, authors_of, is_person, starters_of
from release_passport_server.domain.evidence import EvidenceItem
from release_passport_server.domain.release import Attempt, Release


class Duty(StrEnum):
    """What can be done about a release, in the order in which it is told."""

    CREATED = "CREATED"
    AUTHORED = "AUTHORED"
    SUBMITTED = "SUBMITTED"
    STARTED = "STARTED"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    WAIVER_REQUESTED = "WAIVER_REQUESTED"
    WAIVER_GRANTED = "WAIVER_GRANTED"
    OVERRODE = "OVERRODE"
    RECORDED = "RECORDED"
    REVIEWED = "REVIEWED"
    EXEMPTED = "EXEMPTED"


class ConflictCode(StrEnum):
    """Why somebody has to look at a release."""

    AUTHOR_APPROVED = "AUTHOR_APPROVED"
    AUTHOR_WAIVED = "AUTHOR_WAIVED"
    AUTHOR_EXEMPTED = "AUTHOR_EXEMPTED"
    GRANTED_OWN_WAIVER = "GRANTED_OWN_WAIVER"
    REQUESTER_APPROVED = "REQUESTER_APPROVED"
    REVIEWED_OWN_OVERRIDE = "REVIEWED_OWN_OVERRIDE"
    MACHINE_DECIDED = "MACHINE_DECIDED"
    AUTHORS_UNKNOWN = "AUTHORS_UNKNOWN"
    OVERRIDE_UNREVIEWED = "OVERRIDE_UNREVIEWED"
    WAIVER_ORPHANED = "WAIVER_ORPHANED"


# What a person has to answer for; anybody may ask for a waiver, create a release or start one.
_OF_PEOPLE = frozenset(
    {Duty.APPROVED, Duty.REJECTED, Duty.WAIVER_GRANTED, Duty.OVERRODE}
    | {Duty.RECORDED, Duty.REVIEWED, Duty.EXEMPTED}
)


@dataclass(frozen=True, slots=True)
class Done:
    """One thing that somebody did; `act` names the record of it, if it has one of its own."""

    duty: Duty
    principal: str
    act: str = ""


@dataclass(frozen=True, slots=True)
class Conflict:
    """One thing that somebody has to look at."""

    code: ConflictCode
    principals: tuple[str, ...]
    act: str
    text: str


@dataclass(frozen=True, slots=True)
class History:
    """All that was recorded about one release; `orphaned` names the waivers whose rule is gone or changed."""

    release: Release
    attempts: tuple[Attempt, ...] = ()
    evidence: tuple[EvidenceItem, ...] = ()
    votes: tuple[Vote, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    overrides: tuple[Override, ...] = ()
    exemptions: tuple[Exemption, ...] = ()
    orphaned: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ReleaseDuties:
    """Who did what about a release, and what is wrong with that."""

    release: str
    create_time: datetime
    done: tuple[Done, ...]
    authors_known: bool
    conflicts: tuple[Conflict, ...]


def duties_of(history: History, now: datetime) -> ReleaseDuties:
    """Return the duties and their conflicts; what has ended since was done all the same."""
    authors = authors_of(history.release, history.evidence)
    made = replace(authors, names=authors.names | starters_of(history.attempts))
    order = list(Duty)
    done = tuple(dict.fromkeys(sorted(_done(history), key=lambda one: order.index(one.duty))))
    conflicts = (*_by_authors(history, made), *_by_themselves(history), *_machines(done, history))
    return ReleaseDuties(
        history.release.name,
        history.release.create_time,
        done,
        authors.known,
        (*conflicts, *_left_open(history, authors, now)),
    )


def _done(history: History) -> Iterator[Done]:
    release = history.release
    yield Done(Duty.CREATED, release.creator)
    for author in release.identity.authors:
        yield Done(Duty.AUTHORED, author)
    for source in sorted({item.source for item in history.evidence}):
        if is_person(source):
            yield Done(Duty.SUBMITTED, source)
    for attempt in history.attempts:
        if attempt.starter:
            yield Done(Duty.STARTED, attempt.starter, attempt.name)
    yield from _decided(history)


def _decided(history: History) -> Iterator[Done]:
    """Yield what people decided about a release."""
    for vote in history.votes:
        yield Done(Duty.APPROVED if vote.approves else Duty.REJECTED, vote.voter, vote.name)
    for waiver in history.waivers:
        yield Done(Duty.WAIVER_REQUESTED, waiver.requester, waiver.name)
        if waiver.granter:
            yield Done(Duty.WAIVER_GRANTED, waiver.granter, waiver.name)
    for override in history.overrides:
        yield Done(Duty.OVERRODE, override.principal, override.name)
        if override.recorder:
            yield Done(Duty.RECORDED, override.recorder, override.name)
        if override.reviewer:
            yield Done(Duty.REVIEWED, override.reviewer, override.name)
    for exemption in history.exemptions:
        yield Done(Duty.EXEMPTED, exemption.creator, exemption.name)


def _by_authors(history: History, made: Authors) -> Iterator[Conflict]:
    """Yield what who made, evidenced or started the release decided about it."""
    for vote in history.votes:
        if vote.approves and made.include(vote.voter, vote.voter_identities):
            text = f"{vote.voter} made, evidenced or started the release, and approved it"
            yield Conflict(ConflictCode.AUTHOR_APPROVED, (vote.voter,), vote.name, text)
    for waiver in history.waivers:
        # A waiver for a whole service does not count for releases that its granter made.
        if waiver.release and made.include(waiver.granter, waiver.granter_identities):
            text = f"{waiver.granter} made, evidenced or started the release, and granted a waiver of it"
            yield Conflict(ConflictCode.AUTHOR_WAIVED, (waiver.granter,), waiver.name, text)
    for exemption in history.exemptions:
        if made.include(exemption.creator, ()):
            text = (
                f"{exemption.creator} made, evidenced or started the release, and exempted it from a freeze"
            )
            yield Conflict(ConflictCode.AUTHOR_EXEMPTED, (exemption.creator,), exemption.name, text)


def _by_themselves(history: History) -> Iterator[Conflict]:
    """Yield what somebody decided about what they themselves asked for or did."""
    for waiver in history.waivers:
        asked = (waiver.requester, *waiver.requester_identities)
        if waiver.granter and same_person(asked, (waiver.granter, *waiver.granter_identities)):
            text = f"{waiver.granter} granted a waiver that {waiver.requester} had asked for"
            yield Conflict(
                ConflictCode.GRANTED_OWN_WAIVER, _names(waiver.requester, waiver.granter), waiver.name, text
            )
        if waiver.grant_time is None:
            continue
        for vote in history.votes:
            if vote.approves and same_person(asked, (vote.voter, *vote.voter_identities)):
                text = f"{vote.voter} asked for {waiver.name}, and approved the release"
                people = _names(waiver.requester, vote.voter)
                yield Conflict(ConflictCode.REQUESTER_APPROVED, people, vote.name, text)
    for override in history.overrides:
        if override.reviewer and override.made_by(override.reviewer, ()):
            text = f"{override.reviewer} reviewed an override of their own"
            people = _names(override.principal, override.reviewer)
            yield Conflict(ConflictCode.REVIEWED_OWN_OVERRIDE, people, override.name, text)


def _machines(done: Iterable[Done], history: History) -> Iterator[Conflict]:
    told_later = {one.name for one in history.overrides if one.retrospective}
    for one in done:
        # Whoever did something by hand, a person has told it.
        told = one.duty is Duty.OVERRODE and one.act in told_later
        if one.duty in _OF_PEOPLE and not told and not is_person(one.principal):
            text = f"{one.principal} is no person: {one.duty.value.lower().replace('_', ' ')}"
            yield Conflict(ConflictCode.MACHINE_DECIDED, (one.principal,), one.act, text)


def _left_open(history: History, authors: Authors, now: datetime) -> Iterator[Conflict]:
    """Yield what nobody has done, or nobody can tell."""
    approvers = tuple(dict.fromkeys(vote.voter for vote in history.votes if vote.approves))
    if approvers and not authors.known:
        text = "it was approved, and nobody can tell who made it: register releases with their authors"
        yield Conflict(ConflictCode.AUTHORS_UNKNOWN, approvers, "", text)
    for override in history.overrides:
        if override.review_time is None:
            late = override.create_time + REVIEW_WITHIN <= now
            text = f"nobody has reviewed it{', which is overdue' if late else ' yet'}"
            people = _names(override.principal, override.recorder)
            yield Conflict(ConflictCode.OVERRIDE_UNREVIEWED, people, override.name, text)
    for waiver in history.waivers:
        if waiver.name in history.orphaned:
            text = f"{waiver.policy}/{waiver.rule} is gone or says something else: revoke the waiver"
            yield Conflict(
                ConflictCode.WAIVER_ORPHANED, _names(waiver.requester, waiver.granter), waiver.name, text
            )


def _names(*given: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for one in given if one))
