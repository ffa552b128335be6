"""Single objects of the clusters that the server was given, over the Kubernetes API.

A cluster is a folder of small files, as a service account's token is mounted: `server` (the API server's URL), `token`,
`ca.crt` and, where not every tenant may use it, `tenants`. Tokens are read for each call, because they are rotated.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from release_passport_server.domain.errors import Denied, NotFound, Unavailable
from release_passport_server.domain.ids import is_slug
from release_passport_server.domain.outbound import Origin, OriginInvalid, Reach
from release_passport_server.ports.http import HTTPClient, HTTPClients, HTTPRequest
from release_passport_server.ports.workloads import ObjectRef

MAX_BYTES = 2 * 1024 * 1024
SECONDS = 5.0

# What is read at all, with the name of each kind in the API's paths.
RESOURCES: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("apps", "Deployment"): "deployments",
        ("apps", "DaemonSet"): "daemonsets",
        ("apps", "StatefulSet"): "statefulsets",
        ("apps", "ReplicaSet"): "replicasets",
        ("flagger.app", "Canary"): "canaries",
        ("argoproj.io", "Rollout"): "rollouts",
    }
)


@dataclass(slots=True)
class KubernetesObjects:
    """Reads objects; see the port."""

    folder: Path
    clients: HTTPClients
    _open: dict[str, tuple[str, HTTPClient]] = field(default_factory=dict)
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    _opening: asyncio.Lock = field(default_factory=asyncio.Lock)

    def knows(self, tenant: str, cluster: str) -> bool:
        """Say whether there is a cluster of that id for the tenant."""
        if not is_slug(cluster) or not (self.folder / cluster / "server").is_file():
            return False
        tenants = self.folder / cluster / "tenants"
        return not tenants.is_file() or tenant in tenants.read_text(encoding="utf-8").split()

    async def get(self, tenant: str, wanted: ObjectRef) -> Mapping[str, Any]:
        """Return the object as the API server gives it."""
        if not self.knows(tenant, wanted.cluster):
            raise NotFound("NOT_FOUND", f"this server was given no cluster {wanted.cluster}")
        client, server = await self._client(wanted.cluster)
        token = self._file(wanted.cluster, "token")
        request = HTTPRequest(
            f"{server.rstrip('/')}{_path(wanted)}",
            credential=f"Bearer {token}" if token else "",
            accept=("application/json",),
            max_bytes=MAX_BYTES,
            seconds=SECONDS,
            max_redirects=0,
        )
        answer = await client.send(request)
        if answer.status != 200:
            raise _refused(answer.status, wanted)
        return _object(answer.body, wanted)

    async def close(self) -> None:
        """Close the connections."""
        self._open.clear()
        await self._stack.aclose()

    async def _client(self, cluster: str) -> tuple[HTTPClient, str]:
        server = self._file(cluster, "server")
        known = self._open.get(cluster)
        if known is not None and known[0] == server:
            return known[1], server
        async with self._opening:
            known = self._open.get(cluster)
            if known is None or known[0] != server:
                authority = self.folder / cluster / "ca.crt"
                try:
                    reach = Reach((Origin.of(server, internal=True),))
                except OriginInvalid as error:
                    raise Unavailable(
                        "OUTBOUND_FAILED", f"the server of cluster {cluster} {error}"
                    ) from error
                opened = self.clients.open(reach, authority if authority.is_file() else None)
                known = (server, await self._stack.enter_async_context(opened))
                self._open[cluster] = known
        return known[1], server

    def _file(self, cluster: str, name: str) -> str:
        path = self.folder / cluster / name
        try:
            return path.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return ""
        except (OSError, UnicodeError) as error:
            raise Unavailable("OUTBOUND_FAILED", f"the {name} of cluster {cluster} cannot be read") from error


def _path(wanted: ObjectRef) -> str:
    group, slash, version = wanted.api_version.partition("/")
    resource = RESOURCES.get((group, wanted.kind))
    if not slash or resource is None:
        raise Denied("ACCESS_DENIED", f"{wanted.kind[:100]} is no kind of object that is read")
    named = "/".join(quote(one, safe="") for one in (group, version, "namespaces", wanted.namespace))
    if wanted.name in {"", ".", ".."}:
        raise Denied("ACCESS_DENIED", "the object has no name")
    return f"/apis/{named}/{resource}/{quote(wanted.name, safe='')}"


def _object(body: bytes, wanted: ObjectRef) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or found.get("kind") != wanted.kind:
        raise Unavailable("OUTBOUND_FAILED", f"cluster {wanted.cluster} answers with something else")
    metadata = found.get("metadata")
    if not isinstance(metadata, dict) or metadata.get("name") != wanted.name:
        raise Unavailable("OUTBOUND_FAILED", f"cluster {wanted.cluster} answers with another object")
    return found


def _refused(status: int, wanted: ObjectRef) -> NotFound | Denied | Unavailable:
    what = f"{wanted.cluster}/{wanted.namespace}/{wanted.kind}/{wanted.name}"
    if status == 404:
        return NotFound("NOT_FOUND", f"there is no {what}")
    if status in {401, 403}:
        return Denied("ACCESS_DENIED", f"the cluster's token may not read {what}: apply the role of deploy/")
    return Unavailable("OUTBOUND_FAILED", f"reading {what} was answered with {status}")
