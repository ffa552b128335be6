"""The weights that Flagger goes through, as its scheduler works them out from a Canary's analysis.

From `pkg/controller/scheduler.go` (runCanary, nextStepWeight, maxWeight): it adds a step while the weight is *below*
the greatest one, so that steps of 20 with a `maxWeight` of 50 reach 60. `stepWeight` goes before `stepWeights`, whose
last one is the greatest all the same. With `iterations`, or with the provider `kubernetes`, there are no weights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_EVERYBODY = 100


def goes_by_weights(spec: Mapping[str, Any], analysis: Mapping[str, Any]) -> bool:
    """Say whether a Canary shifts its traffic by weights, and not all of it after a number of turns."""
    return spec.get("provider") != "kubernetes" and (_whole(analysis.get("iterations")) or 0) <= 0


def weights_of(spec: Mapping[str, Any], analysis: Mapping[str, Any]) -> list[int]:
    """Return the weights of a Canary in the order in which they are set; none where it does not go by weights."""
    if not goes_by_weights(spec, analysis):
        return []
    given = analysis.get("stepWeights")
    steps = [one for one in map(_whole, given) if one is not None] if isinstance(given, list) else []
    step, most = _whole(analysis.get("stepWeight")) or 0, _whole(analysis.get("maxWeight")) or 0
    top = min(steps[-1], _EVERYBODY) if steps else most if most > 0 else _EVERYBODY
    weights: list[int] = []
    at = 0
    while at < min(top, _EVERYBODY):
        more = step if step > 0 or not steps else _next_step(steps, at)
        if more <= 0:
            break
        at = min(at + more, _EVERYBODY)
        weights.append(at)
    return weights


def _next_step(steps: Sequence[int], at: int) -> int:
    rest = _EVERYBODY - at
    if at == 0:
        return min(rest, steps[0])
    return next((min(rest, steps[n + 1] - at) for n in range(len(steps) - 1) if steps[n] == at), rest)


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
