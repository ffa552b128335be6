"""The decision, rule by rule; each test names the fact that it holds to."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from release_passport_server.domain.access import Scope
from release_passport_server.domain.decide import decide
from release_passport_server.domain.evidence import EvidenceItem, Revocation, Subject, Verification
from release_passport_server.domain.expression import ExpressionFailure
from release_passport_server.domain.kind import SubjectType
from release_passport_server.domain.outcome import Outcome, Reason
from release_passport_server.domain.policy import Canary, Match
from release_passport_server.domain.release import Latch, ObserveOnly, Place
from release_passport_server.domain.verdict import Mode, Stage, Verdict
from support.builders import (
    ATTEMPT,
    NOW,
    RELEASE,
    SIGNER,
    about,
    about_attempt,
    case,
    item,
    need,
    policy,
    rule,
    watching,
)

V = Verdict
MINUTE = timedelta(minutes=1)


def reasons(outcome: Outcome) -> list[str]:
    return [finding.reason.value for finding in outcome.findings]


def judged(*args: object, **kwargs: object) -> Outcome:
    return decide(case(*args, **kwargs), now=NOW)  # type: ignore[arg-type]


def test_good_evidence_allows_until_it_goes_stale() -> None:
    outcome = judged([policy(rule("r", need(max_age=5 * MINUTE)))], [item()])
    assert (outcome.verdict, outcome.effective_verdict) == (V.ALLOW, V.ALLOW)
    assert outcome.valid_until == NOW + 4 * MINUTE


def test_no_evidence_holds_and_says_who_can_send_it() -> None:
    outcome = judged([policy(rule("r", need(sources=("connector:*",))))])
    assert outcome.effective_verdict is V.HOLD
    assert outcome.findings[0].reason is Reason.EVIDENCE_MISSING
    assert outcome.findings[0].who_can_act == ("connector:*",)
    assert outcome.valid_until is None


def test_failing_evidence_blocks() -> None:
    assert judged([policy()], [item(11)]).effective_verdict is V.BLOCK


def test_an_absent_fact_holds_and_names_its_path() -> None:
    outcome = judged([policy()], [item(None)])
    assert outcome.effective_verdict is V.HOLD
    assert outcome.findings[0].path == "evidence.incident_state.value"


def test_an_expression_that_fails_holds() -> None:
    broken = rule("r", expect=lambda _: ExpressionFailure("no such key"))
    outcome = judged([policy(broken)], [item()])
    assert (outcome.effective_verdict, reasons(outcome)) == (V.HOLD, ["EVALUATION_ERROR"])


def test_stale_evidence_holds() -> None:
    outcome = judged([policy()], [item(age=61 * MINUTE)])
    assert (outcome.effective_verdict, reasons(outcome)) == (V.HOLD, ["EVIDENCE_STALE"])


def test_failing_evidence_does_not_get_better_by_ageing() -> None:
    assert judged([policy()], [item(11, age=61 * MINUTE)]).effective_verdict is V.BLOCK


def test_age_counts_from_the_older_of_observed_and_received() -> None:
    late = item(age=MINUTE, observe_time=NOW - 61 * MINUTE)
    assert judged([policy()], [late]).effective_verdict is V.HOLD


def test_evidence_from_the_future_does_not_exist_yet() -> None:
    assert reasons(judged([policy()], [item(age=-2 * MINUTE)])) == ["EVIDENCE_MISSING"]


def test_an_older_good_item_never_stands_in_for_a_newer_bad_one() -> None:
    items = [item(1, age=10 * MINUTE), item(11, age=MINUTE)]
    assert judged([policy()], items).effective_verdict is V.BLOCK


def test_evidence_about_something_else_does_not_count() -> None:
    other = item(subject=Subject(SubjectType.WORKLOAD, "checkout/staging"))
    assert reasons(judged([policy()], [other])) == ["EVIDENCE_MISSING"]


def test_every_artifact_needs_evidence_of_its_own() -> None:
    scan = rule("scan", need("vulnerability_scan"))
    outcome = judged(
        [policy(scan)], [item(1, "vulnerability_scan", subject=about(0), key="trivy")], artifacts=3
    )
    assert outcome.effective_verdict is V.HOLD
    assert sorted(f.artifact for f in outcome.findings if f.verdict is V.HOLD) == [
        "registry/app-1",
        "registry/app-2",
    ]


def test_no_artifact_that_matches_holds() -> None:
    scan = rule("scan", need("vulnerability_scan", artifacts="nothing-*"))
    assert reasons(judged([policy(scan)], [])) == ["EVIDENCE_MISSING"]


def test_each_key_is_judged_so_that_a_newer_pass_hides_no_failing_suite() -> None:
    tests = rule("tests", need("test_result"))
    items = [
        item(11, "test_result", subject=about(0), key="e2e", age=5 * MINUTE),
        item(1, "test_result", subject=about(0), key="unit"),
    ]
    outcome = judged([policy(tests)], items)
    assert outcome.effective_verdict is V.BLOCK
    assert {f.key: f.verdict for f in outcome.findings} == {"e2e": V.BLOCK, "unit": V.ALLOW}


def test_an_exact_key_is_required() -> None:
    tests = rule("tests", need("test_result", keys=("unit", "e2e")))
    outcome = judged([policy(tests)], [item(1, "test_result", subject=about(0), key="unit")])
    assert {f.key: f.reason for f in outcome.findings}["e2e"] is Reason.EVIDENCE_MISSING


def test_a_source_that_is_not_listed_does_not_count() -> None:
    outcome = judged([policy(rule("r", need(sources=("connector:prod",))))], [item(source="sa:somebody")])
    assert (outcome.effective_verdict, reasons(outcome)) == (V.HOLD, ["EVIDENCE_UNTRUSTED"])


def test_a_submitter_whose_scope_does_not_cover_the_service_does_not_count() -> None:
    neighbour = item(scopes=(Scope(("payments",), ("*",)),))
    assert reasons(judged([policy()], [neighbour])) == ["EVIDENCE_UNTRUSTED"]


def test_sources_that_disagree_are_a_conflict_that_is_no_milder_than_failing() -> None:
    items = [item(1, source="connector:a"), item(11, source="connector:b")]
    outcome = judged([policy()], items)
    assert (outcome.effective_verdict, reasons(outcome)) == (V.BLOCK, ["EVIDENCE_CONFLICT"])


def test_an_exact_source_is_required() -> None:
    both = rule("r", need(sources=("connector:a", "connector:b")))
    assert reasons(judged([policy(both)], [item(source="connector:a")])) == ["EVIDENCE_MISSING"]


VERIFIED = {"verification": Verification.VERIFIED}


@pytest.mark.parametrize(
    ("more", "verdict", "detail"),
    [
        ({}, V.HOLD, "no verified signature"),
        (
            {"verification": Verification.FAILED, "verification_reason": "SIGNATURE_INVALID"},
            V.HOLD,
            "INVALID",
        ),
        ({**VERIFIED, "signer": "key:sha256:fork"}, V.HOLD, "SIGNER_NOT_TRUSTED"),
        ({**VERIFIED, "signer": SIGNER}, V.ALLOW, ""),
    ],
)
def test_verified_means_signed_by_a_registered_signer(
    more: dict[str, Any], verdict: Verdict, detail: str
) -> None:
    signed = rule("r", need("provenance", verified=True))
    outcome = judged([policy(signed)], [item(1, "provenance", subject=about(0), **more)])
    assert outcome.effective_verdict is verdict
    assert detail in outcome.findings[0].message


def test_a_failed_envelope_never_counts_even_where_none_is_asked_for() -> None:
    bad = item(verification=Verification.FAILED, verification_reason="SIGNATURE_INVALID")
    assert reasons(judged([policy()], [bad])) == ["EVIDENCE_UNVERIFIED"]


REVOKED = Revocation(NOW, "user:ada", "the scanner was broken that day")


def test_a_revoked_item_is_missing_and_uncovers_no_older_one() -> None:
    items = [item(1, age=10 * MINUTE), item(11, age=5 * MINUTE, revocation=REVOKED)]
    assert reasons(judged([policy()], items)) == ["EVIDENCE_MISSING"]


def test_a_newer_observation_fills_the_gap_of_a_revoked_one() -> None:
    items = [item(11, age=5 * MINUTE, revocation=REVOKED), item(1)]
    assert judged([policy()], items).effective_verdict is V.ALLOW


@pytest.mark.parametrize(("retries", "verdict"), [(0, V.BLOCK), (1, V.ALLOW)])
def test_running_again_until_green_needs_retries(retries: int, verdict: Verdict) -> None:
    tests = rule("tests", need("test_result", retries=retries))
    runs = [
        item(v, "test_result", subject=about(0), key="unit", age=a * MINUTE) for v, a in ((11, 9), (1, 1))
    ]
    assert judged([policy(tests)], runs).effective_verdict is verdict


def test_too_few_samples_are_missing_evidence() -> None:
    assert reasons(judged([policy(rule("r", need(min_samples=2)))], [item()])) == ["EVIDENCE_MISSING"]


def test_facts_that_have_not_held_long_enough_settle() -> None:
    settling = rule("r", settle=5 * MINUTE)
    outcome = judged([policy(settling)], [item(1, age=3 * MINUTE), item(1, age=MINUTE)])
    assert (outcome.effective_verdict, reasons(outcome)) == (V.HOLD, ["SETTLING"])
    assert outcome.next_eligible_time == NOW + 2 * MINUTE


def test_a_break_in_the_run_starts_settling_again() -> None:
    settling = rule("r", settle=5 * MINUTE)
    items = [item(1, age=20 * MINUTE), item(11, age=4 * MINUTE), item(1, age=MINUTE)]
    assert judged([policy(settling)], items).next_eligible_time == NOW + 4 * MINUTE


def test_a_rule_that_does_not_apply_adds_nothing_and_is_listed() -> None:
    skipped = rule("skipped", when=lambda _: False)
    outcome = judged([policy(rule("r"), skipped)], [item()])
    assert outcome.effective_verdict is V.ALLOW
    assert [n.reason for n in outcome.policy_results[0].not_applicable] == ["WHEN_FALSE"]


def test_an_error_in_when_makes_the_rule_apply() -> None:
    broken = rule("r", when=lambda _: ExpressionFailure("no such label"))
    assert reasons(judged([policy(broken)], [item()])) == ["EVALUATION_ERROR"]


def test_no_policy_holds() -> None:
    outcome = judged()
    assert (outcome.verdict, outcome.effective_verdict) == (V.HOLD, V.HOLD)
    assert "NO_POLICY_MATCHED" in reasons(outcome)


def test_no_rule_holds() -> None:
    outcome = judged([policy(rule("r", when=lambda _: False))], [item()])
    assert outcome.effective_verdict is V.HOLD
    assert "NO_RULE_APPLIED" in reasons(outcome)


def test_an_unknown_service_holds() -> None:
    outcome = judged([policy()], [item()], place=Place("checkout2", "prod", service_known=False))
    assert (outcome.effective_verdict, reasons(outcome)) == (V.HOLD, ["UNKNOWN_SERVICE"])


BINDING = ObserveOnly("01J", "team-checkout", NOW + timedelta(days=1))


@pytest.mark.parametrize(
    ("modes", "value", "bound", "effective"),
    [
        ((), 1, False, V.HOLD),
        ((), 1, True, V.ALLOW),
        ((Mode.SHADOW,), 1, False, V.HOLD),
        ((Mode.SHADOW,), 11, True, V.ALLOW),
        ((Mode.ADVISORY,), 1, False, V.HOLD),
        ((Mode.ADVISORY,), 11, True, V.ALLOW),
        ((Mode.ENFORCE,), 1, False, V.ALLOW),
        ((Mode.ENFORCE,), 11, True, V.BLOCK),
        ((Mode.SHADOW, Mode.ENFORCE), 11, False, V.BLOCK),
        ((Mode.SHADOW, Mode.ADVISORY), 1, False, V.HOLD),
    ],
)
def test_only_enforced_policies_open_anything(
    modes: tuple[Mode, ...], value: int, bound: bool, effective: Verdict
) -> None:
    place = Place("checkout", "prod", observe_only=BINDING if bound else None)
    policies = [policy(policy_id=f"p{n}", mode=mode) for n, mode in enumerate(modes)]
    outcome = judged(policies, [item(value)], place=place)
    assert outcome.effective_verdict is effective
    assert ("OBSERVE_ONLY" in outcome.weakenings) is (bound and Mode.ENFORCE not in modes)


def test_a_shadow_policy_shows_in_the_verdict_and_not_in_the_effective_one() -> None:
    failing = policy(rule("s", expect=lambda _: False), policy_id="shadow", mode=Mode.SHADOW)
    outcome = judged([policy(), failing], [item()])
    assert (outcome.verdict, outcome.effective_verdict) == (V.BLOCK, V.ALLOW)


def test_a_required_policy_that_is_not_enforced_holds() -> None:
    place = Place("checkout", "prod", required_policies=("baseline",))
    outcome = judged([policy(), policy(policy_id="baseline", mode=Mode.SHADOW)], [item()], place=place)
    assert outcome.effective_verdict is V.HOLD
    assert "REQUIRED_POLICY_MISSING" in reasons(outcome)


def test_a_policy_for_other_labels_does_not_apply() -> None:
    elsewhere = policy(policy_id="risky", match=Match(service_labels=(("risk", "high"),)))
    assert [r.policy for r in judged([policy(), elsewhere], [item()]).policy_results] == ["policy"]


def test_canary_constraints_combine_to_the_strictest() -> None:
    policies = [
        policy(policy_id="a", canary=Canary(50, (10, 25, 50))),
        policy(policy_id="b", canary=Canary(20, (5, 20))),
    ]
    outcome = judged(policies, [item()])
    assert outcome.effective_verdict is V.ALLOW_WITH_CANARY
    assert outcome.canary == Canary(20, (5, 10, 20))


def canary(value: object, seconds: int = 30, **more: Any) -> EvidenceItem:
    age = timedelta(seconds=seconds)
    return item(value, "metric_sample", age=age, subject=about_attempt(), key="error_rate", **more)


WATCHER = watching(rule("errors", need("metric_sample"), stage=Stage.WATCH, failures=3))


def test_failing_signals_recommend_a_rollback_once_they_fail_often_enough() -> None:
    two = judged([WATCHER], [canary(11, 60), canary(11, 30)], watch=True)
    three = judged([WATCHER], [canary(11, 90), canary(11, 60), canary(11, 30)], watch=True)
    assert two.effective_verdict is V.ALLOW_WITH_CANARY
    assert "FAILING_BELOW_THRESHOLD" in reasons(two)
    assert three.effective_verdict is V.ROLLBACK_RECOMMENDED
    assert [finding.rule for finding in three.latching] == ["errors"]


def test_the_stable_versions_health_proves_nothing_of_the_canary() -> None:
    wide = [item(1, "metric_sample", age=timedelta(seconds=30), key="error_rate")]
    assert judged([WATCHER], wide, watch=True).effective_verdict is V.HOLD


def test_a_failing_service_holds_the_canary_and_never_alone_rolls_it_back() -> None:
    wide = [item(11, "metric_sample", age=timedelta(seconds=s), key="error_rate") for s in (90, 60, 30)]
    outcome = judged([WATCHER], [*wide, canary(1)], watch=True)
    assert outcome.effective_verdict is V.HOLD


def test_the_first_minutes_of_a_canary_warm_up() -> None:
    young = {"watch": True, "attempt_age": MINUTE}
    policies = [watching(rule("errors", need("metric_sample"), stage=Stage.WATCH), grace=2 * MINUTE)]
    outcome = judged(policies, [], **young)
    assert (outcome.effective_verdict, "WARMING_UP" in reasons(outcome)) == (V.ALLOW_WITH_CANARY, True)
    assert outcome.valid_until == NOW + MINUTE
    assert judged(policies, [], watch=True).effective_verdict is V.HOLD


def latch(attempt: str = ATTEMPT, reason: str = "ROLLBACK_RECOMMENDED") -> Latch:
    return Latch("01J", "policy", "errors", f"{RELEASE}/decisions/x", attempt, True, reason, NOW - MINUTE)


def test_a_recommended_rollback_stands_whatever_later_samples_say() -> None:
    outcome = judged([WATCHER], [canary(1)], watch=True, latches=(latch(),))
    assert outcome.effective_verdict is V.ROLLBACK_RECOMMENDED
    assert "ROLLBACK_LATCHED" in reasons(outcome)


def test_the_same_digests_need_people_after_they_degraded() -> None:
    outcome = judged([policy()], [item()], latches=(latch(f"{RELEASE}/attempts/0"),))
    assert outcome.effective_verdict is V.REQUIRE_APPROVAL
    assert "PREVIOUSLY_DEGRADED" in reasons(outcome)


def test_an_inconclusive_analysis_holds_and_latches() -> None:
    analysis = watching(rule("errors", need("analysis_result"), stage=Stage.WATCH))
    ran = item(1, "analysis_result", age=MINUTE, subject=about_attempt(), inconclusive=True)
    outcome = judged([analysis], [ran], watch=True)
    assert outcome.effective_verdict is V.HOLD
    assert [finding.reason for finding in outcome.latching] == [Reason.ANALYSIS_INCONCLUSIVE]


def test_watching_is_never_milder_than_the_ground() -> None:
    outcome = judged([WATCHER], [canary(1)], watch=True, ground=V.BLOCK)
    assert outcome.effective_verdict is V.BLOCK


def test_a_withdrawn_ground_holds() -> None:
    good = case([WATCHER], [canary(1)], watch=True)
    assert good.ground is not None
    withdrawn = replace(good, ground=replace(good.ground, withdrawn=("tenants/acme/evidence/1",)))
    assert decide(withdrawn, now=NOW).effective_verdict is V.HOLD


def test_nothing_watched_leaves_the_grounds_verdict() -> None:
    outcome = judged([policy()], [item()], watch=True)
    assert outcome.effective_verdict is V.ALLOW_WITH_CANARY
    assert "NOTHING_WATCHED" in reasons(outcome)


def test_an_allowing_decision_stands_for_fifteen_minutes_at_most() -> None:
    outcome = judged([policy(rule("r", need(max_age=timedelta(days=7))))], [item()])
    assert outcome.valid_until == NOW + 15 * MINUTE
