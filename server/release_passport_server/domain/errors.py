"""The few kinds of error that the service raises; each carries a stable reason and a text for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that is wrong with a request: the field's path and what to change."""

    field: str
    description: str


class PassportError(Exception):
    """Something that the caller is told: `reason` is stable, the text is for people."""

    def __init__(
        self,
        reason: str,
        message: str,
        *,
        metadata: Mapping[str, str] | None = None,
        violations: Sequence[Violation] = (),
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.metadata = dict(metadata or {})
        self.violations = tuple(violations)
        self.retry_after = retry_after


class Invalid(PassportError):
    """The request is wrong by itself, whatever the state of the store."""


class Unauthenticated(PassportError):
    """Nobody known is asking."""


class Denied(PassportError):
    """The principal may not do this, or may not know whether it exists."""


class NotFound(PassportError):
    """There is no such thing."""


class AlreadyExists(PassportError):
    """There is such a thing already, and it differs."""


class Conflict(PassportError):
    """Somebody else changed it meanwhile: read again and retry."""


class Precondition(PassportError):
    """The state does not permit this."""


class OutOfRange(PassportError):
    """The place asked for is past what is kept."""


class Exhausted(PassportError):
    """A quota is used up."""


class Unavailable(PassportError):
    """The service cannot answer now: retry after a while."""


def invalid(violations: Sequence[Violation]) -> Invalid:
    """Return the error that names every violation of one request at once."""
    text = "; ".join(f"{v.field}: {v.description}" for v in violations)
    return Invalid("INVALID_FIELDS", text, violations=violations)
