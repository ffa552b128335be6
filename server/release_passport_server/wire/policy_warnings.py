"""What weakens a policy although it is accepted, in words for its author."""

from __future__ import annotations

from collections.abc import Iterator

from release_passport.v1 import policy_pb2, verdict_pb2
from release_passport_server.domain.kind import UnknownKind, kind_named
from release_passport_server.domain.verdict import Stage, Verdict
from release_passport_server.wire.policy import stages_of
from release_passport_server.wire.times import span

_UNKNOWNS = ("on_missing", "on_stale", "on_unverified", "on_conflict", "on_error")


def spec_warnings(spec: policy_pb2.PolicySpec) -> tuple[str, ...]:
    """Return what weakens a spec; one that has problems besides can be asked too."""
    return tuple(_warnings(spec))


def _warnings(spec: policy_pb2.PolicySpec) -> Iterator[str]:
    if spec.mode in (verdict_pb2.POLICY_MODE_SHADOW, verdict_pb2.POLICY_MODE_ADVISORY):
        mode = verdict_pb2.PolicyMode.Name(spec.mode).removeprefix("POLICY_MODE_")
        yield f"mode {mode} stops nothing: only ENFORCE policies count in the effective verdict"
    watched = any(Stage.WATCH in stages_of(rule) for rule in spec.rules)
    if spec.HasField("watch") and not watched:
        yield "watch: no rule of this policy is for stage WATCH, so its window watches nothing"
    for index, rule in enumerate(spec.rules):
        yield from _rule(f"rules[{index}]", rule)


def _rule(path: str, rule: policy_pb2.Rule) -> Iterator[str]:
    if rule.unknown_needs_approval:
        yield f"{path}: unknown_needs_approval lets people approve what nobody has evidence of"
    if rule.waivable and any(need.kind in ("provenance", "signature") for need in rule.needs):
        yield f"{path}.waivable: lets people except releases from what provenance and signatures have to say"
    if (
        rule.on_fail == verdict_pb2.VERDICT_ROLLBACK_RECOMMENDED
        and rule.needs
        and not any(map(_of_rollout, rule.needs))
    ):
        text = "what the whole service shares, as an incident, condemns every rollout at once: HOLD stops them as well"
        yield f"{path}.on_fail: {text}"
    if not rule.needs:
        yield f"{path}: needs no evidence, so it looks at registered attributes alone"
    failing = _failing(rule)
    for field in _UNKNOWNS:
        unknown = getattr(rule, field) or Verdict.HOLD
        if failing < unknown:
            name = Verdict(failing).name
            yield f"{path}.on_fail: {name} is weaker than {field}: evidence that fails does better than none"
            break
    if not rule.next_action:
        yield f"{path}.next_action: is empty, so people are told a general text when the rule stops them"
    for number, need in enumerate(rule.needs):
        yield from _need(f"{path}.needs[{number}]", need)


def _failing(rule: policy_pb2.Rule) -> int:
    """Return the weakest verdict that a failing `expect` of the rule can mean."""
    if rule.on_fail in range(1, 7):
        return int(rule.on_fail)
    return Verdict.HOLD if Stage.WATCH in stages_of(rule) else Verdict.BLOCK


def _of_rollout(need: policy_pb2.Need) -> bool:
    """Say whether a need is about a rollout; what is no kind is another problem's business."""
    try:
        return kind_named(need.kind).attempt_bound
    except UnknownKind:
        return True


def _need(path: str, need: policy_pb2.Need) -> Iterator[str]:
    try:
        kind = kind_named(need.kind)
    except UnknownKind:
        return
    if need.HasField("max_age"):
        try:
            longer = span(need.max_age) > kind.max_age
        except (ValueError, OverflowError):
            longer = False
        if longer:
            yield f"{path}.max_age: is longer than {kind.max_age}, which is usual for {need.kind}"
    if not need.sources:
        yield f"{path}.sources: none is named, so anybody who may submit counts"
    for index, source in enumerate(need.sources):
        if "*" in source or "?" in source:
            yield f"{path}.sources[{index}]: {source} takes every principal that it matches, those to come too"
    if kind.attestation and need.HasField("verified") and not need.verified:
        yield f"{path}.verified: unsigned {need.kind} facts are taken on somebody's word"
    if need.allow_empty:
        yield f"{path}.allow_empty: an empty list passes where the item says that it is complete"
    if need.retries:
        yield f"{path}.retries: up to {need.retries} failing runs can be replaced by a later pass"
