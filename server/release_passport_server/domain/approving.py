"""What is asked of people about a release: everything that a vote is bound to, with a mark of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from release_passport_server.domain.act_names import ApprovalName
from release_passport_server.domain.acts import Vote
from release_passport_server.domain.authors import Authors
from release_passport_server.domain.canonical import digest_of
from release_passport_server.domain.ids import ReleaseName
from release_passport_server.domain.outcome import Finding
from release_passport_server.domain.people import code_of, seen_codes
from release_passport_server.domain.policy import ApprovalRequirement
from release_passport_server.domain.release import Release
from release_passport_server.domain.verdict import Verdict

# How many characters of its digest stand for a part of what was shown.
_MARK = 24


@dataclass(frozen=True, slots=True)
class About:
    """What somebody votes on: a rule, or a freeze that a release is exempt from; an empty rule is the only one."""

    release: ReleaseName
    policy: str = ""
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Ballot:
    """One vote as it is asked to be cast."""

    about: About
    approves: bool
    group: str
    reason: str
    etag: str


@dataclass(frozen=True, slots=True)
class Ended:
    """Which vote to end, and why."""

    name: ApprovalName
    reason: str


@dataclass(frozen=True, slots=True)
class CastVote:
    """A vote, and why it does not count; empty where it does."""

    vote: Vote
    not_counting: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """What one rule asks about one release."""

    release: Release
    finding: Finding
    rule_digest: str
    # Everything else that does not pass.
    others: tuple[Finding, ...]
    decision: str
    ask_time: datetime
    authors: Authors
    votes: tuple[CastVote, ...]
    previous: Release | None
    # The newest attempt at these digests; empty where there was none.
    attempt: str = ""
    # For the one who looks: the groups to vote for, and why they may not.
    groups: tuple[str, ...] = ()
    why_not: str = ""

    @property
    def requirement(self) -> ApprovalRequirement:
        """Return who has to vote."""
        assert self.finding.approval is not None
        return self.finding.approval

    @property
    def lacking(self) -> tuple[str, ...]:
        """Return the groups whose votes are not enough yet."""
        given = Counter(c.vote.group for c in self.votes if c.vote.approves and not c.not_counting)
        return tuple(one.group for one in self.requirement.groups if given[one.group] < one.count)

    def waits_for(self, principal: str) -> bool:
        """Say whether a vote of the one who looks is still wanted: theirs to give, not given, and not too many."""
        voted = any(c.vote.voter == principal and not c.not_counting for c in self.votes)
        wanted = not self.lacking or not set(self.lacking).isdisjoint(self.groups)
        return not self.why_not and not voted and wanted

    @property
    def etag(self) -> str:
        """Return the mark of what a vote is bound to, part by part, so that it can be said which one differs."""
        finding, seen = self.finding, [list(code) for code in seen_codes(self.others)]
        parts: tuple[object, ...] = (
            self.release.identity.digest,
            [finding.policy, finding.rule, self.rule_digest],
            list(code_of(finding)),
            seen,
        )
        return "-".join(digest_of(part).removeprefix("sha256:")[:_MARK] for part in parts)

    def differences(self, etag: str) -> tuple[str, ...]:
        """Return what is not what it was when somebody was shown `etag`, each with what it is now."""
        finding = self.finding
        others = sorted({f"{one.policy}/{one.rule} {one.reason}" for one in self.others})
        now = (
            f"the release is {self.release.identity.digest} now",
            f"the rule {finding.rule} says something else now",
            f"{finding.rule} is {finding.verdict.name} {finding.reason} now",
            f"besides it stand now: {', '.join(others)}" if others else "nothing stands besides it any more",
        )
        mine, theirs = self.etag.split("-"), etag.split("-")
        if len(mine) != len(theirs):
            return ("the etag is of no request",)
        return tuple(text for text, a, b in zip(now, mine, theirs, strict=True) if a != b)


def not_passing(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return the findings of rules that a vote is bound to: those that pass neither by themselves nor by votes."""
    return tuple(f for f in findings if f.policy and f.verdict > Verdict.ALLOW and f.approval is None)
