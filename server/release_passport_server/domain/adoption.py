"""What it changes to have a rollout under way judged by the policies as they are now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from release_passport_server.domain.case import Case
from release_passport_server.domain.outcome import Outcome
from release_passport_server.domain.release import Attempt
from release_passport_server.domain.verdict import Verdict


class AdoptedPolicy(NamedTuple):
    """A policy of which another revision judges; 0 where none does."""

    policy_id: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Adoption:
    """The policies that would judge a rollout, which of them differ, and the effective verdicts by both."""

    attempt: Attempt
    policies: tuple[tuple[str, int], ...]
    changes: tuple[AdoptedPolicy, ...]
    before: Verdict
    after: Verdict
    # Of the findings behind the verdict after it that do not simply allow, the strictest first.
    reasons: tuple[str, ...]


def adoption(attempt: Attempt, before: Case, after: Case, was: Outcome, would_be: Outcome) -> Adoption:
    """Return what changes for an attempt between two cases of it and what was decided of each."""
    judged = {one.policy_id: one.revision for one in before.policies}
    judges = {one.policy_id: one.revision for one in after.policies}
    differ = sorted(one for one in {*judged, *judges} if judged.get(one) != judges.get(one))
    reasons = [one.reason for one in would_be.findings if one.verdict is not Verdict.ALLOW]
    return Adoption(
        attempt=attempt,
        policies=tuple(sorted(judges.items())),
        changes=tuple(AdoptedPolicy(one, judged.get(one, 0), judges.get(one, 0)) for one in differ),
        before=was.effective_verdict,
        after=would_be.effective_verdict,
        reasons=tuple(dict.fromkeys(reasons)),
    )
