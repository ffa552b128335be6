"""Evidence that counts: nothing newer about something else, and no other need, hides what failed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import pytest

from release_passport_server.domain.access import Scope
from release_passport_server.domain.decide import decide
from release_passport_server.domain.evidence import EvidenceItem, Subject
from release_passport_server.domain.kind import SubjectType
from release_passport_server.domain.outcome import Outcome, Reason
from release_passport_server.domain.policy import Need, Rule
from release_passport_server.domain.verdict import Stage, Verdict
from support.builders import NOW, about, about_attempt, case, item, need, policy, rule, watching

V = Verdict
MINUTE = timedelta(minutes=1)
CUSTOM = "custom:acme.example/load-test"
MANIFEST = Subject(SubjectType.MANIFEST, "sha256:" + "d" * 64)
SOURCE = Subject(SubjectType.SOURCE, "c0ffee" * 6)


def judged(asked: Rule, evidence: Iterable[EvidenceItem], *, artifacts: int = 1) -> Outcome:
    return decide(case([policy(asked)], evidence, artifacts=artifacts), now=NOW)


def test_a_later_item_about_another_artifact_does_not_hide_a_failing_one() -> None:
    failing = item(11, CUSTOM, subject=about(0), age=2 * MINUTE)
    passing = item(1, CUSTOM, subject=about(1), age=MINUTE)
    outcome = judged(rule("load", need(CUSTOM)), [failing, passing], artifacts=2)
    assert outcome.effective_verdict is V.BLOCK
    assert outcome.findings[0].reason is Reason.EXPECTATION_FAILED


def test_a_synced_source_does_not_hide_a_manifest_that_is_not() -> None:
    failing = item(11, "gitops_sync", subject=MANIFEST, age=2 * MINUTE, key="shop")
    passing = item(1, "gitops_sync", subject=SOURCE, age=MINUTE, key="shop")
    assert judged(rule("sync", need("gitops_sync")), [failing, passing]).effective_verdict is V.BLOCK


def test_retries_count_runs_about_one_subject() -> None:
    failing = item(11, "policy_report", subject=about(0), age=2 * MINUTE, key="kyverno")
    passing = item(1, "policy_report", subject=about(1), age=MINUTE, key="kyverno")
    asked = rule("reports", need("policy_report", retries=1))
    assert judged(asked, [failing, passing], artifacts=2).effective_verdict is V.BLOCK


TESTS = need("test_result", keys=("e2e",))
INCIDENTS = need("incident_state", keys=("pager",))
TWO_RUNS = [
    item(11, "test_result", key="e2e", subject=SOURCE, age=5 * MINUTE),
    item(1, "test_result", key="e2e", subject=SOURCE, age=MINUTE),
    item(1, "incident_state", key="pager"),
]


@pytest.mark.parametrize("needs", [(TESTS, INCIDENTS), (INCIDENTS, TESTS)])
def test_running_until_it_passes_fails_beside_another_need_too(needs: tuple[Need, ...]) -> None:
    outcome = judged(rule("both", *needs), TWO_RUNS)
    assert outcome.effective_verdict is V.BLOCK
    assert "earlier run" in outcome.findings[0].message


def test_retries_are_allowed_beside_another_need_too() -> None:
    retried = need("test_result", keys=("e2e",), retries=1)
    assert judged(rule("both", retried, INCIDENTS), TWO_RUNS).effective_verdict is V.ALLOW


def test_a_glob_without_a_star_may_match_several_keys() -> None:
    assert need("test_result", keys=("unit-?",)).many_keys
    assert not need("test_result", keys=("unit-1",)).many_keys


def test_a_decision_stands_no_longer_than_enough_samples_are_fresh() -> None:
    samples = [
        item(1, "metric_sample", key="errors", subject=about_attempt(), age=age * MINUTE) for age in (1, 3, 9)
    ]
    asked = rule(
        "errors",
        need("metric_sample", keys=("errors",), min_samples=3, max_age=10 * MINUTE),
        stage=Stage.WATCH,
    )
    outcome = decide(case([watching(asked)], samples, watch=True), now=NOW)
    assert outcome.effective_verdict is V.ALLOW_WITH_CANARY
    assert outcome.valid_until == NOW + MINUTE


def test_a_key_that_only_a_stranger_has_sent_does_not_hold_a_good_release() -> None:
    ours = item(1, "test_result", key="unit", subject=SOURCE, source="sa:ci")
    elsewhere = (Scope(("search",), ("*",)),)
    theirs = item(1, "test_result", key="zzz", subject=SOURCE, source="sa:ci-search", scopes=elsewhere)
    asked = rule("tests", need("test_result", sources=("sa:ci*",)))
    assert judged(asked, [ours, theirs]).effective_verdict is V.ALLOW
    alone = judged(asked, [theirs])
    assert [finding.reason for finding in alone.findings] == [Reason.EVIDENCE_UNTRUSTED]


def test_a_key_that_a_named_source_has_sent_is_judged() -> None:
    unit = item(1, "test_result", key="unit", subject=SOURCE, source="sa:ci")
    failing = item(11, "test_result", key="zzz", subject=SOURCE, source="sa:ci")
    asked = rule("tests", need("test_result", sources=("sa:ci",)))
    assert judged(asked, [unit, failing]).effective_verdict is V.BLOCK
