"""The share of the pods that a weight of Argo Rollouts comes to where nothing routes traffic.

From `utils/replicaset/canary.go` (approximateWeightedCanaryStableReplicaCounts): of so many replicas, or one more where
it may surge, it takes the count nearest to the weight, and never none for a weight above 0 where there are two or more.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import ceil, floor
from typing import Any

_EVERYBODY = 100


def weights_of(spec: Mapping[str, Any], canary: Mapping[str, Any], given: list[int]) -> list[int]:
    """Return what part of the traffic the weights of a Rollout's steps come to, in hundredths, rounded up."""
    if canary.get("trafficRouting"):
        return given
    replicas = spec.get("replicas")
    wanted = replicas if isinstance(replicas, int) and not isinstance(replicas, bool) else 1
    surges = str(canary.get("maxSurge", "25%")).removesuffix("%") != "0"
    return [_share(weight, wanted, surges=surges) for weight in given]


def _share(weight: int, replicas: int, *, surges: bool) -> int:
    if replicas < 1 or not 0 < weight < _EVERYBODY:
        return weight
    exact = Fraction(replicas * weight, _EVERYBODY)
    none_allowed = replicas == 1 and not surges
    options: list[Fraction] = []
    if ceil(exact) < replicas or none_allowed:
        options.append(Fraction(ceil(exact), replicas))
    if floor(exact) or none_allowed:
        options.append(Fraction(floor(exact), replicas))
    if surges:
        options.append(Fraction(ceil(exact), replicas + 1))
        if floor(exact):
            options.append(Fraction(floor(exact), replicas + 1))
    # Of two that are as near, the greater one counts here.
    nearest = min(
        options, key=lambda one: (abs(one - Fraction(weight, _EVERYBODY)), -one), default=Fraction(1)
    )
    return ceil(nearest * _EVERYBODY)
