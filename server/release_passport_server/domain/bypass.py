"""What runs although no gate let it: found by comparing what is seen to run with what was admitted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from release_passport_server.domain.gate_table import Channel
from release_passport_server.domain.kind import CUSTOM_PREFIX
from release_passport_server.domain.release import Attempt

# The evidence of it, about the service in its environment.
BYPASS_KIND = f"{CUSTOM_PREFIX}release-passport.dev/gate-bypassed"
# Who recorded it, where the server itself did.
DETECTOR = "system:bypasses"
# A controller may still say that it exposes what was just taken back.
GRACE = timedelta(minutes=2)


class Bypass(StrEnum):
    """How a gate was bypassed."""

    # It takes traffic, and no rollout of it was let begin.
    NOT_ADMITTED = "NOT_ADMITTED"
    # No release has these images at all.
    NO_RELEASE_FOR_DIGESTS = "NO_RELEASE_FOR_DIGESTS"
    # It was let begin as a canary, and went past its steps.
    STEPS_SKIPPED = "STEPS_SKIPPED"


@dataclass(frozen=True, slots=True)
class Running:
    """What one look at a rollout says of the images that take traffic."""

    object: str
    digests: frozenset[str]
    steps_skipped: bool


def is_new(now: Running, before: Running | None) -> bool:
    """Say whether something came to run, or its steps to be skipped, since the look before; the first is none."""
    if before is None:
        return False
    return now.digests != before.digests or (now.steps_skipped and not before.steps_skipped)


def is_past_gate(channel: Channel, *, exposed: bool, up_to_date: bool) -> bool:
    """Say whether a question is about digests that took traffic before it: what asks beside the steps of a rollout.

    A gate in the steps may stand behind the first weight, and a Canary's target is changed before its status is.
    """
    return channel is Channel.BACKGROUND and exposed and up_to_date


def is_admitted(attempts: Sequence[Attempt], now: datetime) -> bool:
    """Say whether a release's rollout was let begin, and not ended as anything but good a while ago."""
    if not attempts:
        return False
    newest = max(attempts, key=lambda one: one.number)
    if newest.finish_time is None or newest.outcome == "PASSED":
        return True
    return any(one.outcome == "PASSED" for one in attempts) or now - newest.finish_time <= GRACE
