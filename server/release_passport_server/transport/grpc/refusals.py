"""Calls that are refused unheard: told at the least cost, counted, and written to the log once a second."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2

from release_passport_server.domain.errors import Unavailable
from release_passport_server.transport.grpc.errors import status_of
from release_passport_server.transport.grpc.methods import Method
from release_passport_server.transport.metrics import Metrics

logger = logging.getLogger(__name__)

REQUEST_ID = "x-request-id"
REFUSED = frozenset({"OVERLOADED", "DRAINING", "NOT_SERVED_HERE"})
_LOG_SECONDS = 1.0
_REQUEST_INFO = f"type.googleapis.com/{error_details_pb2.RequestInfo.DESCRIPTOR.full_name}"


class Refusals:
    """Counts refusals; a line for each would cost more than the refusal."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._counts: Counter[tuple[str, str, str]] = Counter()

    def count(self, method: Method, edge: str, reason: str) -> None:
        """Count one call."""
        self._metrics.call_shed(method, edge)
        if not self._counts:
            asyncio.get_running_loop().call_later(_LOG_SECONDS, self.write)
        self._counts[method.path, edge, reason] += 1

    def write(self) -> None:
        """Write to the log how many calls of each method were refused since the last time."""
        for (path, edge, reason), count in self._counts.items():
            extra = {"method": path, "edge": edge, "code": "UNAVAILABLE", "reason": reason, "calls": count}
            logger.warning("calls refused", extra=extra)
        self._counts.clear()


def trailers_of(error: Unavailable, request_id: str) -> tuple[tuple[str, str | bytes], ...]:
    """Return the trailing metadata of a refusal; retries that the client's library makes keep to it too."""
    # https://github.com/grpc/proposal/blob/master/A6-client-retries.md#pushback
    pushback = round((error.retry_after or 0.0) * 1000)
    return (
        ("grpc-status-details-bin", _details_of(error, request_id)),
        ("grpc-retry-pushback-ms", str(pushback)),
        (REQUEST_ID, request_id),
    )


def _details_of(error: Unavailable, request_id: str) -> bytes:
    info = error_details_pb2.RequestInfo(request_id=request_id).SerializeToString()
    packed = any_pb2.Any(type_url=_REQUEST_INFO, value=info)
    # Two messages, one behind the other, are the sum of both: the list of details goes on.
    given = _without_request(error.reason, error.message, tuple(error.metadata.items()), error.retry_after)
    rest: bytes = status_pb2.Status(details=[packed]).SerializeToString()
    return given + rest


@lru_cache(maxsize=1024)
def _without_request(
    reason: str, message: str, metadata: Iterable[tuple[str, str]], retry_after: float | None
) -> bytes:
    error = Unavailable(reason, message, metadata=dict(metadata), retry_after=retry_after)
    status = status_of(error, "")
    kept = [packed for packed in status.details if not packed.Is(error_details_pb2.RequestInfo.DESCRIPTOR)]
    told = status_pb2.Status(code=status.code, message=status.message, details=kept)
    serialised: bytes = told.SerializeToString()
    return serialised
