"""Which kinds of evidence the rules of a policy look back on, instead of at the newest observation alone."""

from __future__ import annotations

from release_passport.v1 import policy_pb2
from release_passport_server.domain.kind import UnknownKind, kind_named
from release_passport_server.domain.verdict import Stage
from release_passport_server.wire.policy import DEFAULT_FAILURES, stages_of


def kinds_with_history(spec: policy_pb2.PolicySpec) -> frozenset[str]:
    """Return the kinds of which earlier observations can change what a rule of the policy says."""
    return frozenset(need.kind for rule in spec.rules for need in rule.needs if _looks_back(rule, need))


def _looks_back(rule: policy_pb2.Rule, need: policy_pb2.Need) -> bool:
    try:
        run = kind_named(need.kind).run
    except UnknownKind:
        return False
    failures = rule.failures if rule.HasField("failures") else DEFAULT_FAILURES
    counts_failures = failures > 1 and Stage.WATCH in stages_of(rule)
    return run or counts_failures or need.min_samples > 1 or rule.HasField("settle")
