"""What services need of a cluster: one object at a time, as it is at this moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from release_passport_server.domain.errors import Unavailable


@dataclass(frozen=True, slots=True)
class ObjectRef:
    """One object of one cluster."""

    cluster: str
    api_version: str
    kind: str
    namespace: str
    name: str


class ClusterObjects(Protocol):
    """Reads single objects of the clusters that the server was given."""

    def knows(self, tenant: str, cluster: str) -> bool:
        """Say whether there is a cluster of that id for the tenant."""
        ...

    async def get(self, tenant: str, wanted: ObjectRef) -> Mapping[str, Any]:
        """Return the object as the API server gives it; raise NotFound, Denied or Unavailable."""
        ...


class NoClusters:
    """Stands for the clusters of a server that was given none."""

    def knows(self, tenant: str, cluster: str) -> bool:
        """Say no."""
        return False

    async def get(self, tenant: str, wanted: ObjectRef) -> Mapping[str, Any]:
        """Raise Unavailable."""
        raise Unavailable("WORKLOAD_UNREADABLE", f"this server was given no cluster {wanted.cluster}")
