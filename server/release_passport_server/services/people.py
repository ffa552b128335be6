"""Which of people's acts count for a release now: in force, by somebody who still may, about what it still is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from release_passport_server.domain.access import Principal, Verb
from release_passport_server.domain.acts import (
    REVIEW_WITHIN,
    Acts,
    Exemption,
    Freeze,
    Group,
    Override,
    Vote,
    Waiver,
    act_digest,
)
from release_passport_server.domain.authors import Authors, authors_of, starters_of
from release_passport_server.domain.bypass import DETECTOR
from release_passport_server.domain.evidence import EvidenceItem
from release_passport_server.domain.people import (
    NOBODY,
    CountedVote,
    People,
    StandingFreeze,
    StandingOverride,
    StandingWaiver,
)
from release_passport_server.domain.policy import Policy, Rule
from release_passport_server.domain.release import Place, Release
from release_passport_server.ports.access import Authorizer
from release_passport_server.ports.calendar import Calendar
from release_passport_server.ports.judging import LoadedCase
from release_passport_server.ports.messages import Messages
from release_passport_server.ports.store import Reader
from release_passport_server.services.subjects import subjects_of

_AUTHORS_UNKNOWN = People(authors_known=False)


class NotCounting(StrEnum):
    """Why a vote does not count."""

    ENDED = "ENDED"
    EXPIRED = "EXPIRED"
    RELEASE_CHANGED = "RELEASE_CHANGED"
    RULE_CHANGED = "RULE_CHANGED"
    FINDINGS_CHANGED = "FINDINGS_CHANGED"
    AUTHOR = "AUTHOR"
    RIGHT_LOST = "RIGHT_LOST"
    OTHER_ATTEMPT = "OTHER_ATTEMPT"


@dataclass(frozen=True, slots=True)
class Standing:
    """Tells which acts stand; the same for a recorded decision, a simulation and a list of votes."""

    access: Authorizer
    calendar: Calendar
    messages: Messages

    def people(self, loaded: LoadedCase, place: Place, policies: Sequence[Policy]) -> People:
        """Return what people's acts come to for a case."""
        acts = loaded.acts
        asks = any(rule.approval is not None for policy in policies for rule in policy.rules)
        if not acts and not asks:
            return NOBODY
        now, release = loaded.now, loaded.release
        authors = authors_of(release, loaded.evidence)
        if not acts:
            return NOBODY if authors.known else _AUTHORS_UNKNOWN
        waivers = tuple(_standing_waiver(one) for one in _counting(loaded, policies))
        freezes, freeze_time = self._freezes(acts, release, place, now)
        people = People(
            votes=tuple(self._votes(loaded, policies)),
            waivers=waivers,
            overrides=tuple(_standing_override(one) for one in acts.overrides if _overrules(one, loaded)),
            freezes=freezes,
            freeze_time=freeze_time,
            authors_known=authors.known,
            unreviewed=_unreviewed(acts.overrides, release, now),
            fingerprints=self._fingerprints(loaded.evidence, waivers, policies) if waivers else {},
        )
        if people != People(authors_known=authors.known):
            return people
        return _AUTHORS_UNKNOWN if asks and not authors.known else NOBODY

    def not_counting(
        self, vote: Vote, loaded: LoadedCase, authors: Authors, rule: Rule | None
    ) -> NotCounting | None:
        """Return why a vote does not count, None where it does as far as that does not depend on findings."""
        now, release = loaded.now, loaded.release
        if vote.end_time is not None:
            return NotCounting.ENDED
        if vote.expire_time <= now:
            return NotCounting.EXPIRED
        if vote.release_digest != release.identity.digest:
            return NotCounting.RELEASE_CHANGED
        if rule is not None and vote.rule_digest != rule.digest:
            return NotCounting.RULE_CHANGED
        per_attempt = rule is not None and rule.approval is not None and rule.approval.per_attempt
        if per_attempt and vote.attempt != newest_attempt(loaded):
            return NotCounting.OTHER_ATTEMPT
        if authors.include(vote.voter, vote.voter_identities):
            return NotCounting.AUTHOR
        return None if self._may_still(vote, loaded, rule) else NotCounting.RIGHT_LOST

    def _votes(self, loaded: LoadedCase, policies: Sequence[Policy]) -> Iterable[CountedVote]:
        if not loaded.acts.votes:
            return
        authors = without_vote(loaded, policies)
        rules = {(policy.policy_id, rule.rule_id): rule for policy in policies for rule in policy.rules}
        for vote in loaded.acts.votes:
            rule = rules.get((vote.policy, vote.rule))
            if self.not_counting(vote, loaded, authors, rule) is None:
                yield CountedVote(
                    vote.name,
                    act_digest(vote),
                    vote.policy,
                    vote.rule,
                    vote.rule_digest,
                    vote.approves,
                    vote.group,
                    vote.voter,
                    vote.seen,
                    vote.expire_time,
                )

    def _may_still(self, vote: Vote, loaded: LoadedCase, rule: Rule | None) -> bool:
        release = loaded.release
        if vote.voter in loaded.acts.banned:
            return False
        tenant = release.name.split("/")[1]
        voter = Principal(vote.voter, tenant, loaded.now, groups=vote.voter_groups)
        identity = release.identity
        scopes = self.access.allowed_scopes(voter, Verb.APPROVE)
        if not any(scope.covers(identity.service, identity.environment) for scope in scopes):
            return False
        if not vote.approves:
            return True
        mine = groups_of(loaded.acts.groups, vote.voter, vote.voter_groups)
        if rule is None or rule.approval is None:
            return vote.group in mine
        return vote.group in rule.approval.open_to(mine, vote.create_time - release.create_time)

    def _freezes(
        self, acts: Acts, release: Release, place: Place, now: datetime
    ) -> tuple[tuple[StandingFreeze, ...], datetime | None]:
        standing, starts = [], []
        for freeze in acts.freezes:
            if not freeze.covers(place) or (release.is_restore and not freeze.restores_too):
                continue
            times = self.calendar.times(freeze, now)
            if times.next_start is not None:
                starts.append(times.next_start)
            if times.until_time is not None:
                exemption = _exemption(acts.exemptions, freeze, release, now)
                standing.append(_standing_freeze(freeze, times.until_time, exemption))
        return tuple(standing), min(starts, default=None)

    def _fingerprints(
        self, evidence: Iterable[EvidenceItem], waivers: Iterable[StandingWaiver], policies: Iterable[Policy]
    ) -> dict[str, str]:
        """Return what identifies the evidence that waived rules read."""
        named = {(one.policy, one.rule) for one in waivers}
        rules = [r for policy in policies for r in policy.rules if (policy.policy_id, r.rule_id) in named]
        kinds = {need.kind for rule in rules for need in rule.needs}
        return fingerprints_of((item for item in evidence if item.kind in kinds), self.messages)


def fingerprints_of(evidence: Iterable[EvidenceItem], messages: Messages) -> dict[str, str]:
    """Return what identifies the facts of items, by the items' names."""
    return {item.name: messages.fingerprint(item.kind, item.key, item.facts) for item in evidence}


def authors_in(reader: Reader, release: Release) -> Authors:
    """Return the authors of a stored release, with who started its rollouts."""
    attempts = reader.attempts(release.name)
    authors = authors_of(release, reader.evidence_about(subjects_of(release, attempts)))
    return replace(authors, names=authors.names | starters_of(attempts))


def without_vote(loaded: LoadedCase, policies: Sequence[Policy]) -> Authors:
    """Return who has no vote: the authors, who started its rollouts, and who asked for waivers that count.

    Who asks for an exception does not vote on what is left.
    """
    authors = authors_of(loaded.release, loaded.evidence)
    mine = f"{loaded.release.name}/attempts/"
    attempts = [loaded.attempt, *loaded.previous_attempts]
    started = starters_of(one for one in attempts if one is not None and one.name.startswith(mine))
    others: set[str] = set()
    for waiver in _counting(loaded, policies):
        others.update((waiver.requester, *waiver.requester_identities))
    return replace(authors, names=authors.names | started | {one.casefold() for one in others})


def newest_attempt(loaded: LoadedCase) -> str:
    """Return the newest attempt to roll these digests out here; empty where there was none."""
    if loaded.attempt is not None:
        return loaded.attempt.name
    last = max(loaded.previous_attempts, key=lambda one: one.start_time, default=None)
    return last.name if last else ""


def groups_of(groups: Iterable[Group], principal: str, claimed: Iterable[str]) -> tuple[str, ...]:
    """Return the groups that somebody votes for: those that name them, or a group that their credential names."""
    known_as = {principal, *claimed}
    return tuple(group.group_id for group in groups if not known_as.isdisjoint(group.members))


def _counting(loaded: LoadedCase, policies: Iterable[Policy]) -> list[Waiver]:
    if not loaded.acts.waivers:
        return []
    authors = authors_of(loaded.release, loaded.evidence)
    # A policy that permits no waivers for a whole service any more is taken at its word.
    service_wide = {policy.policy_id for policy in policies if policy.waivers.service_wide}
    return [
        one
        for one in loaded.acts.waivers
        if (one.release or one.policy in service_wide) and _waives(one, loaded.now, authors)
    ]


def _waives(waiver: Waiver, now: datetime, authors: Authors) -> bool:
    granted = waiver.grant_time is not None and waiver.end_time is None and now < waiver.expire_time
    return granted and not authors.include(waiver.granter, waiver.granter_identities)


def _standing_waiver(waiver: Waiver) -> StandingWaiver:
    return StandingWaiver(
        waiver.name,
        act_digest(waiver),
        waiver.policy,
        waiver.rule,
        waiver.rule_digest,
        waiver.finding_reason,
        waiver.artifact,
        waiver.key,
        waiver.fingerprint,
        waiver.owner,
        waiver.expire_time,
    )


def _overrules(override: Override, loaded: LoadedCase) -> bool:
    """Say whether an override still opens this release: it admits once, and what was recorded later opens nothing."""
    release = loaded.release
    if override.release != release.name or override.release_digest != release.identity.digest:
        return False
    if override.retrospective or override.end_time is not None or override.expire_time <= loaded.now:
        return False
    return all(attempt.start_time < override.create_time for attempt in loaded.previous_attempts)


def _standing_override(override: Override) -> StandingOverride:
    return StandingOverride(
        override.name, act_digest(override), override.overrules, override.principal, override.expire_time
    )


def _unreviewed(overrides: Iterable[Override], release: Release, now: datetime) -> str:
    """Return an override of another release of the service that nobody reviewed in time; it gates no way back."""
    if release.is_restore:
        return ""
    for override in overrides:
        # What the server found out by itself nobody answers for yet.
        due = override.create_time + (timedelta(0) if override.recorder == DETECTOR else REVIEW_WITHIN)
        late = override.review_time is None and due <= now
        if late and override.release != release.name:
            return override.name
    return ""


def _exemption(
    exemptions: Iterable[Exemption], freeze: Freeze, release: Release, now: datetime
) -> Exemption | None:
    for one in exemptions:
        about = one.freeze == freeze.name and one.release_digest == release.identity.digest
        if about and one.end_time is None and now < one.expire_time:
            return one
    return None


def _standing_freeze(freeze: Freeze, until: datetime, exemption: Exemption | None) -> StandingFreeze:
    return StandingFreeze(
        freeze.name,
        freeze.digest,
        freeze.title,
        freeze.in_flight,
        until,
        exemption.name if exemption else "",
        act_digest(exemption) if exemption else "",
        freeze.exempt_groups,
    )
