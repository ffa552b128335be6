"""The way back: what passed before goes while something newer goes wrong, unless it is itself condemned."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from release_passport_server.domain.case import Case, case_record
from release_passport_server.domain.decide import decide
from release_passport_server.domain.outcome import Outcome, Reason
from release_passport_server.domain.people import People, StandingOverride, code_of
from release_passport_server.domain.policy import MAX_VALIDITY
from release_passport_server.domain.trace import trace
from release_passport_server.domain.verdict import Verdict
from support.builders import NOW, item
from support.restores import GOING, JUDGED, NEWER, back, forward, limited


def judged(given: Case) -> Outcome:
    return decide(given, now=NOW)


def codes(outcome: Outcome) -> set[str]:
    return {finding.reason.value for finding in outcome.findings}


@pytest.mark.parametrize("name", GOING)
def test_a_way_back_goes(name: str) -> None:
    given, would_go = GOING[name]
    outcome, otherwise = judged(given), judged(forward(given))
    assert outcome.effective_verdict is Verdict.ALLOW
    assert otherwise.effective_verdict.allows is would_go
    # All that rules find is shown as it is, and what it came to by them as well.
    assert codes(outcome) == codes(otherwise) | {"RESTORES_PREVIOUS"}
    assert outcome.verdict is otherwise.verdict
    assert outcome.policy_results == otherwise.policy_results
    assert ("RESTORES_PREVIOUS" in outcome.weakenings) is not would_go
    assert outcome.valid_until is not None
    assert NOW < outcome.valid_until <= NOW + MAX_VALIDITY


@pytest.mark.parametrize("name", JUDGED)
def test_what_is_condemned_or_no_way_back_is_judged_like_any_other(name: str) -> None:
    given = JUDGED[name]
    outcome = judged(given)
    assert outcome == judged(forward(given))
    assert not outcome.effective_verdict.allows
    assert "RESTORES_PREVIOUS" not in codes(outcome)


def test_a_way_back_is_limited_to_no_canary_and_is_watched_all_the_same() -> None:
    given = back([limited()], item())
    outcome, otherwise = judged(given), judged(forward(given))
    assert (outcome.canary, otherwise.effective_verdict) == (None, Verdict.ALLOW_WITH_CANARY)
    assert otherwise.canary is not None
    assert outcome.watch is not None
    assert outcome.watch == otherwise.watch


def test_a_way_back_uses_up_no_override() -> None:
    given = back()
    (stale,) = judged(forward(given)).findings
    override = StandingOverride("o", "sha256:o", (code_of(stale),), "user:ada", NOW + timedelta(hours=1))
    overridden = replace(given, people=People(overrides=(override,)))
    assert [one.name for one in judged(forward(overridden)).overrides] == ["o"]
    assert judged(overridden).overrides == ()
    assert judged(overridden).weakenings == ("RESTORES_PREVIOUS",)


def test_the_record_of_a_case_names_what_is_gone_back_from_and_is_as_it_was_where_there_is_nothing() -> None:
    given = back()
    named = json.loads(json.dumps(case_record(given)))["release"]
    assert named.pop("wayBackFrom") == NEWER
    assert json.loads(json.dumps(case_record(forward(given))))["release"] == named


def test_the_explanation_says_what_is_gone_back_from() -> None:
    given = back()
    outcome = judged(given)
    steps = trace(given, outcome)
    assert f"goes back from {NEWER}" in steps[0].text
    assert any(NEWER in step.text and Reason.RESTORES_PREVIOUS.value in step.text for step in steps)


def test_the_outcome_is_the_same_whichever_release_is_gone_back_from() -> None:
    given = back()
    other = replace(given, release=replace(given.release, way_back_from=f"{NEWER}-again"))
    assert judged(given).digest == judged(other).digest
