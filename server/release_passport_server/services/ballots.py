"""Put together what people are asked about a release, exactly as a vote is bound to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from release_passport_server.domain.access import Principal, Verb
from release_passport_server.domain.acts import Vote
from release_passport_server.domain.approving import About, CastVote, Request, not_passing
from release_passport_server.domain.authors import Authors, is_person
from release_passport_server.domain.case import Case
from release_passport_server.domain.decide import decide
from release_passport_server.domain.errors import NotFound, Precondition
from release_passport_server.domain.ids import ReleaseName
from release_passport_server.domain.outcome import Finding, strictest_finding
from release_passport_server.domain.people import FREEZE_RULE, seen_codes, still_seen
from release_passport_server.domain.release import Release
from release_passport_server.ports.access import Authorizer
from release_passport_server.ports.judging import LoadedCase
from release_passport_server.ports.store import Reader
from release_passport_server.services.cases import Cases, case_key
from release_passport_server.services.people import (
    NotCounting,
    Standing,
    authors_in,
    groups_of,
    newest_attempt,
    without_vote,
)


@dataclass(frozen=True, slots=True)
class _Looked:
    """A release as it stands now."""

    loaded: LoadedCase
    case: Case
    findings: tuple[Finding, ...]
    authors: Authors


@dataclass(frozen=True, slots=True)
class Ballots:
    """Shows what is asked, and which votes count."""

    access: Authorizer
    cases: Cases
    standing: Standing

    def request(self, reader: Reader, principal: Principal, about: About, now: datetime) -> Request:
        """Return what one rule asks; raise Precondition `NOTHING_ASKED` where none does, or which is not clear."""
        found = [
            one
            for one in self.requests(reader, principal, about.release, now)
            if not about.rule or (one.finding.policy, one.finding.rule) == (about.policy, about.rule)
        ]
        if not found:
            raise Precondition("NOTHING_ASKED", f"nobody is asked about {about.release}: see its decision")
        if len(found) > 1:
            rules = ", ".join(f"{one.finding.policy}/{one.finding.rule}" for one in found)
            raise Precondition("NOTHING_ASKED", f"several rules ask: say which of {rules}")
        return found[0]

    def requests(
        self, reader: Reader, principal: Principal, name: ReleaseName, now: datetime
    ) -> tuple[Request, ...]:
        """Return what every rule asks about a release, answered or not, in the order of the rules."""
        looked = self._look(reader, name, now)
        newest = looked.loaded.standing
        if newest is None:
            raise Precondition("NOTHING_ASKED", f"{name} was never judged: call Evaluate first")
        asking: dict[tuple[str, str], list[Finding]] = {}
        for finding in looked.findings:
            if finding.approval is not None:
                asking.setdefault((finding.policy, finding.rule), []).append(finding)
        others = not_passing(looked.findings)
        previous = self._previous(reader, looked.loaded.release)
        return tuple(
            self._request(looked, strictest_finding(asking[key]), others, previous, principal)
            for key in sorted(asking)
        )

    def counted(
        self, reader: Reader, name: ReleaseName, votes: Sequence[Vote], now: datetime
    ) -> tuple[CastVote, ...]:
        """Return votes with why each does not count."""
        return self._counted(self._look(reader, name, now), votes)

    def authors(self, reader: Reader, name: ReleaseName) -> Authors:
        """Return who may not vote on a release."""
        return authors_in(reader, _release(reader, name))

    def _look(self, reader: Reader, name: ReleaseName, now: datetime) -> _Looked:
        release = _release(reader, name)
        loaded = reader.load_case(case_key(release, reader.attempts(release.name)), now)
        case = self.cases.build(loaded)
        return _Looked(loaded, case, decide(case, now=now).findings, without_vote(loaded, case.policies))

    def _request(
        self,
        looked: _Looked,
        finding: Finding,
        others: tuple[Finding, ...],
        previous: Release | None,
        principal: Principal,
    ) -> Request:
        loaded = looked.loaded
        assert loaded.standing is not None
        assert finding.approval is not None
        digest = _rule_digest(looked.case, finding)
        about = [v for v in loaded.acts.votes if (v.policy, v.rule) == (finding.policy, finding.rule)]
        of = groups_of(loaded.acts.groups, principal.id, principal.groups)
        mine = finding.approval.open_to(of, loaded.now - loaded.release.create_time)
        return Request(
            release=loaded.release,
            finding=finding,
            rule_digest=digest,
            others=others,
            decision=loaded.standing.name,
            ask_time=loaded.standing.decide_time,
            authors=looked.authors,
            votes=self._counted(looked, about),
            previous=previous,
            attempt=newest_attempt(loaded),
            groups=mine,
            why_not=self._why_not(looked, principal, mine),
        )

    def _why_not(self, looked: _Looked, principal: Principal, groups: Sequence[str]) -> str:
        """Return why somebody may not approve; empty where they may."""
        identity = looked.loaded.release.identity
        if not is_person(principal.id):
            return "only people vote"
        scopes = self.access.allowed_scopes(principal, Verb.APPROVE)
        if not any(scope.covers(identity.service, identity.environment) for scope in scopes):
            return "you may not approve there"
        if looked.authors.include(principal.id, principal.identities):
            return "you are an author of this release"
        return "" if groups else "you are in none of the groups that are asked"

    def _counted(self, looked: _Looked, votes: Iterable[Vote]) -> tuple[CastVote, ...]:
        rules = {(p.policy_id, r.rule_id): r for p in looked.case.policies for r in p.rules}
        freezes = {f"{FREEZE_RULE}{one.name}": one.digest for one in looked.loaded.acts.freezes}
        shown = seen_codes(looked.findings)

        def why(vote: Vote) -> str:
            rule = rules.get((vote.policy, vote.rule))
            if rule is None and vote.policy:
                return NotCounting.RULE_CHANGED
            if not vote.policy and vote.rule_digest != freezes.get(vote.rule, vote.rule_digest):
                return NotCounting.RULE_CHANGED
            found = self.standing.not_counting(vote, looked.loaded, looked.authors, rule)
            if found is None and vote.approves and vote.policy and not still_seen(vote.seen, shown):
                found = NotCounting.FINDINGS_CHANGED
            return found or ""

        return tuple(CastVote(vote, why(vote)) for vote in votes)

    def _previous(self, reader: Reader, release: Release) -> Release | None:
        if not release.previous:
            return None
        name = ReleaseName.parse(release.previous)
        return reader.find_release(name.service, name.environment, name.version)


def _release(reader: Reader, name: ReleaseName) -> Release:
    found = reader.find_release(name.service, name.environment, name.version)
    if found is None:
        raise NotFound("NOT_FOUND", f"there is no release {name}")
    return found


def _rule_digest(case: Case, finding: Finding) -> str:
    if finding.rule.startswith(FREEZE_RULE):
        name = finding.rule.removeprefix(FREEZE_RULE)
        return next(one.digest for one in case.people.freezes if one.name == name)
    policy = next(one for one in case.policies if one.policy_id == finding.policy)
    return next(rule.digest for rule in policy.rules if rule.rule_id == finding.rule)
