"""What an answer of the gate is worth on the command line: the exit code, and why it is taken for HOLD if it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from release_passport.cli import exit_codes
from release_passport.gate import refusal_of
from release_passport.v1 import decision_pb2

# What this command line adds about what to do.
_HERE = {
    "DEVELOPMENT_SERVER": "; --dev accepts it where you try things out",
    "NOT_NEWEST": " without --request-id",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """An exit code, the reason where the client does not act on the verdict, and whether asking again is in vain."""

    exit_code: int
    refusal: str = ""
    is_final: bool = False


def standing_of(
    decision: decision_pb2.Decision,
    *,
    now: datetime,
    newest: bool = True,
    accept_canary: bool = False,
    accept_dev: bool = False,
) -> Standing:
    """Return what the decision is worth at this moment; what cannot be relied on holds."""
    refusal = refusal_of(decision, now=now, newest=newest, accept_dev=accept_dev)
    if refusal is None:
        return Standing(exit_codes.of_verdict(decision.effective_verdict, accept_canary=accept_canary))
    told = refusal.message + _HERE.get(refusal.code, "")
    return Standing(exit_codes.HOLD, told, is_final=refusal.code == "DEVELOPMENT_SERVER")


def utc_now() -> datetime:
    """Return the time that validity is checked against."""
    return datetime.now(UTC)
