"""What an answer of the gate is worth to this client: the exit code, and why it is taken for HOLD if it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from release_passport.cli import exit_codes
from release_passport.cli.render.view import moment
from release_passport.v1 import decision_pb2, verdict_pb2

_ALLOWING = {verdict_pb2.VERDICT_ALLOW, verdict_pb2.VERDICT_ALLOW_WITH_CANARY}


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
    code = exit_codes.of_verdict(decision.effective_verdict, accept_canary=accept_canary)
    if decision.effective_verdict not in _ALLOWING:
        unknown = (
            decision.effective_verdict not in verdict_pb2.Verdict.values() or not decision.effective_verdict
        )
        return Standing(code, "the server gave a verdict that this client does not know" if unknown else "")
    if not decision.name:
        return Standing(exit_codes.HOLD, "the answer names no recorded decision")
    if decision.dev and not accept_dev:
        return Standing(
            exit_codes.HOLD,
            "made by a server in development mode, which gates nothing; --dev accepts it where you try things out",
            is_final=True,
        )
    if not newest:
        return Standing(
            exit_codes.HOLD, "a newer decision of this release exists; ask again without --request-id"
        )
    until = moment(decision.valid_until)
    if until is None or until <= now:
        return Standing(exit_codes.HOLD, "the decision is no longer valid; ask again")
    return Standing(code)


def utc_now() -> datetime:
    """Return the time that validity is checked against."""
    return datetime.now(UTC)
