"""What the connectors of Kubernetes objects share: the object's place, its failures, its changes and its rights."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Annotated, Any, cast

from pydantic import StringConstraints

from release_passport_server.adapters.connectors.reading import SettingsModel, settings_of
from release_passport_server.domain.cluster.rights import Right, role_manifest
from release_passport_server.domain.connector import CollectFailure
from release_passport_server.domain.errors import PassportError
from release_passport_server.ports.cluster import Cluster, ClusterError, ClusterFailure, Manifest, ObjectRef
from release_passport_server.ports.connector import Collected, CollectFailed, Probe, Target

# Who reads, in the manifests of deploy/.
ACCOUNT, ACCOUNT_NAMESPACE = "release-passport", "release-passport"
# Whoever may do this to an object that a gate guards can go past the gate.
_CHANGES = ("update", "patch", "delete")
# With cluster and namespace it has to fit into the key of evidence.
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9.-]{0,98}[a-z0-9])?$")]
Namespace = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]

_FAILURES = {
    ClusterFailure.CLUSTER_UNKNOWN: CollectFailure.SETTINGS_REFUSED,
    ClusterFailure.KIND_NOT_READ: CollectFailure.SETTINGS_REFUSED,
    ClusterFailure.OBJECT_NOT_FOUND: CollectFailure.OBJECT_NOT_FOUND,
    ClusterFailure.ACCESS_MISSING: CollectFailure.ACCESS_MISSING,
    ClusterFailure.CREDENTIAL_REFUSED: CollectFailure.CREDENTIAL_REFUSED,
    ClusterFailure.HISTORY_GONE: CollectFailure.SOURCE_FAILED,
    ClusterFailure.CLUSTER_UNREACHABLE: CollectFailure.SOURCE_UNREACHABLE,
    ClusterFailure.CLUSTER_BUSY: CollectFailure.SOURCE_BUSY,
    ClusterFailure.ANSWER_TOO_LARGE: CollectFailure.ANSWER_TOO_LARGE,
    ClusterFailure.ANSWER_BROKEN: CollectFailure.ANSWER_BROKEN,
}


class ObjectSettings(SettingsModel):
    """Which object of which cluster is read."""

    cluster: Namespace
    namespace: Namespace
    name: Name


def grant_of(rights: Iterable[Right], what: str) -> str:
    """Return the manifest that grants rights; what is read names its roles, so that none takes another's place."""
    role = f"{ACCOUNT}-{what.lower()}"
    return role_manifest(rights, role=role, account=ACCOUNT, account_namespace=ACCOUNT_NAMESPACE)


def failed(error: PassportError) -> CollectFailed:
    """Return what a connector says of an object that could not be had."""
    failure = CollectFailure.SOURCE_FAILED
    if isinstance(error, ClusterError):
        failure = _FAILURES[error.failure]
    return CollectFailed(failure, error.message.partition(": ")[2] or error.message)


@dataclass(frozen=True, slots=True)
class Objects:
    """The objects around the one that a connector is for, as one reading needs them."""

    cluster: Cluster
    target: Target
    settings: ObjectSettings

    def ref(self, api_version: str, kind: str, name: str = "") -> ObjectRef:
        """Return an object beside that of the settings, or that one."""
        given = self.settings
        return ObjectRef(given.cluster, api_version, kind, given.namespace, name or given.name)

    def words(self, kind: str, name: str = "") -> str:
        """Return an object in words that tell clusters apart: the key of its evidence."""
        given = self.settings
        return f"{given.cluster}/{given.namespace}/{kind}/{name or given.name}"

    async def get(self, api_version: str, kind: str, name: str = "") -> Manifest:
        """Return an object; raise CollectFailed."""
        try:
            return await self.cluster.get(self.target.tenant, self.ref(api_version, kind, name))
        except PassportError as error:
            raise failed(error) from error

    async def beside(self, problems: list[str], api_version: str, kind: str, name: str) -> Manifest:
        """Return an object that helps to understand another one; what cannot be had is empty, and a problem."""
        try:
            return await self.get(api_version, kind, name)
        except CollectFailed as error:
            if error.failure not in {CollectFailure.ACCESS_MISSING, CollectFailure.OBJECT_NOT_FOUND}:
                raise
            problems.append(f"{kind} {name}: {error.text}")
            return {}

    async def lacking(self, rights: Iterable[Right]) -> tuple[str, ...]:
        """Return what the cluster says that would have to be granted; nothing where it does not say."""
        found = await self._lacking(rights)
        return tuple(f"the cluster's token lacks a right: grant {one}" for one in found or ())

    async def excess(self, own: Right) -> tuple[str, ...]:
        """Return how the cluster says that its token may change the object; nothing where it does not say."""
        rights = [replace(own, verbs=_CHANGES, resource=own.resource + part) for part in ("", "/status")]
        found = await self._lacking(rights)
        if found is None:
            return ()
        lacking = {(one.resource, verb) for one in found for verb in one.verbs}
        granted = [
            replace(one, verbs=verbs)
            for one in rights
            if (verbs := tuple(verb for verb in one.verbs if (one.resource, verb) not in lacking))
        ]
        return tuple(f"the cluster's token may change what it reads: take away {one}" for one in granted)

    async def _lacking(self, rights: Iterable[Right]) -> tuple[Right, ...] | None:
        given = self.settings
        wanted = ObjectRef(given.cluster, "", "", given.namespace, given.name)
        try:
            return await self.cluster.lacking(self.target.tenant, wanted, rights)
        except PassportError:
            return None

    async def labelled(self, api_version: str, kind: str, labels: Mapping[str, str]) -> tuple[Manifest, ...]:
        """Return the objects of a kind with these labels; raise CollectFailed."""
        try:
            return await self.cluster.labelled(self.target.tenant, self.ref(api_version, kind), labels)
        except PassportError as error:
            raise failed(error) from error


@dataclass(frozen=True, slots=True)
class ObjectConnector:
    """What a kind of connector is that reads one object: subclasses say which and what it means."""

    cluster: Cluster

    has_endpoint = False
    settings_model = ObjectSettings

    @property
    def kind(self) -> str:
        """Return the name of the kind."""
        raise NotImplementedError

    def settings(self, given: Mapping[str, Any]) -> Any:
        """Return which object is read; raise SettingsRefused."""
        return settings_of(self.settings_model, given)

    def read(self, objects: Objects) -> tuple[str, str]:
        """Return the API version and kind of the object that is read and followed."""
        raise NotImplementedError

    def rights(self, objects: Objects) -> tuple[Right, ...]:
        """Return what has to be granted beside reading and watching the object itself."""
        return ()

    async def found(self, objects: Objects, manifest: Manifest) -> Collected:
        """Return what the object says; raise CollectFailed."""
        raise NotImplementedError

    async def collect(self, target: Target) -> Collected:
        """Read the object and what it names."""
        objects = Objects(self.cluster, target, target.settings)
        return await self.found(objects, await objects.get(*self.read(objects)))

    async def probe(self, target: Target) -> Probe:
        """Say what can be seen of the object, and exactly what would have to be granted."""
        objects = Objects(self.cluster, target, target.settings)
        api_version, kind = self.read(objects)
        given = objects.settings
        own = Right.to(("get", "list", "watch"), api_version, kind, given.namespace, given.name)
        rights = (own, *self.rights(objects))
        grant = grant_of(rights, f"{self.kind}-{kind}-{given.name}")
        # Objects beside it are read by names that this one gives: what is missing there is told by reading them.
        lacking = await objects.lacking([one for one in rights if one == own or not one.name])
        excess = await objects.excess(own)
        try:
            collected = await self.collect(target)
        except CollectFailed as error:
            if error.failure is CollectFailure.ACCESS_MISSING:
                return Probe((), (error.text, *lacking), grant, excess)
            raise
        seen = tuple(dict.fromkeys(one.kind for one in collected.observations))
        visible = tuple(f"{objects.words(kind)} gives {one}" for one in seen)
        return Probe(visible, (*collected.problems, *lacking), grant, excess)

    async def changes(self, target: Target) -> AsyncIterator[None]:
        """Yield whenever the object changes, is gone, or cannot be read."""
        objects = Objects(self.cluster, target, target.settings)
        follow = self.cluster.follow(target.tenant, objects.ref(*self.read(objects)))
        async with aclosing(cast(Any, follow)) as sightings:
            async for _ in sightings:
                yield None
