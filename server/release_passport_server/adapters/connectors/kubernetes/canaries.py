"""Reads a Canary of Flagger, the workload that it is about and that workload's primary.

The status lies (`pkg/canary/status.go`, `scheduler.go`): while it waits for the promotion it says weight 0 although the
traffic is where it was; Failed with a weight of 100 is a promotion that left all traffic there; and it has no observed
generation: until the controller's next look it says of a new template what was true of the one before.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from release_passport_server.adapters.connectors.kubernetes.manifests import (
    condition,
    count,
    fields,
    flag,
    known,
    moment,
    numbers,
    part,
    template_digests,
    word,
)
from release_passport_server.adapters.connectors.kubernetes.objects import ObjectConnector, Objects
from release_passport_server.domain.cluster.rights import Right
from release_passport_server.domain.connector import Observation
from release_passport_server.domain.flagger_steps import goes_by_weights, weights_of
from release_passport_server.ports.cluster import Manifest
from release_passport_server.ports.connector import Collected

_PHASES = {
    "Initializing": "INITIALIZING",
    "Initialized": "SUCCEEDED",
    "Waiting": "WAITING",
    "Progressing": "PROGRESSING",
    "WaitingPromotion": "WAITING_PROMOTION",
    "Promoting": "PROMOTING",
    "Finalising": "PROMOTING",
    "Succeeded": "SUCCEEDED",
    "Failed": "FAILED",
}
_TARGETS = frozenset({"Deployment", "DaemonSet"})
# The primary runs what its target runs, unless that was changed since.
_ENDED = frozenset({"Initialized", "Succeeded"})
_EVERYTHING = 100


class FlaggerCanary(ObjectConnector):
    """The kind `flagger`."""

    kind = "flagger"
    title = "A Canary of Flagger"
    evidence_kinds = ("rollout_status",)

    def read(self, objects: Objects) -> tuple[str, str]:
        """Return that it is a Canary."""
        return "flagger.app/v1beta1", "Canary"

    def rights(self, objects: Objects) -> tuple[Right, ...]:
        """Return what it takes to read the workload and its primary, where they have the Canary's name."""
        given = objects.settings
        return tuple(
            Right.to(("get",), "apps/v1", "Deployment", given.namespace, name)
            for name in (given.name, f"{given.name}-primary")
        )

    async def found(self, objects: Objects, manifest: Manifest) -> Collected:
        """Return where the rollout stands."""
        problems: list[str] = []
        target, primary = await self._images(objects, manifest, problems)
        facts = canary_facts(manifest, target, primary)
        found = Observation(
            "rollout_status", {"object": objects.words("Canary"), **facts}, objects.target.now
        )
        return Collected((found,), tuple(problems))

    async def _images(
        self, objects: Objects, manifest: Manifest, problems: list[str]
    ) -> tuple[list[str] | None, list[str] | None]:
        reference = fields(manifest, "spec", "targetRef")
        kind, name = word(reference, "kind"), word(reference, "name")
        if kind not in _TARGETS or not name:
            problems.append("its target is neither a Deployment nor a DaemonSet, and is not read")
            return None, None
        found = []
        for one in (name, f"{name}-primary"):
            workload = await objects.beside(problems, "apps/v1", kind, one)
            found.append(template_digests(fields(workload, "spec", "template")))
        return found[0], found[1]


def canary_facts(
    canary: Manifest, target_images: list[str] | None, primary_images: list[str] | None
) -> dict[str, Any]:
    """Return where a Canary's rollout stands."""
    spec, status = fields(canary, "spec"), fields(canary, "status")
    analysis = fields(spec, "analysis") or fields(spec, "canaryAnalysis")
    phase = word(status, "phase")
    # The target is changed before its controller looks: what stands at its end is then about what ran before.
    is_behind = phase in _ENDED and bool(target_images and primary_images) and target_images != primary_images
    waiting, suspended = phase in {"Waiting", "WaitingPromotion"}, flag(spec, "suspend")
    iterations = count(analysis, "iterations")
    facts = known(
        controller="flagger",
        phase=f"ROLLOUT_PHASE_{_PHASES[phase]}" if phase in _PHASES and not is_behind else None,
        observed_generation_current=False if is_behind else None,
        reported_phase=phase,
        message=word(condition(canary, "Promoted"), "message"),
        weight=_weight(phase, spec, status, analysis, is_behind=is_behind),
        step=count(status, "iterations") if iterations and phase == "Progressing" else None,
        step_count=iterations or None,
        stable_revision=word(status, "lastPromotedSpec"),
        canary_revision=word(status, "lastAppliedSpec"),
        paused=(waiting or suspended) if phase else None,
        pause_reason="suspended" if suspended else phase if waiting else "",
        steps_skipped=True if flag(spec, "skipAnalysis") else None,
        transition_time=moment(status, "lastTransitionTime"),
        canary_image_digests=target_images,
        stable_image_digests=primary_images,
        complete=True if target_images and primary_images else None,
    )
    # A number that is 0 is left out of some versions' status.
    return facts | numbers(failed_checks=(count(status, "failedChecks") or 0) if phase else None)


def _weight(
    phase: str,
    spec: Mapping[str, Any],
    status: Mapping[str, Any],
    analysis: Mapping[str, Any],
    *,
    is_behind: bool,
) -> int | None:
    """Return the share of the traffic that the new revision gets, None where it cannot be known."""
    said, by_weights = count(status, "canaryWeight"), goes_by_weights(spec, analysis)
    if phase == "Failed":
        return said
    if phase in _ENDED and not is_behind:
        return _EVERYTHING
    # Where it goes by turns nobody gets it before its promotion, and a watch window is not about who does.
    if not by_weights:
        return None
    if phase in _ENDED:
        return 0
    if phase == "Waiting":
        return said
    if phase == "WaitingPromotion":
        weights = weights_of(spec, analysis)
        return weights[-1] if weights else None
    # Where requests are chosen by their headers, and where traffic is mirrored, the weight says nothing.
    hidden = part(analysis, "match") or flag(analysis, "mirror")
    return said if phase == "Progressing" and not hidden else None
