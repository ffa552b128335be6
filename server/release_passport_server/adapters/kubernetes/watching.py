"""One stream of the changes of one object, from one version on until it ends."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

from release_passport_server.adapters.kubernetes.answers import (
    broken,
    object_of,
    path_of,
    refused,
    retry_after,
    unreachable,
)
from release_passport_server.domain.outbound import OutboundError
from release_passport_server.ports.cluster import ClusterError, Manifest, ObjectRef
from release_passport_server.ports.http import HTTPRequest, StreamingClient

# An API server sends a bookmark about once a minute: where nothing at all came for longer, nobody is there.
IDLE_SECONDS = 150.0
BEGIN_SECONDS = 10.0
MAX_EVENT = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Change:
    """What a stream told: the version up to which it is told, and the object where it changed."""

    version: str
    object: Manifest | None = None
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Watching:
    """Watches one object with one credential."""

    client: StreamingClient
    server: str
    credential: str = field(repr=False)
    wanted: ObjectRef

    async def changes(self, version: str, seconds: int) -> AsyncGenerator[Change, None]:
        """Yield what happens after a version until the stream ends in order; raise a ClusterError."""
        query = {
            "fieldSelector": f"metadata.name={self.wanted.name}",
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": version,
            "timeoutSeconds": str(seconds),
        }
        request = HTTPRequest(
            f"{self.server}{path_of(self.wanted, named=False, query=query)}",
            credential=self.credential,
            accept=("application/json",),
            max_bytes=MAX_EVENT,
            seconds=BEGIN_SECONDS,
        )
        try:
            async with self.client.stream(request, IDLE_SECONDS) as stream:
                if stream.status != 200:
                    raise refused(stream.status, self.wanted, "watch", retry_after(stream.headers))
                async for line in stream.lines():
                    yield self._change(line)
        except OutboundError as error:
            raise unreachable(error, self.wanted) from error

    def _change(self, line: bytes) -> Change:
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            event = None
        if not isinstance(event, dict) or not isinstance(event.get("object"), dict):
            raise broken(self.wanted, "what is no event")
        kind, found = event.get("type"), event["object"]
        if kind == "ERROR":
            raise self._failure(found.get("code"))
        metadata = found.get("metadata")
        version = metadata.get("resourceVersion") if isinstance(metadata, dict) else None
        if not isinstance(version, str) or not version or len(version) > 100:
            raise broken(self.wanted, "an event without a version")
        if kind == "BOOKMARK":
            return Change(version)
        if kind not in {"ADDED", "MODIFIED", "DELETED"}:
            raise broken(self.wanted, "an event of another kind")
        return Change(version, object_of(found, self.wanted), deleted=kind == "DELETED")

    def _failure(self, code: object) -> ClusterError:
        return refused(code if isinstance(code, int) else 500, self.wanted, "watch")
