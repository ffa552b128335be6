"""What a change of a policy takes back of what the policy asked; whatever cannot be told from that counts as it."""

from __future__ import annotations

from collections.abc import Iterator

from google.protobuf.message import Message

from release_passport.v1 import policy_pb2, verdict_pb2
from release_passport_server.domain.verdict import Verdict

# What people read and nothing judges.
_TEXTS_OF_POLICY = ("title", "description")
_TEXTS_OF_RULE = ("title", "controls", "message", "next_action")
_UNKNOWNS = ("on_missing", "on_stale", "on_unverified", "on_conflict", "on_error")
_MODES = (
    verdict_pb2.POLICY_MODE_SHADOW,
    verdict_pb2.POLICY_MODE_ADVISORY,
    verdict_pb2.POLICY_MODE_ENFORCE,
)


def spec_weakenings(before: policy_pb2.PolicySpec, after: policy_pb2.PolicySpec | None) -> tuple[str, ...]:
    """Return in words what a change takes back, or could: no spec means that the policy is deleted.

    What nothing enforced is not taken back. Another rule, a stricter mode or verdict, more votes and other texts are
    no weakenings; everything else that differs may be one, because whether an expression is weaker nobody can tell.
    """
    if before.mode != verdict_pb2.POLICY_MODE_ENFORCE:
        return ()
    return ("the policy is deleted",) if after is None else tuple(_of_policy(before, after))


def _of_policy(before: policy_pb2.PolicySpec, after: policy_pb2.PolicySpec) -> Iterator[str]:
    if _MODES.index(after.mode) < _MODES.index(before.mode):
        yield f"mode: {_mode(before.mode)} becomes {_mode(after.mode)}"
    old, new = (
        _bare(before, *_TEXTS_OF_POLICY, "mode", "restore", "rules"),
        _bare(after, *_TEXTS_OF_POLICY, "mode", "restore", "rules"),
    )
    judges = policy_pb2.RESTORE_MODE_JUDGE
    if before.restore == judges != after.restore:
        yield "restore: JUDGE is taken back"
    for field in _differing(old, new):
        yield f"{field}: is changed"
    kept = {rule.rule_id: rule for rule in after.rules}
    for rule in before.rules:
        if rule.rule_id not in kept:
            yield f"rules[{rule.rule_id}]: is taken out"
        else:
            yield from _of_rule(rule, kept[rule.rule_id])


def _of_rule(before: policy_pb2.Rule, after: policy_pb2.Rule) -> Iterator[str]:
    path = f"rules[{before.rule_id}]"
    for field in (*_UNKNOWNS, "on_fail"):
        old, new = getattr(before, field), getattr(after, field)
        # What is not said for facts that fail depends on the stage and on the facts: it is compared as it stands.
        if field != "on_fail":
            old, new = old or Verdict.HOLD, new or Verdict.HOLD
        if old != new and not old < new:
            yield f"{path}.{field}: {_verdict(old)} becomes {_verdict(new)}"
        elif old != new and field == "on_fail" and not old:
            yield f"{path}.{field}: is changed"
    if _fewer_votes(before, after):
        yield f"{path}.approval: is changed"
    judged = ("on_fail", *_UNKNOWNS, "approval", *_TEXTS_OF_RULE)
    for field in _differing(_bare(before, *judged), _bare(after, *judged)):
        yield f"{path}.{field}: is changed"


def _fewer_votes(before: policy_pb2.Rule, after: policy_pb2.Rule) -> bool:
    """Say whether an approval asks for something else than the same groups with as many votes or more."""
    if not before.HasField("approval"):
        return after.HasField("approval")
    old, new = {g.group: g for g in before.approval.groups}, {g.group: g for g in after.approval.groups}
    if not old.keys() <= new.keys():
        return True
    fewer = any(new[group].count < one.count for group, one in old.items())
    delegated = any(_differing(_bare(new[group], "count"), _bare(one, "count")) for group, one in old.items())
    rest = _differing(_bare(before.approval, "groups"), _bare(after.approval, "groups"))
    return fewer or bool(delegated) or bool(rest)


def _bare(message: Message, *left_out: str) -> Message:
    """Return a copy without some fields."""
    copy = type(message)()
    copy.CopyFrom(message)
    for field in left_out:
        copy.ClearField(field)
    return copy


def _differing(old: Message, new: Message) -> list[str]:
    return [
        field.name
        for field in old.DESCRIPTOR.fields
        if getattr(old, field.name) != getattr(new, field.name)
        or (field.has_presence and old.HasField(field.name) != new.HasField(field.name))
    ]


def _mode(number: int) -> str:
    return verdict_pb2.PolicyMode.Name(number).removeprefix("POLICY_MODE_")


def _verdict(number: int) -> str:
    return verdict_pb2.Verdict.Name(number).removeprefix("VERDICT_") if number else "the default"
