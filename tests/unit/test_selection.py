"""What rules share: the evidence of a need is looked up once, and an answer is about the item that is judged."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from release_passport.v1 import policy_pb2
from release_passport_server.domain.decide import decide
from release_passport_server.domain.evidence import Subject
from release_passport_server.domain.kind import SubjectType
from release_passport_server.domain.outcome import Reason
from release_passport_server.domain.select import Selection
from release_passport_server.wire.policy import policy_from_spec
from support.builders import NOW, about, case, item, need, policy, rule


def test_needs_that_say_the_same_are_one_object_in_a_policy() -> None:
    spec = policy_pb2.PolicySpec(
        mode="POLICY_MODE_ENFORCE",
        rules=[
            policy_pb2.Rule(rule_id=name, needs=[policy_pb2.Need(kind=kind)])
            for name, kind in (("a", "incident_state"), ("b", "incident_state"), ("c", "change_ticket"))
        ],
    )
    compiled = {name: rule().compiled for name in "abc"}
    first, second, third = policy_from_spec("p", 1, spec, compiled).rules
    assert first.needs[0] is second.needs[0]
    assert first.needs[0] != third.needs[0]


def test_the_evidence_of_a_need_is_looked_up_once() -> None:
    asked = need()
    selection = Selection(case([], [item()]), NOW)
    assert selection.chosen(asked, None) is selection.chosen(asked, None)
    assert selection.chosen(replace(asked), None) == selection.chosen(asked, None)


def test_each_artifact_has_its_own_items_and_those_about_the_source() -> None:
    source = Subject(SubjectType.SOURCE, "c0ffee" * 6)
    first, second = (item(1, "test_result", subject=about(n), key="unit", name=f"of-{n}") for n in (0, 1))
    common = item(1, "test_result", subject=source, key="lint", name="of-source")
    one = case([], [first, second, common], artifacts=2)
    asked = need("test_result")
    for artifact, own in zip(one.release.identity.artifacts, (first, second), strict=True):
        chosen = Selection(one, NOW).chosen(asked, artifact)
        assert {key: part.newest for key, part in chosen.items()} == {"lint": (common,), "unit": (own,)}


def test_an_answer_is_about_the_item_in_question_and_not_about_the_newest_of_its_kind() -> None:
    failing = item(50, "vulnerability_scan", subject=about(0), age=timedelta(minutes=9))
    passing = item(1, "vulnerability_scan", subject=about(1), age=timedelta(minutes=1))
    rules = (rule("r1", need("vulnerability_scan")), rule("r2", need("vulnerability_scan")))
    outcome = decide(case([policy(*rules)], [failing, passing], artifacts=2), now=NOW)
    found = {(one.rule, one.evidence): one.reason for one in outcome.findings}
    assert found == {
        (name, (one,)): reason
        for name in ("r1", "r2")
        for one, reason in ((failing, Reason.EXPECTATION_FAILED), (passing, Reason.PASSED))
    }
