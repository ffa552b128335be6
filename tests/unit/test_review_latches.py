"""A recommended rollback stays recommended, whatever becomes of the policy that said it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from release_passport_server.domain.decide import decide
from release_passport_server.domain.outcome import Outcome, Reason
from release_passport_server.domain.release import Latch
from release_passport_server.domain.verdict import Mode, Stage, Verdict
from support.builders import ATTEMPT, NOW, RELEASE, about_attempt, case, item, need, rule, watching

V = Verdict
ERRORS = rule("errors", need("metric_sample", keys=("error_rate",)), stage=Stage.WATCH, failures=1)
ANALYSIS = rule("analysis", need("analysis_result", keys=("canary", "load")), stage=Stage.WATCH)


def latch(rule_id: str, *, enforced: bool = True, reason: str = "ROLLBACK_RECOMMENDED") -> Latch:
    return Latch(
        "01J",
        "policy",
        rule_id,
        f"{RELEASE}/decisions/x",
        ATTEMPT,
        enforced,
        reason,
        NOW - timedelta(minutes=1),
    )


def watched(mode: Mode, value: int, *latches: Latch) -> Outcome:
    sample = item(value, "metric_sample", key="error_rate", subject=about_attempt())
    other = watching(rule("other", stage=Stage.WATCH), policy_id="other")
    policies = [watching(ERRORS, mode=mode), other]
    return decide(case(policies, [sample, item(1)], watch=True, latches=latches), now=NOW)


def test_an_enforced_latch_binds_while_its_demoted_policy_still_fails() -> None:
    outcome = watched(Mode.SHADOW, 11, latch("errors"))
    assert outcome.effective_verdict is V.ROLLBACK_RECOMMENDED


def test_a_shadows_latch_does_not_keep_an_enforced_rollback_from_latching() -> None:
    assert [f.rule for f in watched(Mode.ENFORCE, 11, latch("errors", enforced=False)).latching] == ["errors"]


def test_an_enforced_latch_is_not_made_twice() -> None:
    assert watched(Mode.ENFORCE, 11, latch("errors")).latching == ()
    assert watched(Mode.SHADOW, 11, latch("errors")).latching == ()


def analysed(*latches: Latch, inconclusive: str = "", failing: str = "") -> Outcome:
    runs = [
        item(11 if key == failing else 1, "analysis_result", key=key, subject=about_attempt())
        for key in ("canary", "load")
    ]
    runs = [replace(run, inconclusive=run.key == inconclusive) for run in runs]
    return decide(case([watching(ANALYSIS)], runs, watch=True, latches=latches), now=NOW)


def test_an_inconclusive_latch_does_not_keep_a_failed_analysis_from_latching() -> None:
    before = latch("analysis", reason="ANALYSIS_INCONCLUSIVE")
    latching = analysed(before, failing="canary").latching
    assert [f.verdict for f in latching] == [V.ROLLBACK_RECOMMENDED]


def test_of_a_rule_that_is_inconclusive_and_fails_the_failure_latches() -> None:
    latching = analysed(inconclusive="canary", failing="load").latching
    assert [(f.verdict, f.reason) for f in latching] == [(V.ROLLBACK_RECOMMENDED, Reason.EXPECTATION_FAILED)]
