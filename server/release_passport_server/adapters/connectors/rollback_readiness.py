"""Puts together whether there is a way back: from the server's own record, registries, a workload and GitOps.

What a part does not know is left out, and `ready` with it: it says yes only where everything that was asked for is
known, and no where anything stands in the way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from release_passport_server.adapters.connectors.kubernetes.manifests import flag, known, part
from release_passport_server.adapters.connectors.kubernetes.objects import (
    Objects,
    ObjectSettings,
    grant_of,
)
from release_passport_server.adapters.connectors.kubernetes.revisions import (
    ARGO,
    Revisions,
    of_deployment,
    of_rollout,
)
from release_passport_server.adapters.connectors.reading import SettingsModel, settings_of, stamp
from release_passport_server.domain.cluster.rights import Right
from release_passport_server.domain.connector import CollectFailure, Observation
from release_passport_server.domain.errors import NotFound, PassportError
from release_passport_server.domain.evidence import Subject
from release_passport_server.domain.image import Image, ImageInvalid, RegistryAccess
from release_passport_server.domain.kind import SubjectType
from release_passport_server.domain.release import Artifact, Release
from release_passport_server.domain.way_back import WayBack
from release_passport_server.ports.cluster import Cluster
from release_passport_server.ports.connector import Collected, CollectFailed, Probe, Target
from release_passport_server.ports.registry import Registry

_GITOPS = {
    "Application": "argoproj.io/v1alpha1",
    "Kustomization": "kustomize.toolkit.fluxcd.io/v1",
    "HelmRelease": "helm.toolkit.fluxcd.io/v2",
}
_NONE = "no release of other content has passed here: there is nothing to go back to"


class WorkloadPlace(ObjectSettings):
    """The workload that would be undone."""

    object_kind: Literal["Deployment", "Rollout"] = "Deployment"


class GitopsPlace(ObjectSettings):
    """What applies the workload, and might undo an undo."""

    object_kind: Literal["Application", "Kustomization", "HelmRelease"]


class ReadinessSettings(SettingsModel):
    """What is looked at beside the record."""

    workload: WorkloadPlace | None = None
    gitops: GitopsPlace | None = None
    # The service's promise that its releases work with the database schema of the next one; None: not known.
    migrations_reversible: bool | None = None


@dataclass(slots=True)
class _Found:
    """What is known of the way back from one release."""

    facts: dict[str, Any]
    blockers: list[str] = field(default_factory=list)
    unknown: bool = False

    def told(self) -> dict[str, Any]:
        """Return the facts: ready where everything is known and nothing stands in the way."""
        if self.blockers:
            self.facts["ready"] = False
        elif not self.unknown:
            self.facts["ready"] = True
        return self.facts | {"blockers": self.blockers[:50], "complete": True}


@dataclass(frozen=True, slots=True)
class RollbackReadiness:
    """The kind `rollback-readiness`."""

    registry: Registry
    # By host; no other registry is ever asked.
    accesses: Mapping[str, RegistryAccess]
    cluster: Cluster | None

    kind = "rollback-readiness"
    title = "Whether there is a way back from the newest releases"
    evidence_kinds = ("rollback_readiness",)
    has_endpoint = False

    def settings(self, given: Mapping[str, Any]) -> ReadinessSettings:
        """Return what is looked at; raise SettingsRefused."""
        return settings_of(ReadinessSettings, given)

    async def collect(self, target: Target) -> Collected:
        """Return the way back from each of the newest releases."""
        assert target.ways_back is not None
        problems: list[str] = []
        ways = await target.ways_back()
        revisions = await self._revisions(target, problems)
        reverts = await self._reverts(target, problems)
        pullable: dict[Artifact, bool | None] = {}
        found = []
        for way in ways:
            for artifact in way.target.identity.artifacts if way.target else ():
                if artifact not in pullable:
                    pullable[artifact] = await self._pullable(artifact, problems)
            facts = _facts(way, target.settings, pullable, revisions, reverts)
            subject = Subject(SubjectType.RELEASE, way.release)
            found.append(Observation("rollback_readiness", facts, target.now, subject))
        return Collected(tuple(found), tuple(dict.fromkeys(problems)))

    async def probe(self, target: Target) -> Probe:
        """Say from how many releases a way back is known, and what would have to be granted."""
        grant = _grant(target.settings)
        try:
            collected = await self.collect(target)
        except CollectFailed as error:
            if error.failure is CollectFailure.ACCESS_MISSING:
                return Probe((), (error.text,), grant)
            raise
        ready = sum(bool(one.facts.get("ready")) for one in collected.observations)
        seen = f"{ready} of {len(collected.observations)} releases have a way back that is ready"
        return Probe((seen,), collected.problems, grant)

    async def _pullable(self, artifact: Artifact, problems: list[str]) -> bool | None:
        """Say whether an image is still in its registry, under its digest; None where that is not known."""
        try:
            image = Image.parse(f"{artifact.name}@{artifact.digest}")
        except ImageInvalid:
            problems.append(f"{artifact.name[:100]} names no registry: whether it can be pulled is not known")
            return None
        access = self.accesses.get(image.registry)
        if access is None:
            problems.append(f"{image.registry} is not among registries.hosts: its images are not looked for")
            return None
        try:
            await self.registry.platforms(access, image)
        except NotFound:
            return False
        except PassportError as error:
            problems.append(f"{image.registry}: {error.message}")
            return None
        return True

    async def _revisions(self, target: Target, problems: list[str]) -> Revisions | None:
        """Return what a rollback of the workload would go to; None where that is not known."""
        place = target.settings.workload
        if place is None:
            return None
        objects = self._objects(target, place)
        return await (of_rollout if place.object_kind == "Rollout" else of_deployment)(objects, problems)

    async def _reverts(self, target: Target, problems: list[str]) -> bool | None:
        """Say whether the GitOps controller would undo an undo; None where that is not known."""
        place = target.settings.gitops
        if place is None:
            return None
        found = await self._objects(target, place).beside(
            problems, _GITOPS[place.object_kind], place.object_kind, place.name
        )
        if not found:
            return None
        if place.object_kind == "Application":
            automated = part(found, "spec", "syncPolicy", "automated")
            return isinstance(automated, Mapping) and automated.get("enabled") is not False
        return not flag(found, "spec", "suspend")

    def _objects(self, target: Target, place: ObjectSettings) -> Objects:
        if self.cluster is None:
            text = "this server was given no clusters: set clusters.folder"
            raise CollectFailed(CollectFailure.SETTINGS_REFUSED, text)
        return Objects(self.cluster, target, place)


def _grant(settings: ReadinessSettings) -> str:
    """Return the manifests for what is read of clusters, empty where nothing is."""
    found = []
    if (place := settings.workload) is not None:
        version = ARGO if place.object_kind == "Rollout" else "apps/v1"
        rights = [Right.to(("get",), version, place.object_kind, place.namespace, place.name)]
        # A Rollout names its stable ReplicaSet; those of a Deployment have to be looked for.
        verb = "get" if place.object_kind == "Rollout" else "list"
        rights.append(Right.to((verb,), "apps/v1", "ReplicaSet", place.namespace))
        found.append(grant_of(rights, f"rollback-readiness-{place.object_kind}-{place.name}"))
    if (gitops := settings.gitops) is not None:
        kind = gitops.object_kind
        right = Right.to(("get",), _GITOPS[kind], kind, gitops.namespace, gitops.name)
        found.append(grant_of([right], f"rollback-readiness-{kind}-{gitops.name}"))
    return "---\n".join(found)


def _facts(
    way: WayBack,
    settings: ReadinessSettings,
    pullable: Mapping[Artifact, bool | None],
    revisions: Revisions | None,
    reverts: bool | None,
) -> dict[str, Any]:
    found = _Found(known(gitops_reverts=reverts, migration_reversible=settings.migrations_reversible))
    if way.last_exercised_time is not None:
        found.facts["last_exercised_time"] = stamp(way.last_exercised_time)
    if way.target is None:
        found.blockers.append(_NONE)
        return found.told()
    found.facts |= _of_target(way, way.target)
    if way.verified is False:
        found.blockers.append("an image of the target has no attestation that still counts")
    found.unknown = found.unknown or way.verified is None
    _add_images(found, way.target, pullable)
    if settings.workload is not None:
        _add_revision(found, way.target, revisions)
    if settings.gitops is not None and reverts is None:
        found.unknown = True
    return found.told()


def _of_target(way: WayBack, target: Release) -> dict[str, Any]:
    images = {one.digest for one in target.identity.artifacts}
    healthy = way.last_healthy_time
    return known(
        target_release=target.name,
        target_digest=images.pop() if len(images) == 1 else None,
        last_healthy_time=None if healthy is None else stamp(healthy),
        verified=way.verified,
    )


def _add_images(found: _Found, target: Release, pullable: Mapping[Artifact, bool | None]) -> None:
    states = [(one, pullable[one]) for one in target.identity.artifacts]
    found.blockers += [
        f"{one.name[:100]}@{one.digest} is gone from its registry"
        for one, is_there in states
        if is_there is False
    ]
    if any(is_there is False for _, is_there in states):
        found.facts["pullable"] = False
    elif states and all(is_there for _, is_there in states):
        found.facts["pullable"] = True
    else:
        found.unknown = True


def _add_revision(found: _Found, target: Release, revisions: Revisions | None) -> None:
    if revisions is None:
        found.unknown = True
        return
    if revisions.paused:
        found.blockers.append("the workload is paused: an undo is refused")
    images = frozenset(one.digest for one in target.identity.artifacts if one.type == "image")
    kept = [number for number, runs in revisions.kept if runs == images]
    if kept:
        found.facts["target_revision"] = kept[0]
    elif any(runs is None for _, runs in revisions.kept):
        found.unknown = True
    else:
        found.blockers.append("the workload keeps no revision that runs the target's images")
