"""Reads a Deployment, StatefulSet or DaemonSet and, where that is allowed, its pods."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from release_passport_server.adapters.connectors.kubernetes.manifests import (
    condition,
    conditions,
    count,
    digests,
    entries,
    fields,
    flag,
    generation_current,
    known,
    moment,
    numbers,
    part,
    template_digests,
    word,
)
from release_passport_server.adapters.connectors.kubernetes.objects import (
    ObjectConnector,
    Objects,
    ObjectSettings,
)
from release_passport_server.adapters.connectors.reading import time_of
from release_passport_server.domain.cluster.rights import Right
from release_passport_server.domain.connector import Observation
from release_passport_server.ports.cluster import Manifest
from release_passport_server.ports.connector import Collected

LATELY = timedelta(minutes=10)
_NOT_PULLED = frozenset({"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"})


class WorkloadSettings(ObjectSettings):
    """Which object is read, and whether its pods are: that takes a right to list all pods of the namespace."""

    object_kind: Literal["Deployment", "StatefulSet", "DaemonSet"] = "Deployment"
    pods: bool = False


class Workload(ObjectConnector):
    """The kind `kubernetes-workload`."""

    kind = "kubernetes-workload"
    title = "A Deployment, StatefulSet or DaemonSet, and its pods"
    evidence_kinds = ("runtime_health", "rollout_status")
    settings_model = WorkloadSettings

    def read(self, objects: Objects) -> tuple[str, str]:
        """Return which of them it is."""
        return "apps/v1", _settings(objects).object_kind

    def rights(self, objects: Objects) -> tuple[Right, ...]:
        """Return what it takes to read pods."""
        given = _settings(objects)
        return (Right.to(("list",), "v1", "Pod", given.namespace),) if given.pods else ()

    async def found(self, objects: Objects, manifest: Manifest) -> Collected:
        """Return how the workload is and, of a Deployment, where its rollout stands."""
        given, now = _settings(objects), objects.target.now
        name = {"object": objects.words(given.object_kind)}
        facts, problems = health_facts(manifest), []
        if given.pods:
            labels = fields(manifest, "spec", "selector", "matchLabels")
            if not labels or entries(manifest, "spec", "selector", "matchExpressions"):
                problems.append("its pods cannot be told by their labels alone, and are not read")
            else:
                for name_of_images in ("image_digests", "complete"):
                    facts.pop(name_of_images, None)
                own = {str(key): str(value) for key, value in labels.items()}
                facts |= pod_facts(await objects.labelled("v1", "Pod", own), now)
        found = [Observation("runtime_health", name | facts, now)]
        if given.object_kind == "Deployment":
            found.append(Observation("rollout_status", name | deployment_facts(manifest), now))
        return Collected(tuple(found), tuple(problems))


def health_facts(workload: Manifest) -> dict[str, Any]:
    """Return how a workload's replicas are; a status of an older generation says nothing of them."""
    is_current = generation_current(workload)
    images = template_digests(fields(workload, "spec", "template"))
    facts = known(
        observed_generation_current=is_current,
        conditions=conditions(workload) or None,
        image_digests=images,
        complete=True if images else None,
    )
    status = fields(workload, "status")
    daemon = "desiredNumberScheduled" in status
    desired = count(status, "desiredNumberScheduled") if daemon else count(workload, "spec", "replicas")
    facts |= numbers(desired_replicas=desired)
    if not is_current:
        return facts
    names = ("numberReady", "updatedNumberScheduled", "numberAvailable")
    if not daemon:
        names = ("readyReplicas", "updatedReplicas", "availableReplicas")
    # Numbers that are 0 are left out of the status.
    ready, updated, available = (count(status, one) or 0 for one in names)
    return facts | numbers(ready_replicas=ready, updated_replicas=updated, available_replicas=available)


def deployment_facts(deployment: Manifest) -> dict[str, Any]:
    """Return where the rollout of a Deployment stands: its conditions say so, and its numbers whether it is over."""
    progressing = condition(deployment, "Progressing")
    reason, is_current = word(progressing, "reason"), generation_current(deployment)
    paused = flag(deployment, "spec", "paused")
    status, wanted = fields(deployment, "status"), count(deployment, "spec", "replicas")
    phase = None
    if is_current and status:
        numbers_ = [count(status, one) or 0 for one in ("replicas", "updatedReplicas", "availableReplicas")]
        if paused:
            phase = "PAUSED"
        elif (
            reason == "ProgressDeadlineExceeded"
            or word(condition(deployment, "ReplicaFailure"), "status") == "True"
        ):
            phase = "DEGRADED"
        elif wanted is not None and all(one == wanted for one in numbers_):
            phase = "SUCCEEDED"
        elif progressing:
            phase = "PROGRESSING"
    return known(
        controller="kubernetes",
        phase=f"ROLLOUT_PHASE_{phase}" if phase else None,
        reported_phase=reason,
        message=word(progressing, "message"),
        paused=paused,
        observed_generation_current=is_current,
        transition_time=moment(progressing, "lastTransitionTime"),
        canary_revision=word(
            fields(deployment, "metadata", "annotations"), "deployment.kubernetes.io/revision"
        ),
        canary_image_digests=template_digests(fields(deployment, "spec", "template")),
    )


def pod_facts(pods: Sequence[Manifest], now: datetime) -> dict[str, Any]:
    """Return how the containers of pods are, and what images run in them."""
    every = [status for pod in pods for status in _statuses(pod)]
    ended = [one for one in every if _ended_lately(one, now)]
    running = digests(part(one, "imageID") for one in every)
    facts = numbers(
        restarts_10m=len(ended),
        out_of_memory_kills_10m=sum(_last(one).get("reason") == "OOMKilled" for one in ended),
        crash_looping_containers=sum(
            word(one, "state", "waiting", "reason") == "CrashLoopBackOff" for one in every
        ),
        image_pull_failures=sum(word(one, "state", "waiting", "reason") in _NOT_PULLED for one in every),
    )
    # What runs is truer than what the template names; where some pod has not begun, that is not known.
    return facts | known(image_digests=running, complete=True if running else None)


def _statuses(pod: Manifest) -> Iterator[Mapping[str, Any]]:
    for name in ("initContainerStatuses", "containerStatuses"):
        yield from entries(pod, "status", name)


def _last(status: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return how a container ended last."""
    return fields(status, "lastState", "terminated") or fields(status, "state", "terminated")


def _ended_lately(status: Mapping[str, Any], now: datetime) -> bool:
    ended = time_of(_last(status).get("finishedAt"))
    again = (count(status, "restartCount") or 0) > 0
    return again and ended is not None and now - ended <= LATELY


def _settings(objects: Objects) -> WorkloadSettings:
    settings = objects.settings
    assert isinstance(settings, WorkloadSettings)
    return settings
