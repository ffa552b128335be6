"""Every refusal of a policy's structure, each with the field that it names."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from google.protobuf.json_format import ParseDict

from release_passport.v1 import policy_pb2
from release_passport_server.wire.policy_check import MAX_RULES, check_spec, joined
from support.policy_specs import need, rule, spec

Change = Callable[[policy_pb2.PolicySpec], object]


def problems(given: policy_pb2.PolicySpec) -> dict[str, str]:
    """Return what is wrong, by field."""
    found: dict[str, str] = {}
    for problem in check_spec(given):
        found[problem.field] = "; ".join(filter(None, (found.get(problem.field), problem.problem)))
    return found


def with_rule(**fields: object) -> policy_pb2.PolicySpec:
    """Return a policy whose only rule is changed."""
    return spec(rules=[rule(**fields)])


def with_need(**fields: object) -> policy_pb2.PolicySpec:
    """Return a policy whose only need is changed."""
    return spec(rules=[rule(needs=[need(**fields)])])


def test_a_plain_policy_has_no_problem() -> None:
    assert problems(spec()) == {}


ESCALATED: dict[str, object] = {"groups": [{"group": "sre", "count": 1}]}

HEADS: dict[str, tuple[dict[str, object], str, str]] = {
    "no mode": ({"mode": 0}, "mode", "SHADOW, ADVISORY or ENFORCE"),
    "an unknown mode": ({"mode": 9}, "mode", "SHADOW, ADVISORY or ENFORCE"),
    "an unknown way back": ({"restore": 9}, "restore", "ALLOW or JUDGE"),
    "no rules": ({"rules": []}, "rules", "1 to 500 rules"),
    "too many rules": (
        {"rules": [rule(rule_id=f"r{n}") for n in range(MAX_RULES + 1)]},
        "rules",
        "1 to 500 rules",
    ),
    "a long title": ({"title": "é" * 101}, "title", "at most 200 bytes"),
    "a title with an escape": ({"title": "\x1b[2J"}, "title", "control characters"),
    "a title with a C1 control": ({"title": "a\x9bb"}, "title", "control characters"),
    "a long description": ({"description": "x" * 4097}, "description", "at most 4096"),
    "no validity": ({"maxValidity": "0s"}, "max_validity", "between"),
    "a long validity": ({"maxValidity": "901s"}, "max_validity", "between"),
    "waivers for ever": ({"waivers": {"maxDuration": "31622401s"}}, "waivers.max_duration", "between"),
    "waivers for no time": ({"waivers": {"maxDuration": "0s"}}, "waivers.max_duration", "between"),
    "an enforced policy without evidence": (
        {"rules": [rule(needs=[])]},
        "rules",
        "must need evidence or approval",
    ),
    "a service glob with a capital": ({"match": {"services": ["Checkout"]}}, "match.services[0]", "glob"),
    "a service glob with a class": ({"match": {"services": ["ok", "[a-z]"]}}, "match.services[1]", "glob"),
    "an empty environment glob": ({"match": {"environments": [""]}}, "match.environments[0]", "glob"),
    "too many globs": ({"match": {"services": ["a"] * 101}}, "match.services", "more than 100"),
    "a label without a key": ({"match": {"serviceLabels": {"": "x"}}}, "match.service_labels", "key"),
    "a label with a long value": (
        {"match": {"environmentLabels": {"tier": "x" * 129}}},
        "match.environment_labels",
        "128",
    ),
    "too many labels": (
        {"match": {"serviceLabels": {f"l{n}": "x" for n in range(33)}}},
        "match.service_labels",
        "32",
    ),
    "a variable with a bad name": (
        {"variables": [{"name": "A b", "expression": "1"}]},
        "variables[0].name",
        "must be",
    ),
    "a variable twice": (
        {"variables": [{"name": "a", "expression": "1"}, {"name": "a", "expression": "2"}]},
        "variables[1].name",
        "twice",
    ),
    "too many variables": (
        {"variables": [{"name": f"v{n}", "expression": "1"} for n in range(33)]},
        "variables",
        "more than 32",
    ),
    "a watch without a duration": ({"watch": {}}, "watch.duration", "between"),
    "a watch of more than a week": ({"watch": {"duration": "604801s"}}, "watch.duration", "between"),
    "a duration that no clock can hold": (
        {"watch": {"duration": "315576000000s", "gracePeriod": "1s"}},
        "watch.duration",
        "between",
    ),
    "a grace period of more than half": (
        {"watch": {"duration": "60s", "gracePeriod": "31s"}},
        "watch.grace_period",
        "between",
    ),
    "a long interval": ({"watch": {"duration": "7200s", "interval": "3601s"}}, "watch.interval", "between"),
    "a required rule of another stage": (
        {"watch": {"duration": "60s", "requiredRules": ["rule"]}},
        "watch.required_rules[0]",
        "WATCH",
    ),
    "a canary of nothing": ({"canary": {"maxWeight": 0}}, "canary.max_weight", "1 to 100"),
    "a canary of more than all": ({"canary": {"maxWeight": 101}}, "canary.max_weight", "1 to 100"),
    "steps that descend": ({"canary": {"maxWeight": 50, "steps": [20, 10]}}, "canary.steps", "ascend"),
    "steps past the end": ({"canary": {"maxWeight": 50, "steps": [10, 101]}}, "canary.steps", "ascend"),
}


@pytest.mark.parametrize("name", HEADS)
def test_the_head_of_a_policy_is_refused_with(name: str) -> None:
    fields, field, text = HEADS[name]
    found = problems(spec(**fields))
    assert text in found.get(field, ""), found


RULES: dict[str, tuple[dict[str, object], str, str]] = {
    "no id": ({"ruleId": ""}, "rule_id", "must be"),
    "an id with a line break": ({"ruleId": "a\n"}, "rule_id", "must be"),
    "an id in capitals": ({"ruleId": "A"}, "rule_id", "must be"),
    "a long title": ({"title": "x" * 201}, "title", "at most 200"),
    "an escape in the next action": ({"nextAction": "\x1b]0;"}, "next_action", "control characters"),
    "nothing to expect": ({"expect": ""}, "expect", "required"),
    "too many needs": ({"needs": [need() for _ in range(17)]}, "needs", "more than 16"),
    "too many controls": ({"controls": ["x"] * 33}, "controls", "32"),
    "a control that is an escape": ({"controls": ["\x1b"]}, "controls[0]", "control characters"),
    "no stage that exists": ({"stages": [7]}, "stages", "PRE_ROLLOUT or WATCH"),
    "a stage that is unspecified": ({"stages": [0]}, "stages", "PRE_ROLLOUT or WATCH"),
    "no verdict at all": ({"onFail": 9}, "on_fail", "cannot allow"),
    "failures before the rollout": ({"failures": 2}, "failures", "WATCH only"),
    "no failures": ({"failures": 0}, "failures", "1 to 256"),
    "too many failures": ({"stages": [2], "failures": 257}, "failures", "1 to 256"),
    "a long settle": ({"settle": "86401s"}, "settle", "between"),
    "a settle over two needs": (
        {"settle": "60s", "needs": [need(), need(kind="change_ticket")]},
        "settle",
        "exactly one need",
    ),
    "failures over two needs": (
        {"stages": [2], "failures": 3, "needs": [need(), need(kind="change_ticket")]},
        "failures",
        "exactly one need",
    ),
    "approval without a group": ({"onFail": 3}, "approval", "required"),
    "a group without votes": (
        {"onFail": 3, "approval": {"groups": [{"group": "sre"}]}},
        "approval.groups[0]",
        "1 to 10",
    ),
    "a group without a name": (
        {"onFail": 3, "approval": {"groups": [{"count": 1}]}},
        "approval.groups[0]",
        "group",
    ),
    "an approval that never lapses": (
        {"onFail": 3, "approval": {"groups": [{"group": "sre", "count": 1}], "expires": "315576000000s"}},
        "approval.expires",
        "between",
    ),
    "delegates without a name": (
        {"onFail": 3, "approval": {"groups": [{"group": "sre", "count": 1, "delegates": [""]}]}},
        "approval.groups[0].delegates",
        "ids of groups",
    ),
    "more delegates than anybody can look through": (
        {"onFail": 3, "approval": {"groups": [{"group": "sre", "count": 1, "delegates": ["x"] * 9}]}},
        "approval.groups[0].delegates",
        "more than 8",
    ),
    "an escalation to nobody": (
        {"onFail": 3, "approval": ESCALATED | {"escalateTo": {"after": "3600s"}}},
        "approval.escalate_to.group",
        "required",
    ),
    "an escalation at once": (
        {"onFail": 3, "approval": ESCALATED | {"escalateTo": {"group": "lead", "after": "0s"}}},
        "approval.escalate_to.after",
        "between",
    ),
    "an escalation at some time": (
        {"onFail": 3, "approval": ESCALATED | {"escalateTo": {"group": "lead"}}},
        "approval.escalate_to.after",
        "required",
    ),
    "a kind twice": ({"needs": [need(), need()]}, "needs", "twice"),
    "two needs with many keys": (
        {"needs": [need(), need(kind="feature_flag_state")]},
        "needs",
        "more than one key",
    ),
    "two needs of different artifacts": (
        {
            "needs": [
                need(kind="vulnerability_scan", artifacts="app", keys=["grype"]),
                need(kind="test_result", artifacts="db", keys=["unit"]),
            ]
        },
        "needs",
        "same artifacts",
    ),
}


@pytest.mark.parametrize("name", RULES)
def test_a_rule_is_refused_with(name: str) -> None:
    fields, field, text = RULES[name]
    found = problems(with_rule(**fields))
    assert text in found.get(f"rules[0].{field}", ""), found


UNKNOWNS = ["onMissing", "onStale", "onUnverified", "onConflict", "onError"]
SNAKE = {
    "onMissing": "on_missing",
    "onStale": "on_stale",
    "onUnverified": "on_unverified",
    "onConflict": "on_conflict",
    "onError": "on_error",
    "onFail": "on_fail",
}


@pytest.mark.parametrize("mode", [1, 2, 3])
@pytest.mark.parametrize("verdict", [1, 2])
@pytest.mark.parametrize("field", [*UNKNOWNS, "onFail"])
def test_nothing_that_fails_or_is_unknown_can_allow_in_any_mode(field: str, verdict: int, mode: int) -> None:
    found = problems(spec(mode=mode, rules=[rule(**{field: verdict})]))
    assert f"rules[0].{SNAKE[field]}" in found


@pytest.mark.parametrize("stage", [1, 2])
@pytest.mark.parametrize("field", UNKNOWNS)
def test_the_unknown_never_recommends_a_rollback(field: str, stage: int) -> None:
    assert f"rules[0].{SNAKE[field]}" in problems(with_rule(**{field: 6}, stages=[stage]))


@pytest.mark.parametrize("field", UNKNOWNS)
def test_the_unknown_needs_more_than_approval_in_an_enforced_policy_unless_it_says_so(field: str) -> None:
    asks: dict[str, object] = {field: 3, "approval": {"groups": [{"group": "sre", "count": 1}]}}
    assert list(problems(with_rule(**asks))) == [f"rules[0].{SNAKE[field]}"]
    assert problems(with_rule(**asks, unknownNeedsApproval=True)) == {}
    assert problems(spec(mode=2, rules=[rule(**asks)])) == {}


@pytest.mark.parametrize("stages", [[2], [1, 2]])
def test_a_failing_rule_does_not_block_while_a_rollout_is_watched(stages: list[int]) -> None:
    assert "BLOCK is for PRE_ROLLOUT" in problems(with_rule(onFail=5, stages=stages))["rules[0].on_fail"]


@pytest.mark.parametrize("stages", [[], [1], [1, 2]])
def test_a_rollback_is_not_recommended_before_the_rollout(stages: list[int]) -> None:
    found = problems(with_rule(onFail=6, stages=stages))
    assert "ROLLBACK_RECOMMENDED is for WATCH" in found["rules[0].on_fail"]


def test_a_duration_out_of_range_is_a_problem_and_no_crash() -> None:
    given = spec(watch={"duration": "60s", "gracePeriod": "1s"})
    for duration in (given.watch.duration, given.max_validity, given.rules[0].settle):
        duration.seconds = 2**62
    given.rules[0].needs[0].max_age.seconds = -(2**62)
    found = problems(given)
    assert set(found) >= {"watch.duration", "max_validity", "rules[0].settle", "rules[0].needs[0].max_age"}


def test_rule_ids_are_unique() -> None:
    assert "twice" in problems(spec(rules=[rule(), rule()]))["rules[1].rule_id"]


NEEDS: dict[str, tuple[dict[str, object], str, str]] = {
    "an unknown kind": ({"kind": "moon_phase"}, "kind", "there is no evidence kind"),
    "a kind in capitals": ({"kind": "Incident_State"}, "kind", "there is no evidence kind"),
    "a custom kind without a domain": ({"kind": "custom:load"}, "kind", "there is no evidence kind"),
    "no sources": ({"sources": []}, "sources", "name who may say this"),
    "everybody as a source": ({"sources": ["*"]}, "sources[0]", "anybody"),
    "everybody in disguise": ({"sources": ["connector:x", "?*"]}, "sources[1]", "anybody"),
    "every principal of every kind": ({"sources": ["*:*"]}, "sources[0]", "anybody"),
    "a source with a space": ({"sources": ["a b"]}, "sources[0]", "glob"),
    "too many sources": ({"sources": [f"sa:s{n}" for n in range(65)]}, "sources", "64"),
    "no age": ({"maxAge": "0s"}, "max_age", "between"),
    "an age of years": ({"maxAge": "31708800s"}, "max_age", "between"),
    "an age that no clock can hold": ({"maxAge": "315576000000s"}, "max_age", "between"),
    "keys of a kind without one": ({"kind": "change_ticket", "keys": ["x"]}, "keys", "has no key"),
    "a glob among keys": ({"keys": ["a", "b*"]}, "keys", "exact keys, or one glob"),
    "two globs": ({"keys": ["a*", "b*"]}, "keys", "exact keys, or one glob"),
    "an empty key": ({"keys": [""]}, "keys[0]", "must not be empty"),
    "too many keys": ({"keys": [f"k{n}" for n in range(65)]}, "keys", "64"),
    "long artifacts": ({"artifacts": "x" * 257}, "artifacts", "256"),
    "negative samples": ({"minSamples": -1}, "min_samples", "0 to 256"),
    "too many samples": ({"minSamples": 257}, "min_samples", "0 to 256"),
    "negative retries": ({"retries": -1}, "retries", "0 to 100"),
    "too many retries": ({"retries": 101}, "retries", "0 to 100"),
}


@pytest.mark.parametrize("name", NEEDS)
def test_a_need_is_refused_with(name: str) -> None:
    fields, field, text = NEEDS[name]
    found = problems(with_need(**fields))
    assert text in found.get(f"rules[0].needs[0].{field}", ""), found


@pytest.mark.parametrize("kind", ["provenance", "signature", "sbom", "verification_summary"])
def test_an_enforced_policy_cannot_take_attestations_unverified(kind: str) -> None:
    off = {"kind": kind, "verified": False}
    assert "cannot be turned off" in problems(with_need(**off))["rules[0].needs[0].verified"]
    assert problems(with_need(kind=kind)) == {}
    assert problems(spec(mode=2, rules=[rule(needs=[need(**off)])])) == {}


def test_an_advisory_policy_may_leave_its_sources_open() -> None:
    assert problems(spec(mode=2, rules=[rule(needs=[need(sources=[])])])) == {}


def test_every_problem_is_named_at_once() -> None:
    given = spec(mode=0, title="\x00", rules=[rule(ruleId="A", expect="", needs=[need(kind="x")])])
    assert set(problems(given)) >= {
        "mode",
        "title",
        "rules[0].rule_id",
        "rules[0].expect",
        "rules[0].needs[0].kind",
    }


def test_a_spec_of_more_than_half_a_megabyte_is_refused() -> None:
    given = spec(description="x" * 530_000)
    assert "larger than" in problems(given)["spec"]


def test_problems_read_as_one_text() -> None:
    assert joined(check_spec(spec(mode=0))) == "mode: must be SHADOW, ADVISORY or ENFORCE"


def test_a_spec_out_of_json_is_read_as_it_is_written() -> None:
    given = ParseDict({"mode": "POLICY_MODE_ENFORCE"}, policy_pb2.PolicySpec())
    assert "rules" in problems(given)
