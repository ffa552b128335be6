"""What people record about releases: votes, waivers, overrides, freezes and exemptions from freezes.

None of these is ever changed but by what ends it; who may make one is the services' business, and what one
does to a decision that of `people`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from release_passport_server.domain.act_names import FreezeName
from release_passport_server.domain.canonical import digest_of, stamp
from release_passport_server.domain.glob import any_matches, matches
from release_passport_server.domain.ids import ReleaseName
from release_passport_server.domain.release import Place

# An override opens one release for no longer than this.
MAX_OVERRIDE = timedelta(hours=4)
# An override is looked at by somebody else within this time.
REVIEW_WITHIN = timedelta(hours=48)

# (policy, rule, artifact, key, class of the reason, verdict): a finding as somebody saw it.
Code = tuple[str, str, str, str, str, int]


@dataclass(frozen=True, slots=True)
class Vote:
    """A person's yes or no to what one rule asks about one release.

    `release_digest` and `rule_digest` say what was voted on, `seen` which other findings did not pass then. A
    rejection has no group: it is a veto.
    """

    name: str
    release: str
    release_digest: str
    policy: str
    rule: str
    rule_digest: str
    approves: bool
    group: str
    voter: str
    # Who the voter was besides, by the credential: groups and linked identities.
    voter_groups: tuple[str, ...]
    voter_identities: tuple[str, ...]
    reason: str
    seen: tuple[Code, ...]
    # The newest attempt at that time: some rules ask anew for each.
    attempt: str
    decision: str
    create_time: datetime
    expire_time: datetime
    end_time: datetime | None = None
    ended_by: str = ""
    end_reason: str = ""


@dataclass(frozen=True, slots=True)
class Waiver:
    """A time-boxed exception to one finding, for one release or, where `release` is empty, for its place.

    It counts from `grant_time` on; until then it is a request.
    """

    name: str
    service: str
    environment: str
    release: str
    policy: str
    rule: str
    rule_digest: str
    finding_reason: str
    artifact: str
    key: str
    # Of the facts that failed: other facts are another finding.
    fingerprint: str
    owner: str
    ticket: str
    reason: str
    requester: str
    create_time: datetime
    expire_time: datetime
    granter: str = ""
    grant_time: datetime | None = None
    end_time: datetime | None = None
    ended_by: str = ""
    end_reason: str = ""
    # Who else the two are, by their credentials: nobody grants what they asked for under another name.
    requester_identities: tuple[str, ...] = ()
    granter_identities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Override:
    """Break-glass: a person lets one release start against findings that stood when they said so."""

    name: str
    service: str
    environment: str
    release: str
    release_digest: str
    overrules: tuple[Code, ...]
    principal: str
    ticket: str
    reason: str
    decision: str
    create_time: datetime
    expire_time: datetime
    # Recorded after the fact, about what was done by hand while the gate could not be asked.
    retrospective: bool = False
    act_time: datetime | None = None
    end_time: datetime | None = None
    ended_by: str = ""
    reviewer: str = ""
    review_time: datetime | None = None
    review: str = ""
    # Of what was recorded after the fact: what was put to run, and who recorded it.
    artifact_digests: tuple[str, ...] = ()
    recorder: str = ""
    # Who else made it, by their credentials: none of them reviews it.
    maker_identities: tuple[str, ...] = ()

    def made_by(self, principal: str, identities: tuple[str, ...]) -> bool:
        """Say whether somebody made the override, or recorded it, under any of their names."""
        return same_person((self.principal, self.recorder, *self.maker_identities), (principal, *identities))


@dataclass(frozen=True, slots=True)
class Freeze:
    """A time in which nothing starts, once or again and again.

    A recurring one has an RFC 5545 `rrule`; each occurrence lasts `duration_seconds`, and `start_time` is the first
    in the wall-clock time of `time_zone`.
    """

    name: str
    title: str
    services: tuple[str, ...]
    environments: tuple[str, ...]
    service_labels: tuple[tuple[str, str], ...]
    environment_labels: tuple[tuple[str, str], ...]
    start_time: datetime
    # None where somebody has to end it, which is refused unless it recurs.
    until_time: datetime | None
    rrule: str
    duration_seconds: int
    time_zone: str
    # FINISH, HOLD or ROLLBACK: what becomes of rollouts that were admitted before.
    in_flight: str
    # Who has to approve a release that is exempt; nobody means that the exemption is enough.
    exempt_groups: tuple[tuple[str, int], ...]
    restores_too: bool
    reason: str
    creator: str
    create_time: datetime
    end_time: datetime | None = None
    ended_by: str = ""

    def covers(self, place: Place) -> bool:
        """Say whether the freeze is about releases that go there."""
        return (
            any_matches(self.services or ("*",), place.service)
            and any_matches(self.environments or ("*",), place.environment)
            and _labelled(self.service_labels, place.service_labels or {})
            and _labelled(self.environment_labels, place.environment_labels or {})
        )

    @property
    def digest(self) -> str:
        """Return the digest of what a vote for an exempt release is bound to."""
        return digest_of([self.name, self.title, [list(one) for one in self.exempt_groups], self.reason])


@dataclass(frozen=True, slots=True)
class Exemption:
    """A person's record that one release may start in spite of a freeze, if the freeze's groups agree."""

    name: str
    freeze: str
    release: str
    release_digest: str
    reason: str
    ticket: str
    creator: str
    create_time: datetime
    expire_time: datetime
    end_time: datetime | None = None
    ended_by: str = ""


@dataclass(frozen=True, slots=True)
class ExemptionRequest:
    """Which release to exempt from which freeze, and why."""

    freeze: FreezeName
    release: ReleaseName
    ticket: str
    reason: str
    expire_time: datetime | None


@dataclass(frozen=True, slots=True)
class WaiverRequest:
    """Which finding of a release to make an exception to, for whom and until when."""

    release: ReleaseName
    service_wide: bool
    policy: str
    rule: str
    artifact: str
    key: str
    owner: str
    ticket: str
    reason: str
    expire_time: datetime


class WaiverState(StrEnum):
    """Where a waiver stands."""

    REQUESTED = "REQUESTED"
    ACTIVE = "ACTIVE"
    EXPIRING = "EXPIRING"
    EXPIRED = "EXPIRED"
    ENDED = "ENDED"
    ORPHANED = "ORPHANED"


@dataclass(frozen=True, slots=True)
class WaiverFilter:
    """Which waivers to list; what is empty narrows nothing."""

    release: str = ""
    service: str = ""
    environment: str = ""
    state: WaiverState | None = None

    def fits(self, waiver: Waiver) -> bool:
        """Say whether a waiver is for the place that is wanted."""
        return self.service in ("", waiver.service) and self.environment in ("", waiver.environment)


@dataclass(frozen=True, slots=True)
class OverrideFilter:
    """Which overrides to list; what is empty narrows nothing."""

    service: str = ""
    environment: str = ""
    unreviewed: bool = False
    retrospective: bool = False

    def fits(self, override: Override) -> bool:
        """Say whether an override is wanted."""
        if self.retrospective and not override.retrospective:
            return False
        place = self.service in ("", override.service) and self.environment in ("", override.environment)
        return place and not (self.unreviewed and override.review_time is not None)


@dataclass(frozen=True, slots=True)
class OverrideRequest:
    """Which release to let start against the findings of which decision, and for how long."""

    release: ReleaseName
    decision: str
    ticket: str
    reason: str
    duration: timedelta


@dataclass(frozen=True, slots=True)
class BypassReport:
    """What was done by hand, told afterwards."""

    release: ReleaseName
    principal: str
    act_time: datetime
    ticket: str
    reason: str
    artifact_digests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FreezeTimes:
    """Until when a freeze is on, None while it is not; and when it begins next, None where it never will."""

    until_time: datetime | None
    next_start: datetime | None


@dataclass(frozen=True, slots=True)
class Group:
    """People who vote together: principals, and groups that an identity provider names."""

    group_id: str
    title: str
    members: tuple[str, ...]
    create_time: datetime
    update_time: datetime


@dataclass(frozen=True, slots=True)
class Acts:
    """All that people recorded that could count for one release, ended or not, in the order of their names."""

    votes: tuple[Vote, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    overrides: tuple[Override, ...] = ()
    exemptions: tuple[Exemption, ...] = ()
    freezes: tuple[Freeze, ...] = ()
    groups: tuple[Group, ...] = ()
    # Nobody gets in as one of these, and what they voted counts no longer.
    banned: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        """Say whether anybody recorded anything that could count."""
        return bool(self.votes or self.waivers or self.overrides or self.freezes)


NO_ACTS = Acts()


def act_digest(act: Vote | Waiver | Override | Freeze | Exemption) -> str:
    """Return the digest of what an act says, which a signed decision names; its end and its review are not in it."""
    match act:
        case Vote():
            said: list[object] = [
                act.release_digest,
                act.policy,
                act.rule,
                act.rule_digest,
                act.approves,
                act.voter,
            ]
            said += [act.group, act.reason, [list(code) for code in act.seen]]
        case Waiver():
            said = [act.service, act.environment, act.release, act.policy, act.rule, act.rule_digest]
            said += [act.finding_reason, act.artifact, act.key, act.fingerprint, act.owner, act.ticket]
            said += [act.reason, act.requester, act.granter]
        case Override():
            said = [act.release, act.release_digest, [list(code) for code in act.overrules], act.principal]
            said += [act.ticket, act.reason, *act.artifact_digests]
        case Exemption():
            said = [act.freeze, act.release, act.release_digest, act.reason, act.ticket, act.creator]
        case Freeze():
            return act.digest
    return digest_of([act.name, *said, stamp(act.create_time), stamp(act.expire_time)])


def same_person(some: Iterable[str], others: Iterable[str]) -> bool:
    """Say whether two people share a name; case does not tell people apart, and no name is nobody's."""
    known = {one.casefold() for one in some if one}
    return not known.isdisjoint(one.casefold() for one in others)


def _labelled(wanted: tuple[tuple[str, str], ...], labels: object) -> bool:
    have = dict(labels) if isinstance(labels, dict) else {}
    return all(key in have and matches(glob, have[key]) for key, glob in wanted)
