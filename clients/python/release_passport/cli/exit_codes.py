"""The exit codes, frozen: scripts and pipelines act on them. An error is never 0."""

from __future__ import annotations

OK = 0
ERROR = 1
USAGE = 2
AUTH = 4
UNREACHABLE = 5
REQUIRE_APPROVAL = 10
HOLD = 11
BLOCK = 12
ROLLBACK_RECOMMENDED = 13
ALLOW_WITH_CANARY = 14
INTERRUPTED = 130

_OF_STATUS = {
    "INVALID_ARGUMENT": USAGE,
    "OUT_OF_RANGE": USAGE,
    "UNAUTHENTICATED": AUTH,
    "PERMISSION_DENIED": AUTH,
    "UNAVAILABLE": UNREACHABLE,
    "DEADLINE_EXCEEDED": UNREACHABLE,
}

# By the number of the verdict in the contract. What is not here, such as a value from a newer server, holds.
_OF_VERDICT = {
    1: OK,
    2: ALLOW_WITH_CANARY,
    3: REQUIRE_APPROVAL,
    4: HOLD,
    5: BLOCK,
    6: ROLLBACK_RECOMMENDED,
}


def of_status(code: str) -> int:
    """Return the exit code for the gRPC status of a call that gave no answer."""
    return _OF_STATUS.get(code, ERROR)


def of_verdict(verdict: int, *, accept_canary: bool = False) -> int:
    """Return the exit code for an effective verdict."""
    code = _OF_VERDICT.get(verdict, HOLD)
    return OK if code == ALLOW_WITH_CANARY and accept_canary else code
