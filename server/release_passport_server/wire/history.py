"""How far the rules of a policy look back on evidence, instead of at the newest observation alone."""

from __future__ import annotations

from collections.abc import Iterable

from release_passport.v1 import policy_pb2
from release_passport_server.domain.case import MAX_SERIES
from release_passport_server.domain.kind import UnknownKind, kind_named
from release_passport_server.domain.verdict import Stage
from release_passport_server.wire.policy import DEFAULT_FAILURES, stages_of

# A few observations are enough for most rules that count some: a series may be long, and all of it is slow to read.
FEW = 16
# Of those that were read a rule may not count some, which were revoked.
_SPARE = 4


def depths(specs: Iterable[policy_pb2.PolicySpec]) -> dict[str, int]:
    """Return how many of the newest observations rules look at, by kind: FEW or MAX_SERIES; of others one."""
    found: dict[str, int] = {}
    for spec in specs:
        for rule in spec.rules:
            for need in rule.needs:
                depth = _depth(rule, need)
                if depth > 1:
                    found[need.kind] = max(depth, found.get(need.kind, 1))
    return found


def _depth(rule: policy_pb2.Rule, need: policy_pb2.Need) -> int:
    try:
        run = kind_named(need.kind).run
    except UnknownKind:
        return 1
    if run or rule.HasField("settle"):
        return MAX_SERIES
    failures = rule.failures if rule.HasField("failures") else DEFAULT_FAILURES
    counted = max(failures if Stage.WATCH in stages_of(rule) else 1, need.min_samples)
    if counted <= 1:
        return 1
    return FEW if counted + _SPARE <= FEW else MAX_SERIES
