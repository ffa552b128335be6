"""Follows a tenant's audit log for as long as it is wanted, over restarts of the server."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Protocol

from release_passport.errors import PassportAPIError
from release_passport.v1 import audit_pb2, audit_service_pb2

# Where a stream ends with one of these, the next one goes on.
RESUMED = ("UNAVAILABLE", "DEADLINE_EXCEEDED", "ABORTED")
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0


class AuditStreams(Protocol):
    """A client, as far as its audit log is followed."""

    def stream_audit_entries(
        self, request: audit_service_pb2.StreamAuditEntriesRequest, *, timeout: float | None = None
    ) -> Iterator[audit_service_pb2.StreamAuditEntriesResponse]:
        """Yield the log from a leaf on."""
        ...


def follow_audit(
    client: AuditStreams,
    first: int = 0,
    *,
    tenant: str = "",
    attempts: int | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[audit_pb2.AuditEntry]:
    """Yield every entry from a leaf on, each once and in order, and go on where a stream ended.

    Raises PassportAPIError for what asking again does not mend, and, with `attempts`, after so many vain ones in a row.
    """
    request = audit_service_pb2.StreamAuditEntriesRequest(tenant=tenant, from_leaf=first)
    pause, vain = FIRST_PAUSE, 0
    while True:
        try:
            for answer in client.stream_audit_entries(request):
                pause, vain = FIRST_PAUSE, 0
                yield from answer.entries
                request.from_leaf = answer.next_leaf
        except PassportAPIError as error:
            vain += 1
            if error.code not in RESUMED or (attempts is not None and vain >= attempts):
                raise
            sleep(max(pause, error.retry_after or 0.0))
            pause = min(pause * 2, LONGEST_PAUSE)
