"""The one exception of the client: what the server, or the way to it, said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that is wrong with a request: the field's path and what to change."""

    field: str
    description: str


class PassportAPIError(Exception):
    """A call that gave no answer: `code` is the gRPC status name, `reason` is stable, the text is for people."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        reason: str = "",
        violations: Sequence[Violation] = (),
        retry_after: float | None = None,
        metadata: Mapping[str, str] | None = None,
        request_id: str = "",
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.reason = reason
        self.violations = tuple(violations)
        self.retry_after = retry_after
        self.metadata = dict(metadata or {})
        self.request_id = request_id

    @property
    def is_unreachable(self) -> bool:
        """Say whether the gate could not be reached or did not answer in time."""
        return self.code in {"UNAVAILABLE", "DEADLINE_EXCEEDED"}

    @property
    def is_transient(self) -> bool:
        """Say whether the same call may succeed after a while."""
        return self.is_unreachable or self.code in {"RESOURCE_EXHAUSTED", "ABORTED"}
