"""Policies: from what an author wrote to what is judged, and back to messages where they are shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import timedelta
from functools import lru_cache

from google.protobuf.json_format import MessageToDict, SerializeToJsonError

from release_passport.v1 import policy_pb2
from release_passport_server.domain.canonical import digest, digest_of
from release_passport_server.domain.expression import CompiledRule
from release_passport_server.domain.kind import kind_named
from release_passport_server.domain.policy import (
    MAX_VALIDITY,
    ApprovalGroup,
    ApprovalRequirement,
    Canary,
    Escalation,
    HoldLimit,
    Match,
    Need,
    Policy,
    Rule,
    WaiverLimits,
    Watch,
)
from release_passport_server.domain.verdict import Mode, Stage, Verdict
from release_passport_server.wire.times import duration, span

MAX_SPEC_BYTES = 512 * 1024
DEFAULT_GRACE = timedelta(minutes=2)
DEFAULT_INTERVAL = timedelta(seconds=30)
DEFAULT_FAILURES = 3


def spec_digest(spec: policy_pb2.PolicySpec) -> str:
    """Return the digest over the canonical form of a spec's protobuf JSON mapping.

    A spec that is too large, or that holds durations out of range, never compiles: it is known by its bytes.
    """
    if spec.ByteSize() <= MAX_SPEC_BYTES:
        with suppress(SerializeToJsonError):
            return digest_of(MessageToDict(spec))
    return digest(spec.SerializeToString(deterministic=True))


def policy_from_spec(
    policy_id: str, revision: int, spec: policy_pb2.PolicySpec, compiled: Mapping[str, CompiledRule]
) -> Policy:
    """Return a checked spec as it is judged, with its defaults resolved."""
    return Policy(
        policy_id=policy_id,
        revision=revision,
        digest=spec_digest(spec),
        mode=Mode(spec.mode),
        match=match_from_proto(spec.match),
        rules=tuple(_rule(rule, compiled[rule.rule_id], spec.variables) for rule in spec.rules),
        watch=_watch(spec.watch) if spec.HasField("watch") else None,
        canary=_canary(spec.canary) if spec.HasField("canary") else None,
        max_validity=span(spec.max_validity) if spec.HasField("max_validity") else MAX_VALIDITY,
        waivers=WaiverLimits(
            max_duration=span(spec.waivers.max_duration)
            if spec.waivers.HasField("max_duration")
            else WaiverLimits().max_duration,
            service_wide=spec.waivers.service_wide,
        ),
        judges_restores=spec.restore == policy_pb2.RESTORE_MODE_JUDGE,
    )


def stages_of(rule: policy_pb2.Rule) -> tuple[Stage, ...]:
    """Return where a rule applies; PRE_ROLLOUT where it does not say."""
    return tuple(Stage(stage) for stage in rule.stages if stage in (1, 2)) or (Stage.PRE_ROLLOUT,)


def need_from_proto(need: policy_pb2.Need) -> Need:
    """Return a need with its kind's defaults."""
    kind = kind_named(need.kind)
    return Need(
        kind=need.kind,
        max_age=span(need.max_age) if need.HasField("max_age") else kind.max_age,
        keys=tuple(need.keys) or ("*",),
        artifacts=need.artifacts or "*",
        verified=need.verified if need.HasField("verified") else kind.attestation,
        sources=tuple(need.sources),
        min_samples=need.min_samples,
        retries=need.retries,
        allow_empty=need.allow_empty,
    )


def canary_to_proto(canary: Canary) -> policy_pb2.CanaryConstraints:
    """Return constraints as a message."""
    return policy_pb2.CanaryConstraints(max_weight=canary.max_weight, steps=canary.steps)


def watch_to_proto(watch: Watch) -> policy_pb2.WatchRequirement:
    """Return a watch window's requirement as a message."""
    message = policy_pb2.WatchRequirement(
        duration=duration(watch.duration),
        grace_period=duration(watch.grace_period),
        interval=duration(watch.interval),
        required_rules=watch.required_rules,
    )
    if watch.hold is not None:
        message.on_hold_limit = (
            policy_pb2.ON_HOLD_LIMIT_ROLLBACK_RECOMMENDED
            if watch.hold.rolls_back
            else policy_pb2.ON_HOLD_LIMIT_HOLD
        )
        if watch.hold.limit is not None:
            message.hold_limit.CopyFrom(duration(watch.hold.limit))
    return message


def approval_to_proto(approval: ApprovalRequirement) -> policy_pb2.ApprovalRequirement:
    """Return what is asked of people as a message."""
    late = approval.escalation
    return policy_pb2.ApprovalRequirement(
        groups=[
            policy_pb2.ApprovalGroup(group=g.group, count=g.count, delegates=g.delegates)
            for g in approval.groups
        ],
        expires=duration(approval.expires),
        per_attempt=approval.per_attempt,
        escalate_to=None
        if late is None
        else policy_pb2.ApprovalEscalation(group=late.group, after=duration(late.after)),
    )


def match_from_proto(match: policy_pb2.PolicyMatch) -> Match:
    """Return which releases a policy applies to."""
    return Match(
        services=tuple(match.services),
        environments=tuple(match.environments),
        service_labels=tuple(sorted(match.service_labels.items())),
        environment_labels=tuple(sorted(match.environment_labels.items())),
    )


def _rule(
    rule: policy_pb2.Rule, compiled: CompiledRule, variables: Iterable[policy_pb2.PolicyVariable]
) -> Rule:
    return Rule(
        rule_id=rule.rule_id,
        title=rule.title,
        stages=stages_of(rule),
        needs=tuple(_shared(need_from_proto(need)) for need in rule.needs),
        compiled=compiled,
        on_fail=Verdict(rule.on_fail) if rule.on_fail else None,
        on_missing=_unknown(rule.on_missing),
        on_stale=_unknown(rule.on_stale),
        on_unverified=_unknown(rule.on_unverified),
        on_conflict=_unknown(rule.on_conflict),
        on_error=_unknown(rule.on_error),
        failures=rule.failures if rule.HasField("failures") else DEFAULT_FAILURES,
        settle=span(rule.settle),
        next_action=rule.next_action,
        controls=tuple(rule.controls),
        approval=_approval(rule.approval) if rule.approval.groups else None,
        waivable=_waivable(rule),
        # What its variables say is part of what a rule says.
        digest=digest_of([MessageToDict(rule), *([v.name, v.expression] for v in variables)]),
    )


def _waivable(rule: policy_pb2.Rule) -> bool:
    """Say whether waivers may cover a rule: where it does not say, not where provenance or signatures are read."""
    if rule.HasField("waivable"):
        return rule.waivable
    return not any(need.kind in ("provenance", "signature") for need in rule.needs)


@lru_cache(maxsize=4096)
def _shared(need: Need) -> Need:
    """Return one object for all needs that say the same, so that a decision looks for their evidence once."""
    return need


def _unknown(verdict: int) -> Verdict:
    return Verdict(verdict) if verdict else Verdict.HOLD


def _approval(approval: policy_pb2.ApprovalRequirement) -> ApprovalRequirement:
    return ApprovalRequirement(
        groups=tuple(ApprovalGroup(g.group, g.count, tuple(g.delegates)) for g in approval.groups),
        expires=span(approval.expires) if approval.HasField("expires") else timedelta(hours=24),
        per_attempt=approval.per_attempt,
        escalation=Escalation(approval.escalate_to.group, span(approval.escalate_to.after))
        if approval.HasField("escalate_to")
        else None,
    )


def _watch(watch: policy_pb2.WatchRequirement) -> Watch:
    whole = span(watch.duration)
    return Watch(
        duration=whole,
        grace_period=span(watch.grace_period)
        if watch.HasField("grace_period")
        else min(DEFAULT_GRACE, whole / 2),
        interval=span(watch.interval) if watch.HasField("interval") else DEFAULT_INTERVAL,
        required_rules=tuple(watch.required_rules),
        hold=_hold(watch),
    )


def _hold(watch: policy_pb2.WatchRequirement) -> HoldLimit | None:
    limit = span(watch.hold_limit) if watch.HasField("hold_limit") else None
    if limit is None and watch.on_hold_limit == policy_pb2.ON_HOLD_LIMIT_UNSPECIFIED:
        return None
    return HoldLimit(limit, watch.on_hold_limit != policy_pb2.ON_HOLD_LIMIT_HOLD)


def _canary(canary: policy_pb2.CanaryConstraints) -> Canary:
    return Canary(canary.max_weight, tuple(canary.steps))
