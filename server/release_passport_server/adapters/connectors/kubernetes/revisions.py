"""Which revisions of a workload are kept, and what images each of them runs: where a rollback could go.

A Deployment's are the ReplicaSets that it controls, by the number in their annotation, as `kubectl rollout undo` goes
by it: a ReplicaSet that is used again gets a new number, so the order in which they were made says nothing. A Rollout's
is the stable ReplicaSet, whose name follows from its hash.
"""

from __future__ import annotations

from dataclasses import dataclass

from release_passport_server.adapters.connectors.kubernetes.manifests import (
    entries,
    fields,
    flag,
    template_digests,
    word,
)
from release_passport_server.adapters.connectors.kubernetes.objects import Objects
from release_passport_server.ports.cluster import Manifest

_REVISION = "deployment.kubernetes.io/revision"
ARGO = "argoproj.io/v1alpha1"


@dataclass(frozen=True, slots=True)
class Revisions:
    """The revisions of a workload that are kept, newest first, each with the images it runs; None: not known."""

    kept: tuple[tuple[str, frozenset[str] | None], ...]
    paused: bool = False


async def of_deployment(objects: Objects, problems: list[str]) -> Revisions | None:
    """Return the revisions of a Deployment; None where they cannot be told apart from others'."""
    deployment = await objects.get("apps/v1", "Deployment")
    labels = fields(deployment, "spec", "selector", "matchLabels")
    if not labels or entries(deployment, "spec", "selector", "matchExpressions"):
        problems.append("its ReplicaSets cannot be told by their labels alone, and are not read")
        return None
    own = {str(key): str(value) for key, value in labels.items()}
    found = await objects.labelled("apps/v1", "ReplicaSet", own)
    numbered = [
        (int(number), one)
        for one in found
        if _controls(deployment, one)
        and (number := word(fields(one, "metadata", "annotations"), _REVISION)).isdecimal()
    ]
    numbered.sort(key=lambda one: one[0], reverse=True)
    kept = tuple((str(number), _runs(one)) for number, one in numbered)
    return Revisions(kept, flag(deployment, "spec", "paused"))


async def of_rollout(objects: Objects, problems: list[str]) -> Revisions | None:
    """Return the stable revision of a Rollout; None where there is none yet."""
    rollout = await objects.get(ARGO, "Rollout")
    stable = word(rollout, "status", "stableRS")
    if not stable:
        return None
    name = f"{objects.settings.name}-{stable}"
    replicas = await objects.beside(problems, "apps/v1", "ReplicaSet", name)
    return Revisions(((stable, _runs(replicas)),), flag(rollout, "spec", "paused")) if replicas else None


def _controls(deployment: Manifest, replicas: Manifest) -> bool:
    uid = word(deployment, "metadata", "uid")
    return bool(uid) and any(
        one.get("uid") == uid and one.get("controller") is True
        for one in entries(replicas, "metadata", "ownerReferences")
    )


def _runs(replicas: Manifest) -> frozenset[str] | None:
    found = template_digests(fields(replicas, "spec", "template"))
    return None if found is None else frozenset(found)
