"""What is asked of people about a release: everything that a vote is bound to, with a mark of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from release_passport_server.domain.act_names import ApprovalName
from release_passport_server.domain.acts import Vote
from release_passport_server.domain.authors import Authors
from release_passport_server.domain.canonical import digest_of
from release_passport_server.domain.ids import ReleaseName
from release_passport_server.domain.outcome import Finding
from release_passport_server.domain.people import seen_codes
from release_passport_server.domain.policy import ApprovalRequirement
from release_passport_server.domain.release import Release
from release_passport_server.domain.verdict import Verdict


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
    def etag(self) -> str:
        """Return the mark of what a vote is bound to."""
        return etag_of(self.release, self.finding, self.rule_digest, self.others)


def etag_of(release: Release, finding: Finding, rule_digest: str, others: Sequence[Finding]) -> str:
    """Return the mark of a release's digest, a rule's, and the codes of all other findings that do not pass."""
    seen = [list(code) for code in seen_codes(others)]
    return digest_of([release.identity.digest, finding.policy, finding.rule, rule_digest, seen])


def not_passing(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return the findings of rules that a vote is bound to: those that pass neither by themselves nor by votes."""
    return tuple(f for f in findings if f.policy and f.verdict > Verdict.ALLOW and f.approval is None)
