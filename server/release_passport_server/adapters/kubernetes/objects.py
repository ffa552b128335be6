"""Single objects of the clusters that the server was given, over the Kubernetes API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from release_passport_server.adapters.kubernetes.answers import (
    items_of,
    object_of,
    parsed,
    path_of,
    refused,
    retry_after,
    unreachable,
)
from release_passport_server.adapters.kubernetes.folder import ClusterFolder
from release_passport_server.adapters.kubernetes.following import Following, Patience
from release_passport_server.adapters.kubernetes.reviewing import Reviewing
from release_passport_server.adapters.kubernetes.watching import Watching
from release_passport_server.domain.cluster.rights import Right
from release_passport_server.domain.outbound import OutboundError
from release_passport_server.ports.cluster import (
    ClusterFailure,
    Manifest,
    ObjectNotFound,
    ObjectRef,
    Sighting,
)
from release_passport_server.ports.http import HTTPRequest, HTTPResponse, StreamingClient, StreamingClients

MAX_BYTES = 2 * 1024 * 1024
# A list holds many objects, and none of them is followed.
MAX_LIST_BYTES = 16 * 1024 * 1024
MAX_LISTED = 500
SECONDS = 5.0
# Each watched object takes one connection for as long as it is watched; so many others are kept for questions.
WATCH_CONNECTIONS = 2000
CONNECTIONS = 16


@dataclass(frozen=True, slots=True)
class _Opened:
    """The clients of one cluster, and what they were made from."""

    server: str
    authority: object
    asking: StreamingClient
    watching: StreamingClient
    closing: AsyncExitStack


@dataclass(slots=True)
class KubernetesObjects:
    """Reads and watches objects; see the port."""

    folder: Path
    clients: StreamingClients
    patience: Patience = field(default_factory=Patience)
    _open: dict[str, _Opened] = field(default_factory=dict)
    _opening: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def _clusters(self) -> ClusterFolder:
        return ClusterFolder(self.folder)

    def knows(self, tenant: str, cluster: str) -> bool:
        """Say whether there is a cluster of that id for the tenant."""
        return self._clusters.knows(tenant, cluster)

    async def get(self, tenant: str, wanted: ObjectRef) -> Manifest:
        """Return the object as the API server gives it; raise a ClusterError."""
        answer = await self._answer(tenant, wanted, path_of(wanted), "get", MAX_BYTES)
        return object_of(parsed(answer.body, wanted), wanted)

    async def labelled(
        self, tenant: str, wanted: ObjectRef, labels: Mapping[str, str]
    ) -> tuple[Manifest, ...]:
        """Return the objects of a kind and namespace with all of these labels; raise a ClusterError."""
        selector = ",".join(f"{name}={value}" for name, value in sorted(labels.items()))
        query = {"labelSelector": selector, "limit": str(MAX_LISTED)}
        path = path_of(wanted, named=False, query=query)
        answer = await self._answer(tenant, wanted, path, "list", MAX_LIST_BYTES, named=False)
        return items_of(parsed(answer.body, wanted), wanted)

    async def first(self, tenant: str, wanted: ObjectRef) -> tuple[Manifest | None, str]:
        """Return the object, None where there is none, and the version from which to watch it."""
        query = {"fieldSelector": f"metadata.name={wanted.name}"}
        path = path_of(wanted, named=False, query=query)
        answer = await self._answer(tenant, wanted, path, "list", MAX_BYTES)
        found = parsed(answer.body, wanted)
        items = items_of(found, wanted)
        version = found["metadata"].get("resourceVersion")
        held = [object_of(one, wanted) for one in items]
        return (held[0] if held else None), version if isinstance(version, str) else ""

    async def lacking(self, tenant: str, wanted: ObjectRef, rights: Iterable[Right]) -> tuple[Right, ...]:
        """Return which of these rights the cluster says that its token has not; raise a ClusterError."""
        opened = await self._opened(tenant, wanted)
        reviewing = Reviewing(opened.asking, opened.server, self._credential(wanted.cluster), wanted)
        return tuple([one async for one in reviewing.lacking(rights)])

    def follow(self, tenant: str, wanted: ObjectRef) -> AsyncIterator[Sighting]:
        """Give the object as it is, and then as often as it changes."""
        return Following(self, tenant, wanted, self.patience).sightings()

    async def watching(self, tenant: str, wanted: ObjectRef) -> Watching:
        """Return what watches one object; raise a ClusterError."""
        opened = await self._opened(tenant, wanted)
        return Watching(opened.watching, opened.server, self._credential(wanted.cluster), wanted)

    async def close(self) -> None:
        """Close the connections."""
        while self._open:
            await self._open.popitem()[1].closing.aclose()

    async def _answer(
        self, tenant: str, wanted: ObjectRef, path: str, verb: str, most: int, *, named: bool = True
    ) -> HTTPResponse:
        opened = await self._opened(tenant, wanted)
        request = HTTPRequest(
            f"{opened.server}{path}",
            credential=self._credential(wanted.cluster),
            accept=("application/json",),
            max_bytes=most,
            seconds=SECONDS,
            max_redirects=0,
        )
        try:
            answer = await opened.asking.send(request)
        except OutboundError as error:
            raise unreachable(error, wanted) from error
        if answer.status != 200:
            raise refused(answer.status, wanted, verb, retry_after(answer.headers), named=named)
        return answer

    async def _opened(self, tenant: str, wanted: ObjectRef) -> _Opened:
        cluster = wanted.cluster
        if not self.knows(tenant, cluster):
            text = f"this server was given no cluster {quote(cluster[:100], safe='')}"
            raise ObjectNotFound(text, ClusterFailure.CLUSTER_UNKNOWN)
        server, authority = self._clusters.server(cluster), self._clusters.authority(cluster)
        known = self._open.get(cluster)
        if known is not None and (known.server, known.authority) == (server, authority):
            return known
        async with self._opening:
            known = self._open.get(cluster)
            if known is None or (known.server, known.authority) != (server, authority):
                before, known = known, await self._made(server, authority, wanted)
                self._open[cluster] = known
                if before is not None:
                    # Whatever is watched is watched anew, from whom the authorities of now vouch for.
                    await before.closing.aclose()
        return known

    async def _made(self, server: str, authority: tuple[Path | None, object], wanted: ObjectRef) -> _Opened:
        """Return clients that trust this authority; raise a ClusterError."""
        reach, file = self._clusters.reach(wanted.cluster), authority[0]
        asking = self.clients.open(reach, file, connections=CONNECTIONS)
        watching = self.clients.open(reach, file, connections=WATCH_CONNECTIONS)
        try:
            async with AsyncExitStack() as stack:
                return _Opened(
                    server,
                    authority,
                    await stack.enter_async_context(asking),
                    await stack.enter_async_context(watching),
                    stack.pop_all(),
                )
        except OutboundError as error:
            raise unreachable(error, wanted) from error

    def _credential(self, cluster: str) -> str:
        token = self._clusters.token(cluster)
        return f"Bearer {token}" if token else ""
