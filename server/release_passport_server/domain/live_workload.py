"""What a controller's object says at this moment, as far as a gate has to know it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from release_passport_server.domain import argo_steps
from release_passport_server.domain.errors import Precondition
from release_passport_server.domain.flagger_steps import weights_of
from release_passport_server.domain.gate import Controller, Gate

# In these phases a new revision of a Canary takes traffic.
FLAGGER_UNDER_WAY = frozenset({"Progressing", "WaitingPromotion"})
_EVERYBODY = 100


@dataclass(frozen=True, slots=True)
class LiveWorkload:
    """One read of the controller's object and of the template that it is about to release."""

    uid: str
    # What each container would run, by the container's name.
    images: tuple[tuple[str, str], ...]
    phase: str
    exposed: bool
    # The weight that the controller would set next, None where it cannot be known.
    next_weight: int | None
    first_weight: int | None
    most_weight: int | None
    skips_analysis: bool
    # Type and address of each webhook that calls this service.
    webhooks: tuple[tuple[str, str], ...] = ()
    # False where the status may still be about what ran before.
    up_to_date: bool = True
    # Whether each increase of an Argo Rollout is followed by an analysis; a Canary's hooks say it of that.
    analysed: bool = False
    # After so many failed checks a Canary is rolled back; None where nothing is counted.
    threshold: int | None = None

    def waits_at(self, gate_id: str) -> bool:
        """Say whether the object asks, where it can wait, before each increase and before the promotion."""
        asks = {kind for kind, url in self.webhooks if gate_id in url}
        weighted = {"confirm-traffic-increase"} if self.first_weight is not None else set()
        return self.analysed or asks >= {"confirm-promotion", *weighted}

    def keeps(self, max_weight: int) -> bool:
        """Say whether the object's own settings keep the canary's limits."""
        if self.skips_analysis or max_weight <= 0:
            return False
        if max_weight >= _EVERYBODY:
            return True
        weights = (self.first_weight, self.most_weight, self.next_weight)
        return all(weight is not None and weight <= max_weight for weight in weights)


def canary_of(canary: Mapping[str, Any], target: Mapping[str, Any]) -> LiveWorkload:
    """Return what a Flagger Canary and its target say; raise Precondition where they are not of that form."""
    spec, status = _map(canary, "spec"), _map(canary, "status")
    analysis = _map(spec, "analysis") or _map(spec, "canaryAnalysis")
    phase = str(status.get("phase", ""))
    weights = weights_of(spec, analysis)
    current = _whole(status.get("canaryWeight"))
    under_way = phase in FLAGGER_UNDER_WAY
    # The status says 0 while it waits for the promotion, although the traffic is still where it was.
    at = weights[-1] if phase == "WaitingPromotion" and weights else current
    return LiveWorkload(
        uid=str(_map(canary, "metadata").get("uid", "")),
        images=_images(_map(_map(target, "spec"), "template")),
        phase=phase,
        exposed=_takes_traffic(phase, spec, analysis, status, at),
        next_weight=_next(weights, at if under_way else 0),
        first_weight=weights[0] if weights else None,
        most_weight=weights[-1] if weights else None,
        skips_analysis=bool(spec.get("skipAnalysis", False)),
        webhooks=tuple(
            (str(one.get("type", "") or "rollout"), str(one.get("url", "")))
            for one in _maps(analysis.get("webhooks"))
        ),
        # Unset, one is enough.
        threshold=_whole(analysis.get("threshold")) or 1,
    )


def rollout_of(rollout: Mapping[str, Any], owner: Mapping[str, Any] | None = None) -> LiveWorkload:
    """Return what an Argo Rollout says; `owner` is the object that a workloadRef points at."""
    template = None if owner is None else _map(_map(owner, "spec"), "template")
    spec, status = _map(rollout, "spec"), _map(rollout, "status")
    canary = _map(_map(spec, "strategy"), "canary")
    steps = list(_maps(canary.get("steps")))
    index = _whole(status.get("currentStepIndex")) or 0
    weights = argo_steps.weights_of(spec, canary, _set_weights(steps))
    # What lies behind the last step is everything; a gate behind the last weight guards just that.
    ahead = argo_steps.weights_of(spec, canary, _set_weights(steps[index:]))
    stable, current = str(status.get("stableRS", "")), str(status.get("currentPodHash", ""))
    given = _whole(_map(_map(_map(status, "canary"), "weights"), "canary").get("weight"))
    # A step is worked on from the moment that the index stands at it; behind the last one is everything.
    behind = _set_weights(steps[: index + 1])
    over = "canary" in _map(spec, "strategy") and index >= len(steps)
    exposed = bool(given) if given is not None else over or bool(behind and behind[-1] > 0)
    switched = _map(status, "blueGreen").get("activeSelector") == current
    return LiveWorkload(
        uid=str(_map(rollout, "metadata").get("uid", "")),
        images=_images(template if template is not None else _map(spec, "template")),
        phase=str(status.get("phase", "")),
        exposed=(exposed or switched) and current != stable,
        next_weight=ahead[0] if ahead else _EVERYBODY,
        first_weight=weights[0] if weights else None,
        most_weight=max(weights) if weights else None,
        skips_analysis=bool(status.get("promoteFull", False)),
        analysed=_is_analysed(steps),
        up_to_date=_is_seen(rollout, "observedGeneration", rollout)
        and (owner is None or _is_seen(owner, "workloadObservedGeneration", rollout)),
    )


def target_of(gate: Gate, owner: Mapping[str, Any]) -> tuple[str, str, str] | None:
    """Return API version, kind and name of the object whose template counts; None where it is the owner itself."""
    spec = _map(owner, "spec")
    reference = _map(spec, "targetRef" if gate.controller == Controller.FLAGGER else "workloadRef")
    if not reference:
        if gate.controller == Controller.FLAGGER:
            raise Precondition("WORKLOAD_UNREADABLE", "the Canary names no target")
        return None
    kind = str(reference.get("kind", ""))
    default = "apps/v1" if kind in {"Deployment", "DaemonSet", "StatefulSet"} else ""
    return str(reference.get("apiVersion", "") or default), kind, str(reference.get("name", ""))


def _set_weights(steps: Sequence[Mapping[str, Any]]) -> list[int]:
    return [weight for step in steps if (weight := _whole(step.get("setWeight"))) is not None]


def _is_analysed(steps: Sequence[Mapping[str, Any]]) -> bool:
    """Say whether an analysis follows each step that sets a weight, before the next one and before the end."""
    waits = True
    for step in steps:
        if step.get("analysis") is not None:
            waits = True
        elif (_whole(step.get("setWeight")) or 0) > 0:
            if not waits:
                return False
            waits = False
    return waits


def _takes_traffic(
    phase: str,
    spec: Mapping[str, Any],
    analysis: Mapping[str, Any],
    status: Mapping[str, Any],
    at: int | None,
) -> bool:
    """Say whether the new revision of a Canary may be taking traffic."""
    iterations = _whole(analysis.get("iterations")) or 0
    match phase:
        case "Promoting" | "Finalising":
            return True
        # A promotion that failed half-way leaves all traffic at the new revision.
        case "Failed":
            return bool(at)
        case "WaitingPromotion" if iterations and spec.get("provider") != "kubernetes":
            # Asked once more behind the switch of all traffic, it says what it said before it.
            return True
        case "Progressing" if iterations and spec.get("provider") != "kubernetes":
            switched = (_whole(status.get("iterations")) or 0) > iterations
            return at != 0 or switched or bool(analysis.get("match"))
        case _:
            return phase in FLAGGER_UNDER_WAY and at != 0


def _is_seen(changed: Mapping[str, Any], field: str, rollout: Mapping[str, Any]) -> bool:
    """Say whether the controller has seen the newest state of an object; it tells generations as strings."""
    generation = _map(changed, "metadata").get("generation")
    return generation is None or str(_map(rollout, "status").get(field, "")) == str(generation)


def _next(weights: Sequence[int], current: int | None) -> int | None:
    if current is None:
        return None
    return next((weight for weight in weights if weight > current), weights[-1] if weights else None)


def _images(template: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    spec = _map(template, "spec")
    found = [
        (str(one.get("name", "")), str(one.get("image", "")))
        for field in ("initContainers", "containers")
        for one in _maps(spec.get(field))
    ]
    if not found:
        raise Precondition("WORKLOAD_UNREADABLE", "the pod template names no container")
    return tuple(found)


def _map(value: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    found = value.get(field)
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        raise Precondition("WORKLOAD_UNREADABLE", f"{field} is not an object")
    return cast("Mapping[str, Any]", found)


def _list(value: object) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise Precondition("WORKLOAD_UNREADABLE", "a list was expected")
    return value


def _maps(value: object) -> Iterator[Mapping[str, Any]]:
    for one in _list(value):
        if not isinstance(one, Mapping):
            raise Precondition("WORKLOAD_UNREADABLE", "a list holds something else than objects")
        yield one


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
