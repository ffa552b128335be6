"""Reads a Rollout of Argo Rollouts, the analysis runs that it names and the ReplicaSet that is stable.

The order in which its status is believed is that of `utils/rollout/rolloututil.go`: the observed generation first,
which is a text; then whether it is about to go on; then the generation of what it points at; then the phase.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from release_passport_server.adapters.connectors.kubernetes.manifests import (
    condition,
    conditions,
    count,
    entries,
    fields,
    flag,
    known,
    moment,
    numbers,
    template_digests,
    word,
)
from release_passport_server.adapters.connectors.kubernetes.objects import ObjectConnector, Objects
from release_passport_server.adapters.connectors.kubernetes.runs import analysis_facts
from release_passport_server.domain.cluster.rights import Right
from release_passport_server.domain.connector import Observation
from release_passport_server.ports.cluster import Manifest
from release_passport_server.ports.connector import Collected

ARGO = "argoproj.io/v1alpha1"
_PHASES = {"Progressing": "PROGRESSING", "Paused": "PAUSED", "Degraded": "DEGRADED"}
_WORKLOAD_GENERATION = "rollout.argoproj.io/workload-generation"
_EVERYTHING = 100


class ArgoRollouts(ObjectConnector):
    """The kind `argo-rollouts`."""

    kind = "argo-rollouts"
    title = "A Rollout of Argo Rollouts, and its analysis runs"
    evidence_kinds = ("rollout_status", "runtime_health", "analysis_result")

    def read(self, objects: Objects) -> tuple[str, str]:
        """Return that it is a Rollout."""
        return ARGO, "Rollout"

    def rights(self, objects: Objects) -> tuple[Right, ...]:
        """Return what it takes to read analysis runs and ReplicaSets, whose names are made by the controller."""
        space = objects.settings.namespace
        return (
            Right.to(("get",), ARGO, "AnalysisRun", space),
            Right.to(("get",), "apps/v1", "ReplicaSet", space),
        )

    async def found(self, objects: Objects, manifest: Manifest) -> Collected:
        """Return where the rollout stands, how it is, and what its analyses came to."""
        problems: list[str] = []
        now = objects.target.now
        template = await self._template(objects, manifest, problems)
        stable = await self._stable(objects, manifest, template, problems)
        status = rollout_facts(manifest, template_digests(template), stable)
        found = [
            Observation("rollout_status", {"object": objects.words("Rollout"), **status}, now),
            Observation(
                "runtime_health",
                {"object": objects.words("Rollout"), **health_facts(manifest, template)},
                now,
            ),
        ]
        for templates, name in analyses(manifest):
            run = await objects.beside(problems, ARGO, "AnalysisRun", name)
            if run:
                found.append(Observation("analysis_result", analysis_facts(run, templates), now))
        return Collected(tuple(found), tuple(problems))

    async def _template(self, objects: Objects, manifest: Manifest, problems: list[str]) -> object:
        reference = fields(manifest, "spec", "workloadRef")
        if not reference:
            return fields(manifest, "spec", "template")
        kind = word(reference, "kind")
        if kind != "Deployment":
            problems.append("the template of its workloadRef is no Deployment's, and is not read")
            return {}
        target = await objects.beside(problems, "apps/v1", kind, word(reference, "name"))
        return fields(target, "spec", "template")

    async def _stable(
        self, objects: Objects, manifest: Manifest, template: object, problems: list[str]
    ) -> list[str] | None:
        stable, current = word(manifest, "status", "stableRS"), word(manifest, "status", "currentPodHash")
        if not stable:
            return None
        if stable == current:
            return template_digests(template)
        name = f"{objects.settings.name}-{stable}"
        replicas = await objects.beside(problems, "apps/v1", "ReplicaSet", name)
        return template_digests(fields(replicas, "spec", "template"))


def current(rollout: Manifest) -> bool | None:
    """Say whether the status is about the newest generation of the Rollout and of what it points at."""
    wanted, seen = count(rollout, "metadata", "generation"), word(rollout, "status", "observedGeneration")
    if wanted is None or not seen.isdecimal() or int(seen) > wanted:
        # Something else than a number, or a larger one, was written by a version that kept a hash there.
        return None
    if int(seen) != wanted:
        return False
    if not fields(rollout, "spec", "workloadRef"):
        return True
    given = word(fields(rollout, "metadata", "annotations"), _WORKLOAD_GENERATION)
    known_to_it = word(rollout, "status", "workloadObservedGeneration")
    return given == known_to_it if given and known_to_it else None


def rollout_facts(
    rollout: Manifest, canary_images: list[str] | None, stable_images: list[str] | None
) -> dict[str, Any]:
    """Return where a rollout stands; what its status is not about, as far as can be told, is left out."""
    status, spec = fields(rollout, "status"), fields(rollout, "spec")
    is_current = current(rollout)
    facts = known(
        controller="argo-rollouts",
        reported_phase=word(status, "phase"),
        message=word(status, "message"),
        stable_revision=word(status, "stableRS"),
        canary_revision=word(status, "currentPodHash"),
        observed_generation_current=is_current,
        transition_time=moment(condition(rollout, "Progressing"), "lastTransitionTime"),
        canary_image_digests=canary_images,
        stable_image_digests=stable_images,
        complete=True if canary_images and stable_images else None,
    )
    if not is_current:
        return facts
    reasons = entries(status, "pauseConditions")
    facts |= known(
        phase=_phase(status, reasons),
        step=count(status, "currentStepIndex"),
        step_count=len(entries(spec, "strategy", "canary", "steps")) or None,
        weight=_weight(status, fields(spec, "strategy")),
        paused=bool(reasons) or flag(spec, "paused"),
        pause_reason=word(reasons[0], "reason") if reasons else "",
        aborted=flag(status, "abort"),
        steps_skipped=True if flag(status, "promoteFull") else None,
    )
    return facts


def health_facts(rollout: Manifest, template: object) -> dict[str, Any]:
    """Return how a Rollout's replicas are; a status of an older generation says nothing of them."""
    is_current = current(rollout)
    images = template_digests(template)
    facts = known(
        revision_hash=word(rollout, "status", "currentPodHash"),
        observed_generation_current=is_current,
        conditions=conditions(rollout) or None,
        image_digests=images,
        complete=True if images else None,
    )
    facts |= numbers(desired_replicas=count(rollout, "spec", "replicas"))
    if not is_current:
        return facts
    status = fields(rollout, "status")
    # Numbers that are 0 are left out of the status.
    return facts | numbers(
        ready_replicas=count(status, "readyReplicas") or 0,
        updated_replicas=count(status, "updatedReplicas") or 0,
        available_replicas=count(status, "availableReplicas") or 0,
    )


def analyses(rollout: Manifest) -> list[tuple[str, str]]:
    """Return the analysis runs that a Rollout names, each behind its templates joined by "+"."""
    status, strategy = fields(rollout, "status"), fields(rollout, "spec", "strategy")
    steps = entries(strategy, "canary", "steps")
    index = count(status, "currentStepIndex") or 0
    step = steps[index] if index < len(steps) else {}
    named = (
        (fields(status, "canary", "currentStepAnalysisRunStatus"), fields(step, "analysis")),
        (
            fields(status, "canary", "currentBackgroundAnalysisRunStatus"),
            fields(strategy, "canary", "analysis"),
        ),
        (
            fields(status, "blueGreen", "prePromotionAnalysisRunStatus"),
            fields(strategy, "blueGreen", "prePromotionAnalysis"),
        ),
        (
            fields(status, "blueGreen", "postPromotionAnalysisRunStatus"),
            fields(strategy, "blueGreen", "postPromotionAnalysis"),
        ),
    )
    return [
        (templates, name)
        for run, analysis in named
        if (name := word(run, "name")) and (templates := _templates(analysis))
    ]


def _templates(analysis: Mapping[str, Any]) -> str:
    return "+".join(word(one, "templateName") for one in entries(analysis, "templates"))[:256]


def _phase(status: Mapping[str, Any], reasons: object) -> str | None:
    if flag(status, "controllerPause") and not reasons:
        # Somebody let it go on, and it has not begun to.
        return "ROLLOUT_PHASE_PROGRESSING"
    phase = word(status, "phase")
    if phase == "Healthy":
        done = word(status, "currentPodHash") == word(status, "stableRS") != ""
        return "ROLLOUT_PHASE_SUCCEEDED" if done else None
    return f"ROLLOUT_PHASE_{_PHASES[phase]}" if phase in _PHASES else None


def _weight(status: Mapping[str, Any], strategy: Mapping[str, Any]) -> int | None:
    """Return the share of the traffic, or of the pods where nothing routes traffic, that is on the new revision."""
    new, stable = word(status, "currentPodHash"), word(status, "stableRS")
    if not new:
        return None
    if new == stable:
        return _EVERYTHING
    if fields(strategy, "blueGreen"):
        if word(status, "blueGreen", "activeSelector") == new:
            return _EVERYTHING
        # Nobody gets it before the switch, and a watch window is not about who does; what is aborted is taken back.
        return 0 if flag(status, "abort") else None
    routed = count(status, "canary", "weights", "canary", "weight")
    if routed is not None:
        return min(routed, _EVERYTHING)
    if fields(strategy, "canary", "trafficRouting"):
        return None
    every, updated = count(status, "replicas"), count(status, "updatedReplicas") or 0
    return None if not every else min(_EVERYTHING, updated * _EVERYTHING // every)
