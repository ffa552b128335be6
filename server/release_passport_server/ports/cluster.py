"""What connectors and gates need of a cluster: one object at a time, as it is and as it changes.

Each failure has a class of its own, because a connector's health tells them apart. All of them are errors that the
services know (`Denied`, `NotFound`, `Unavailable`), so that who does not tell them apart holds.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from release_passport_server.domain.cluster.rights import Right
from release_passport_server.domain.errors import Denied, NotFound, PassportError, Unavailable
from release_passport_server.ports.workloads import ClusterObjects, ObjectRef

# An object as the API server gives it, and as nobody has checked it.
Manifest = Mapping[str, Any]


class ClusterFailure(StrEnum):
    """Why an object could not be had."""

    CLUSTER_UNKNOWN = "CLUSTER_UNKNOWN"
    KIND_NOT_READ = "KIND_NOT_READ"
    OBJECT_NOT_FOUND = "OBJECT_NOT_FOUND"
    ACCESS_MISSING = "ACCESS_MISSING"
    CREDENTIAL_REFUSED = "CREDENTIAL_REFUSED"
    HISTORY_GONE = "HISTORY_GONE"
    CLUSTER_UNREACHABLE = "CLUSTER_UNREACHABLE"
    CLUSTER_BUSY = "CLUSTER_BUSY"
    ANSWER_TOO_LARGE = "ANSWER_TOO_LARGE"
    ANSWER_BROKEN = "ANSWER_BROKEN"


class ClusterError(PassportError):
    """An object could not be had; the text says why, and holds nothing that the cluster answered."""

    failure: ClusterFailure

    def __init__(
        self, reason: str, failure: ClusterFailure, message: str, *, after: float | None = None
    ) -> None:
        super().__init__(
            reason, f"{failure}: {message}", metadata={"failure": str(failure)}, retry_after=after
        )
        self.failure = failure


class ObjectNotFound(ClusterError, NotFound):
    """There is no such object, or no such cluster, or the API does not know the kind."""

    def __init__(self, message: str, failure: ClusterFailure = ClusterFailure.OBJECT_NOT_FOUND) -> None:
        super().__init__("NOT_FOUND", failure, message)


class AccessMissing(ClusterError, Denied):
    """The token is good and may not do this; `missing` is the right to grant."""

    def __init__(self, message: str, missing: Right | None = None) -> None:
        super().__init__("ACCESS_DENIED", ClusterFailure.ACCESS_MISSING, message)
        self.missing = missing


class KindNotRead(ClusterError, Denied):
    """Objects of this kind are never read."""

    def __init__(self, message: str) -> None:
        super().__init__("ACCESS_DENIED", ClusterFailure.KIND_NOT_READ, message)


class TokenRefused(ClusterError, Denied):
    """The cluster does not know the token: it expired, or belongs elsewhere."""

    def __init__(self, message: str) -> None:
        super().__init__("ACCESS_DENIED", ClusterFailure.CREDENTIAL_REFUSED, message)


class HistoryGone(ClusterError, Unavailable):
    """The cluster no longer has what happened since then: read the object anew, and watch from there."""

    def __init__(self, message: str) -> None:
        super().__init__("OUTBOUND_FAILED", ClusterFailure.HISTORY_GONE, message)


class ClusterUnavailable(ClusterError, Unavailable):
    """The cluster cannot be reached, is busy, or answers with what is no object."""

    def __init__(self, failure: ClusterFailure, message: str, *, after: float | None = None) -> None:
        super().__init__("OUTBOUND_FAILED", failure, message, after=after)


@dataclass(frozen=True, slots=True)
class Sighting:
    """What was just seen of an object: how it is, that it is not there, or why that is not known."""

    # None where there is none, and where it is not known.
    object: Manifest | None = None
    # Why it is not known.
    error: ClusterError | None = None


class Cluster(ClusterObjects, Protocol):
    """Reads and watches single objects of the clusters that the server was given."""

    async def get(self, tenant: str, wanted: ObjectRef) -> Manifest:
        """Return the object as the API server gives it; raise a ClusterError."""
        ...

    async def labelled(
        self, tenant: str, wanted: ObjectRef, labels: Mapping[str, str]
    ) -> tuple[Manifest, ...]:
        """Return the objects of a kind and namespace with all of these labels; the name is not looked at.

        There is no such right for some objects alone: it takes `list` on the kind in the namespace. Raise a
        ClusterError.
        """
        ...

    async def lacking(self, tenant: str, wanted: ObjectRef, rights: Iterable[Right]) -> tuple[Right, ...]:
        """Return which of these rights the cluster says that its token has not; raise a ClusterError."""
        ...

    def follow(self, tenant: str, wanted: ObjectRef) -> AsyncIterator[Sighting]:
        """Give the object as it is, and then as often as it changes, for as long as the caller asks.

        It never ends and never raises by itself: a stream that breaks is resumed where it was, one whose history is
        gone is read anew, and why the object cannot be read is told each time that it was tried in vain. Several
        changes in a row may be given as the last of them.
        """
        ...


__all__ = [
    "AccessMissing",
    "Cluster",
    "ClusterError",
    "ClusterFailure",
    "ClusterObjects",
    "ClusterUnavailable",
    "HistoryGone",
    "KindNotRead",
    "Manifest",
    "ObjectNotFound",
    "ObjectRef",
    "Right",
    "Sighting",
    "TokenRefused",
]
