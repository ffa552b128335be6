"""What a change of a policy takes back; what nobody can tell counts as taken back."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from release_passport.v1 import policy_pb2, verdict_pb2
from release_passport_server.wire.policy_weakening import spec_weakenings
from support.policy_specs import need, rule, spec

PLAIN = spec()
ASKING = spec(
    rules=[
        rule(
            onFail="VERDICT_REQUIRE_APPROVAL",
            approval={"groups": [{"group": "sre", "count": 2}], "expires": "3600s"},
        )
    ]
)


def changed(
    before: policy_pb2.PolicySpec, change: Callable[[policy_pb2.PolicySpec], object]
) -> tuple[str, ...]:
    after = policy_pb2.PolicySpec()
    after.CopyFrom(before)
    change(after)
    return spec_weakenings(before, after)


def set_to(field: str, value: object) -> Callable[[policy_pb2.PolicySpec], object]:
    def change(after: policy_pb2.PolicySpec) -> None:
        setattr(after.rules[0], field, value)

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda after: setattr(after, "mode", 2), "mode: ENFORCE becomes ADVISORY"),
        (lambda after: setattr(after, "mode", 1), "mode: ENFORCE becomes SHADOW"),
        (lambda after: after.match.services.append("checkout"), "match: is changed"),
        (lambda after: after.waivers.SetInParent(), "waivers: is changed"),
        (lambda after: setattr(after.rules[0], "rule_id", "other"), "rules[rule]: is taken out"),
        (set_to("expect", "true"), "rules[rule].expect: is changed"),
        (set_to("when", "false"), "rules[rule].when: is changed"),
        (set_to("on_missing", verdict_pb2.VERDICT_REQUIRE_APPROVAL), "rules[rule].on_missing: HOLD becomes"),
        (set_to("on_fail", verdict_pb2.VERDICT_HOLD), "rules[rule].on_fail: is changed"),
        (set_to("waivable", True), "rules[rule].waivable: is changed"),
        (lambda after: after.rules[0].needs[0].sources.append("sa:*"), "rules[rule].needs: is changed"),
        (
            lambda after: setattr(after.rules[0].needs[0].max_age, "seconds", 9),
            "rules[rule].needs: is changed",
        ),
        (lambda after: after.rules[0].stages.append(2), "rules[rule].stages: is changed"),
    ],
)
def test_what_takes_something_back_is_told(
    change: Callable[[policy_pb2.PolicySpec], object], said: str
) -> None:
    (found,) = changed(PLAIN, change)
    assert found.startswith(said)


@pytest.mark.parametrize("instead", [0, policy_pb2.RESTORE_MODE_ALLOW])
def test_to_let_ways_back_go_again_takes_something_back(instead: int) -> None:
    before = spec(restore="RESTORE_MODE_JUDGE")
    found = changed(before, lambda after: setattr(after, "restore", instead))
    assert found == ("restore: JUDGE is taken back",)


@pytest.mark.parametrize(
    "change",
    [
        lambda _: None,
        lambda after: after.rules.append(policy_pb2.Rule(rule_id="more", expect="true")),
        lambda after: setattr(after, "title", "told better"),
        lambda after: setattr(after, "restore", policy_pb2.RESTORE_MODE_ALLOW),
        lambda after: setattr(after, "restore", policy_pb2.RESTORE_MODE_JUDGE),
        set_to("message", "'told better'"),
        set_to("next_action", "call somebody"),
        set_to("on_missing", verdict_pb2.VERDICT_HOLD),
        set_to("on_stale", verdict_pb2.VERDICT_BLOCK),
    ],
)
def test_more_stricter_or_other_words_take_nothing_back(
    change: Callable[[policy_pb2.PolicySpec], object],
) -> None:
    assert changed(PLAIN, change) == ()


def test_fewer_votes_longer_ones_and_other_groups_take_something_back_and_more_votes_do_not() -> None:
    def groups(after: policy_pb2.PolicySpec) -> policy_pb2.ApprovalRequirement:
        return after.rules[0].approval

    told = ("rules[rule].approval: is changed",)
    assert changed(ASKING, lambda after: setattr(groups(after).groups[0], "count", 1)) == told
    assert changed(ASKING, lambda after: setattr(groups(after).groups[0], "group", "all")) == told
    assert changed(ASKING, lambda after: groups(after).groups[0].delegates.append("all")) == told
    assert changed(ASKING, lambda after: setattr(groups(after).expires, "seconds", 7200)) == told
    assert changed(ASKING, lambda after: setattr(groups(after).groups[0], "count", 3)) == ()
    assert changed(ASKING, lambda after: groups(after).groups.add(group="security", count=1)) == ()


def test_deleting_takes_everything_back_and_what_nothing_enforced_is_nothing() -> None:
    assert spec_weakenings(PLAIN, None) == ("the policy is deleted",)
    shadow = spec(mode=1, rules=[rule(needs=[need()])])
    assert spec_weakenings(shadow, None) == ()
    assert changed(shadow, set_to("expect", "true")) == ()
    assert spec_weakenings(shadow, PLAIN) == ()
