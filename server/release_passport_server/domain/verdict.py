"""Verdicts, stages and modes: the numbers are those of the contract, and a verdict's number is its precedence."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum


class Verdict(IntEnum):
    """The outcome of a rule, a policy or a decision; the greater is the stricter."""

    ALLOW = 1
    ALLOW_WITH_CANARY = 2
    REQUIRE_APPROVAL = 3
    HOLD = 4
    BLOCK = 5
    ROLLBACK_RECOMMENDED = 6

    @property
    def allows(self) -> bool:
        """Say whether the release may go, if only progressively."""
        return self <= Verdict.ALLOW_WITH_CANARY


# An enum takes its time to say a member's name.
VERDICT_NAMES = {verdict: verdict.name for verdict in Verdict}


class Stage(IntEnum):
    """Where a release is when it is judged."""

    PRE_ROLLOUT = 1
    WATCH = 2


class Mode(IntEnum):
    """What a policy's result does to the effective verdict."""

    SHADOW = 1
    ADVISORY = 2
    ENFORCE = 3


def strictest(verdicts: Iterable[Verdict], default: Verdict = Verdict.HOLD) -> Verdict:
    """Return the strictest verdict; nothing at all is HOLD, because nobody has said that it is safe."""
    return max(verdicts, default=default)
