"""What makes a PolicySpec acceptable, but for its expressions: every problem is reported at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta

from google.protobuf.duration_pb2 import Duration

from release_passport.v1 import policy_pb2, verdict_pb2
from release_passport_server.domain.expression import ExpressionProblem
from release_passport_server.domain.kind import UnknownKind, kind_named
from release_passport_server.domain.verdict import Stage
from release_passport_server.wire.policy import MAX_SPEC_BYTES, need_from_proto, stages_of
from release_passport_server.wire.text import text_problem
from release_passport_server.wire.times import span

MAX_RULES = 500
MAX_VARIABLES = 32
MAX_NEEDS = 16
MAX_LABELS = 32
MAX_CONTROLS = 32
MAX_GROUPS = 10
MAX_DELEGATES = 8
MAX_NAMES = 64
MAX_WAIVER = timedelta(days=366)
_SLUG = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
_VARIABLE = re.compile(r"[a-z][a-z0-9_]{0,62}")
_UNKNOWNS = ("on_missing", "on_stale", "on_unverified", "on_conflict", "on_error")
_ALLOWING = (verdict_pb2.VERDICT_ALLOW, verdict_pb2.VERDICT_ALLOW_WITH_CANARY)

Problems = Iterator[ExpressionProblem]


def check_spec(spec: policy_pb2.PolicySpec) -> list[ExpressionProblem]:
    """Return every structural problem of a spec, each with its path; of one that is too large only that."""
    too_much = list(_size(spec))
    if too_much:
        return too_much
    problems = [*_head(spec), *_match(spec.match), *_variables(spec), *_windows(spec)]
    seen: set[str] = set()
    for index, rule in enumerate(spec.rules):
        problems.extend(_rule(f"rules[{index}]", rule, spec.mode, seen))
    return problems


def is_too_large(spec: policy_pb2.PolicySpec) -> bool:
    """Say whether a spec is beyond what is looked at."""
    return any(_size(spec))


def _size(spec: policy_pb2.PolicySpec) -> Problems:
    if spec.ByteSize() > MAX_SPEC_BYTES:
        yield _problem("spec", f"is larger than {MAX_SPEC_BYTES} bytes")
    if len(spec.rules) > MAX_RULES:
        yield _problem("rules", f"must hold 1 to {MAX_RULES} rules")
    if len(spec.variables) > MAX_VARIABLES:
        yield _problem("variables", f"holds more than {MAX_VARIABLES} variables")


def _head(spec: policy_pb2.PolicySpec) -> Problems:
    if spec.mode not in (1, 2, 3):
        yield _problem("mode", "must be SHADOW, ADVISORY or ENFORCE")
    if not spec.rules:
        yield _problem("rules", f"must hold 1 to {MAX_RULES} rules")
    yield from _text("title", spec.title, 200)
    yield from _text("description", spec.description, 4096)
    if spec.restore not in policy_pb2.RestoreMode.values():
        yield _problem("restore", "must be ALLOW or JUDGE")
    if spec.HasField("max_validity"):
        yield from _span("max_validity", spec.max_validity, timedelta(seconds=1), timedelta(minutes=15))
    if spec.waivers.HasField("max_duration"):
        path = "waivers.max_duration"
        yield from _span(path, spec.waivers.max_duration, timedelta(minutes=1), MAX_WAIVER)
    enforced = spec.mode == verdict_pb2.POLICY_MODE_ENFORCE
    needs_nothing = not any(rule.needs or rule.HasField("approval") for rule in spec.rules)
    if enforced and spec.rules and needs_nothing:
        yield _problem("rules", "an ENFORCE policy must need evidence or approval: none of its rules does")


def _match(match: policy_pb2.PolicyMatch) -> Problems:
    for field in ("services", "environments"):
        globs = getattr(match, field)
        if len(globs) > 100:
            yield _problem(f"match.{field}", "holds more than 100 globs")
        for index, glob in enumerate(globs):
            if not re.fullmatch(r"[a-z0-9*?-]{1,63}", glob):
                yield _problem(f"match.{field}[{index}]", "must be a glob over ids: a-z, 0-9, -, * and ?")
    for field in ("service_labels", "environment_labels"):
        labels = getattr(match, field)
        if len(labels) > MAX_LABELS:
            yield _problem(f"match.{field}", f"holds more than {MAX_LABELS} labels")
        for key, value in labels.items():
            if not key or len(key) > 63 or text_problem(key) or text_problem(value, max_bytes=128):
                text = f"{key[:64]!a} must have a key up to 63 and a value up to 128 characters"
                yield _problem(f"match.{field}", text)


def _variables(spec: policy_pb2.PolicySpec) -> Problems:
    names = [variable.name for variable in spec.variables]
    for index, name in enumerate(names):
        if not _VARIABLE.fullmatch(name):
            yield _problem(f"variables[{index}].name", "must be [a-z][a-z0-9_]{0,62}")
        elif name in names[:index]:
            yield _problem(f"variables[{index}].name", f"{name} is there twice")


def _windows(spec: policy_pb2.PolicySpec) -> Problems:
    if spec.HasField("watch"):
        watch = spec.watch
        yield from _span("watch.duration", watch.duration, timedelta(seconds=1), timedelta(days=7))
        if watch.HasField("grace_period"):
            yield from _span(
                "watch.grace_period", watch.grace_period, timedelta(0), _known(watch.duration) / 2
            )
        if watch.HasField("interval"):
            yield from _span("watch.interval", watch.interval, timedelta(seconds=1), timedelta(hours=1))
        if watch.HasField("hold_limit"):
            yield from _span("watch.hold_limit", watch.hold_limit, timedelta(seconds=1), timedelta(days=7))
        ids = {rule.rule_id for rule in spec.rules if Stage.WATCH in stages_of(rule)}
        for index, required in enumerate(watch.required_rules):
            if required not in ids:
                yield _problem(
                    f"watch.required_rules[{index}]", f"{required!r} is no rule at stage WATCH here"
                )
    if spec.HasField("canary"):
        steps = list(spec.canary.steps)
        if not 1 <= spec.canary.max_weight <= 100:
            yield _problem("canary.max_weight", "must be 1 to 100 percent")
        if steps != sorted(set(steps)) or any(not 1 <= step <= 100 for step in steps):
            yield _problem("canary.steps", "must ascend and lie between 1 and 100 percent")


def _rule(path: str, rule: policy_pb2.Rule, mode: int, seen: set[str]) -> Problems:
    if not _SLUG.fullmatch(rule.rule_id):
        yield _problem(f"{path}.rule_id", "must be [a-z]([a-z0-9-]{0,61}[a-z0-9])?")
    if rule.rule_id in seen:
        yield _problem(f"{path}.rule_id", f"{rule.rule_id!r} is there twice")
    seen.add(rule.rule_id)
    yield from _text(f"{path}.title", rule.title, 200)
    yield from _text(f"{path}.next_action", rule.next_action, 1000)
    yield from _texts(f"{path}.controls", rule.controls, MAX_CONTROLS)
    if not rule.expect:
        yield _problem(f"{path}.expect", "is required")
    if len(rule.needs) > MAX_NEEDS:
        yield _problem(f"{path}.needs", f"holds more than {MAX_NEEDS} needs")
        return
    if any(stage not in (1, 2) for stage in rule.stages):
        yield _problem(f"{path}.stages", "must be PRE_ROLLOUT or WATCH")
    yield from _verdicts(path, rule, mode)
    yield from _over_time(path, rule)
    for index, need in enumerate(rule.needs):
        yield from _need(f"{path}.needs[{index}]", need, mode)
    yield from _needs_together(path, rule)


def _verdicts(path: str, rule: policy_pb2.Rule, mode: int) -> Problems:
    stages = stages_of(rule)
    enforce = mode == verdict_pb2.POLICY_MODE_ENFORCE
    for field in _UNKNOWNS:
        verdict = getattr(rule, field)
        if verdict == verdict_pb2.VERDICT_ROLLBACK_RECOMMENDED or verdict in _ALLOWING:
            yield _problem(f"{path}.{field}", "what is unknown never allows and never recommends a rollback")
        if enforce and verdict == verdict_pb2.VERDICT_REQUIRE_APPROVAL and not rule.unknown_needs_approval:
            text = "is at least HOLD in an ENFORCE policy, unless the rule says unknown_needs_approval: true"
            yield _problem(f"{path}.{field}", text)
        if verdict not in range(7):
            yield _problem(f"{path}.{field}", "is no verdict")
    if rule.on_fail in _ALLOWING or rule.on_fail not in range(7):
        yield _problem(f"{path}.on_fail", "a failing rule cannot allow")
    if rule.on_fail == verdict_pb2.VERDICT_BLOCK and Stage.WATCH in stages:
        yield _problem(
            f"{path}.on_fail", "BLOCK is for PRE_ROLLOUT; at WATCH use HOLD or ROLLBACK_RECOMMENDED"
        )
    if rule.on_fail == verdict_pb2.VERDICT_ROLLBACK_RECOMMENDED and Stage.PRE_ROLLOUT in stages:
        yield _problem(f"{path}.on_fail", "ROLLBACK_RECOMMENDED is for WATCH: nothing is rolled out before")
    asks = any(getattr(rule, f) == verdict_pb2.VERDICT_REQUIRE_APPROVAL for f in ("on_fail", *_UNKNOWNS))
    if asks and not rule.approval.groups:
        yield _problem(f"{path}.approval", "is required where a verdict of the rule is REQUIRE_APPROVAL")
    yield from _approval(f"{path}.approval", rule.approval)


def _approval(path: str, approval: policy_pb2.ApprovalRequirement) -> Problems:
    if len(approval.groups) > MAX_GROUPS:
        yield _problem(f"{path}.groups", f"holds more than {MAX_GROUPS} groups")
    for index, group in enumerate(approval.groups):
        if not group.group or text_problem(group.group, max_bytes=128) or not 1 <= group.count <= 10:
            yield _problem(f"{path}.groups[{index}]", "needs a group and a count of 1 to 10")
        if len(group.delegates) > MAX_DELEGATES:
            yield _problem(f"{path}.groups[{index}].delegates", f"holds more than {MAX_DELEGATES} groups")
        if any(not one or text_problem(one, max_bytes=128) for one in group.delegates):
            yield _problem(f"{path}.groups[{index}].delegates", "must be ids of groups")
    if approval.HasField("expires"):
        yield from _span(f"{path}.expires", approval.expires, timedelta(minutes=1), timedelta(days=30))
    if approval.HasField("escalate_to"):
        yield from _escalation(f"{path}.escalate_to", approval.escalate_to)


def _escalation(path: str, late: policy_pb2.ApprovalEscalation) -> Problems:
    if not late.group or text_problem(late.group, max_bytes=128):
        yield _problem(f"{path}.group", "is required: the id of a group")
    if late.HasField("after"):
        yield from _span(f"{path}.after", late.after, timedelta(minutes=1), timedelta(days=30))
    else:
        yield _problem(f"{path}.after", "is required: how long the groups have for themselves")


def _over_time(path: str, rule: policy_pb2.Rule) -> Problems:
    if rule.HasField("failures") and not 1 <= rule.failures <= 256:
        yield _problem(f"{path}.failures", "must be 1 to 256")
    if rule.HasField("settle"):
        yield from _span(f"{path}.settle", rule.settle, timedelta(0), timedelta(days=1))
    single = len(rule.needs) == 1
    explicit = rule.HasField("failures") and rule.failures > 1
    for field, used in (("failures", explicit), ("settle", rule.HasField("settle"))):
        if used and not single:
            yield _problem(f"{path}.{field}", "is allowed on rules with exactly one need")
    if explicit and Stage.WATCH not in stages_of(rule):
        yield _problem(f"{path}.failures", "counts at stage WATCH only")


def _need(path: str, need: policy_pb2.Need, mode: int) -> Problems:
    try:
        kind = kind_named(need.kind)
    except UnknownKind as error:
        yield _problem(f"{path}.kind", str(error))
        return
    enforce = mode == verdict_pb2.POLICY_MODE_ENFORCE
    yield from _sources(path, need, enforce=enforce)
    if enforce and kind.attestation and need.HasField("verified") and not need.verified:
        yield _problem(f"{path}.verified", f"cannot be turned off for {need.kind} in an ENFORCE policy")
    if need.HasField("max_age"):
        yield from _span(f"{path}.max_age", need.max_age, timedelta(seconds=1), timedelta(days=366))
    if kind.key_field is None and need.keys:
        yield _problem(f"{path}.keys", f"{need.kind} has no key")
    yield from _texts(f"{path}.keys", need.keys, MAX_NAMES)
    yield from _text(f"{path}.artifacts", need.artifacts, 256)
    globs = [key for key in need.keys if "*" in key or "?" in key]
    if globs and len(need.keys) > 1:
        yield _problem(f"{path}.keys", "must be exact keys, or one glob")
    for field, most in (("min_samples", 256), ("retries", 100)):
        if not 0 <= getattr(need, field) <= most:
            yield _problem(f"{path}.{field}", f"must be 0 to {most}")


def _sources(path: str, need: policy_pb2.Need, *, enforce: bool) -> Problems:
    if enforce and not need.sources:
        yield _problem(f"{path}.sources", "is required in an ENFORCE policy: name who may say this")
    if len(need.sources) > MAX_NAMES:
        yield _problem(f"{path}.sources", f"holds more than {MAX_NAMES} sources")
    for index, source in enumerate(need.sources):
        if not re.fullmatch(r"[A-Za-z0-9*?:._@/+=|~-]{1,256}", source):
            yield _problem(f"{path}.sources[{index}]", "must be a principal's id or a glob over ids")
        elif enforce and not any(char.isalnum() for char in source):
            yield _problem(f"{path}.sources[{index}]", "matches anybody; name who may say this")


def _needs_together(path: str, rule: policy_pb2.Rule) -> Problems:
    needs = []
    for need in rule.needs:
        try:
            kind_named(need.kind)
            needs.append(need_from_proto(need))
        except (UnknownKind, ValueError, OverflowError):
            return
    kinds = [need.kind for need in needs]
    if len(set(kinds)) != len(kinds):
        yield _problem(f"{path}.needs", "names a kind twice; make it two rules")
    if sum(need.many_keys for need in needs) > 1:
        yield _problem(
            f"{path}.needs", "only one need may match more than one key: name the keys of the others"
        )
    if len({need.artifacts for need in needs if need.per_artifact}) > 1:
        yield _problem(f"{path}.needs", "all needs of artifacts must name the same artifacts")


def _text(path: str, value: str, most: int) -> Problems:
    problem = text_problem(value, max_bytes=most)
    if problem is not None:
        yield _problem(path, problem)


def _texts(path: str, values: Sequence[str], most: int) -> Problems:
    if len(values) > most:
        yield _problem(path, f"holds more than {most} entries")
    for index, value in enumerate(values[:most]):
        problem = text_problem(value, max_bytes=256) if value else "must not be empty"
        if problem is not None:
            yield _problem(f"{path}[{index}]", problem)


def _known(value: Duration) -> timedelta:
    """Return a duration, and none at all where it is out of range, which is a problem of its own."""
    try:
        return span(value)
    except (ValueError, OverflowError):
        return timedelta(0)


def _span(path: str, value: Duration, least: timedelta, most: timedelta) -> Problems:
    try:
        fits = least <= span(value) <= most
    except (ValueError, OverflowError):
        fits = False
    if not fits:
        yield _problem(path, f"must be between {least} and {most}")


def _problem(field: str, text: str) -> ExpressionProblem:
    return ExpressionProblem(field, 0, 0, text)


def joined(problems: Iterable[ExpressionProblem]) -> str:
    """Return problems as one text for people."""
    places = ((f"{p.field}:{p.line}:{p.column}" if p.line else p.field, p.problem) for p in problems)
    return "; ".join(f"{place}: {problem}" for place, problem in places)
