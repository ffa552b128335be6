"""What votes, waivers, freezes and overrides do to a decision, and what they never do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from release_passport_server.domain.case import Case, case_record
from release_passport_server.domain.decide import decide
from release_passport_server.domain.expression import ExpressionContext
from release_passport_server.domain.outcome import Finding, Outcome, Reason
from release_passport_server.domain.people import (
    NOBODY,
    CountedVote,
    People,
    StandingFreeze,
    StandingOverride,
    StandingWaiver,
    code_of,
    fingerprint,
    seen_codes,
)
from release_passport_server.domain.people_record import people_of
from release_passport_server.domain.policy import ApprovalGroup, ApprovalRequirement, Policy
from release_passport_server.domain.replay import people_in
from release_passport_server.domain.verdict import Mode, Verdict
from support.builders import NOW, case, item, need, policy, rule, watching

LATER = NOW + timedelta(hours=2)
SRE = ApprovalRequirement((ApprovalGroup("sre", 1),))
BOTH = ApprovalRequirement((ApprovalGroup("sre", 1), ApprovalGroup("security", 1)))
FREEZE = "tenants/acme/freezes/f"


def asking(approval: ApprovalRequirement = SRE, **more: Any) -> Policy:
    """Return a policy whose rule asks people where the facts fail."""
    return policy(
        rule("risk", on_fail=Verdict.REQUIRE_APPROVAL, approval=approval, digest="sha256:r1", **more)
    )


def vote(voter: str = "user:ada", group: str = "sre", **more: Any) -> CountedVote:
    made = CountedVote("v/" + voter, "sha256:v", "policy", "risk", "sha256:r1", True, group, voter, (), LATER)
    return made._replace(**more)


def no(voter: str = "user:bob") -> CountedVote:
    return vote(voter, "", approves=False)


def judged(policies: list[Policy], people: People, *items: Any, **more: Any) -> Outcome:
    return decide(case(policies, items or [item(20)], people=people, **more), now=NOW)


def of_rule(outcome: Outcome, name: str = "risk") -> Finding:
    return next(finding for finding in outcome.findings if finding.rule == name)


def frozen(**more: Any) -> StandingFreeze:
    made = StandingFreeze(FREEZE, "sha256:f", "quarter's end", "FINISH", LATER, "", "", ())
    return made._replace(**more)


def test_nobody_s_act_leaves_a_case_and_its_record_as_they_were() -> None:
    plain = case([policy()], [item()])
    assert "people" not in case_record(plain)
    assert plain.people is NOBODY


def test_votes_of_every_group_that_is_asked_make_it_allow() -> None:
    assert judged([asking(BOTH)], People(votes=(vote(),))).effective_verdict is Verdict.REQUIRE_APPROVAL
    both = People(votes=(vote(), vote("user:eve", "security")))
    outcome = judged([asking(BOTH)], both)
    assert (outcome.verdict, outcome.effective_verdict) == (Verdict.ALLOW, Verdict.ALLOW)
    assert of_rule(outcome).reason is Reason.APPROVED
    assert [act.principal for act in of_rule(outcome).lifted_by] == ["user:ada", "user:eve"]
    assert outcome.valid_until is not None
    assert outcome.valid_until <= LATER


def test_one_person_in_two_groups_is_one_vote() -> None:
    people = People(votes=(vote(), vote(group="security", name="v/2")))
    found = of_rule(judged([asking(BOTH)], people))
    assert found.verdict is Verdict.REQUIRE_APPROVAL
    assert "1 of security" in found.message


def test_without_known_authors_one_vote_more_is_asked_for() -> None:
    one = People(votes=(vote(),), authors_known=False)
    assert of_rule(judged([asking()], one)).verdict is Verdict.REQUIRE_APPROVAL
    two = replace(one, votes=(vote(), vote("user:eve")))
    assert of_rule(judged([asking()], two)).reason is Reason.APPROVED


def test_authors_that_nobody_knows_are_a_finding_where_people_are_asked_and_nowhere_else() -> None:
    def found(people: People, *items: Any) -> list[tuple[str, Verdict]]:
        outcome = judged([asking()], people, *items)
        return [(one.reason, one.verdict) for one in outcome.findings if one.reason is Reason.AUTHORS_UNKNOWN]

    unknown = People(authors_known=False)
    assert found(unknown) == [(Reason.AUTHORS_UNKNOWN, Verdict.ALLOW)]
    assert found(replace(unknown, votes=(vote(), vote("user:eve")))) == [
        (Reason.AUTHORS_UNKNOWN, Verdict.ALLOW)
    ]
    assert found(People(votes=(vote(),))) == []
    assert found(unknown, item(1)) == []


def test_a_rejection_blocks_whatever_the_votes_and_the_evidence_say() -> None:
    people = People(votes=(vote(), no()))
    assert judged([asking()], people).effective_verdict is Verdict.BLOCK
    passing = of_rule(judged([asking()], people, item(1)))
    assert (passing.verdict, passing.reason) == (Verdict.BLOCK, Reason.REJECTED)


def test_votes_for_another_rule_or_its_former_text_do_not_count() -> None:
    for other in (vote(rule="other"), vote(rule_digest="sha256:r0"), vote(policy="else")):
        assert of_rule(judged([asking()], People(votes=(other,)))).verdict is Verdict.REQUIRE_APPROVAL


def test_a_vote_lapses_when_a_finding_is_added_or_gets_stricter_and_not_when_one_goes() -> None:
    scan = policy(rule("scan", need("test_result"), on_missing=Verdict.HOLD), policy_id="scan")
    shown = seen_codes(judged([asking(), scan], NOBODY).findings)
    assert len(shown) == 1
    seeing = People(votes=(vote(seen=shown),))
    assert of_rule(judged([asking(), scan], seeing)).reason is Reason.APPROVED
    assert of_rule(judged([asking()], seeing)).reason is Reason.APPROVED
    assert of_rule(judged([asking(), scan], People(votes=(vote(),)))).verdict is Verdict.REQUIRE_APPROVAL
    stricter = replace(scan, rules=(replace(scan.rules[0], on_missing=Verdict.BLOCK),))
    assert of_rule(judged([asking(), stricter], seeing)).verdict is Verdict.REQUIRE_APPROVAL


def waiver_for(finding: Finding, **more: Any) -> StandingWaiver:
    made = StandingWaiver(
        "tenants/acme/waivers/w",
        "sha256:w",
        finding.policy,
        finding.rule,
        "sha256:r1",
        finding.reason.value,
        finding.artifact,
        finding.key,
        fingerprint(finding, {}),
        "user:owner",
        LATER,
    )
    return made._replace(**more)


def of(kind: str) -> Callable[[ExpressionContext], bool]:
    return lambda context: float(str(context.evidence[kind])) < 10


def plain(**more: Any) -> Policy:
    return policy(
        rule("risk", expect=of("incident_state"), digest="sha256:r1", **more),
        rule("fine", need("runtime_health"), expect=of("runtime_health")),
    )


FINE = item(1, "runtime_health")


def test_a_waiver_makes_its_finding_allow_and_stays_visible() -> None:
    failing = of_rule(judged([plain()], NOBODY, item(20), FINE))
    assert failing.verdict is Verdict.BLOCK
    outcome = judged([plain()], People(waivers=(waiver_for(failing),)), item(20), FINE)
    found = of_rule(outcome)
    assert (found.verdict, found.reason) == (Verdict.ALLOW, Reason.WAIVED)
    assert outcome.effective_verdict is Verdict.ALLOW
    assert "WAIVED" in outcome.weakenings
    assert [act.name for act in found.lifted_by] == ["tenants/acme/waivers/w"]


@pytest.mark.parametrize(
    "other",
    [
        {"rule_digest": "sha256:r0"},
        {"reason": "EVIDENCE_MISSING"},
        {"fingerprint": "another"},
        {"artifact": "registry/other"},
        {"key": "unit"},
        {"rule": "fine"},
    ],
)
def test_a_waiver_covers_its_own_finding_and_no_other(other: dict[str, str]) -> None:
    failing = of_rule(judged([plain()], NOBODY, item(20), FINE))
    outcome = judged([plain()], People(waivers=(waiver_for(failing, **other),)), item(20), FINE)
    assert outcome.effective_verdict is Verdict.BLOCK


def test_other_failing_facts_are_another_finding() -> None:
    failing = of_rule(judged([plain()], NOBODY, item(20), FINE))
    old = waiver_for(failing, fingerprint=fingerprint(failing, {failing.evidence[0].name: "CVE-1"}))
    for named, reason in (("CVE-1", Reason.WAIVED), ("CVE-1 CVE-2", Reason.EXPECTATION_FAILED)):
        people = People(waivers=(old,), fingerprints={failing.evidence[0].name: named})
        assert of_rule(judged([plain()], people, item(20), FINE)).reason is reason


def test_what_may_not_be_waived_is_not() -> None:
    failing = of_rule(judged([plain(waivable=False)], NOBODY, item(20), FINE))
    outcome = judged([plain(waivable=False)], People(waivers=(waiver_for(failing),)), item(20), FINE)
    assert outcome.effective_verdict is Verdict.BLOCK


def test_with_every_rule_waived_somebody_has_to_approve() -> None:
    only = policy(rule("risk", digest="sha256:r1"))
    failing = of_rule(judged([only], NOBODY))
    outcome = judged([only], People(waivers=(waiver_for(failing),)))
    assert outcome.effective_verdict is Verdict.REQUIRE_APPROVAL
    assert Reason.ALL_RULES_WAIVED in {finding.reason for finding in outcome.findings}


def test_a_freeze_holds_until_it_ends_and_binds_whatever_the_policies_modes() -> None:
    outcome = judged([policy(), policy(mode=Mode.SHADOW)], People(freezes=(frozen(),)), item(1))
    assert (outcome.verdict, outcome.effective_verdict) == (Verdict.HOLD, Verdict.HOLD)
    assert outcome.next_eligible_time == LATER


def test_of_freezes_that_overlap_the_end_of_the_last_is_when_it_may_go() -> None:
    longer = frozen(name="tenants/acme/freezes/g", until_time=LATER + timedelta(hours=3))
    for freezes in ((frozen(), longer), (longer, frozen())):
        outcome = judged([policy()], People(freezes=freezes), item(1))
        assert outcome.effective_verdict is Verdict.HOLD
        held = [one for one in outcome.findings if one.reason is Reason.FROZEN]
        assert [one.next_eligible_time for one in held] == [longer.until_time] * 2
        assert outcome.next_eligible_time == longer.until_time


def test_no_decision_is_valid_across_the_start_of_a_freeze() -> None:
    soon = NOW + timedelta(minutes=3)
    assert judged([policy()], People(freeze_time=soon), item(1)).valid_until == soon


def test_an_exempt_release_needs_the_freeze_s_groups_and_nothing_else_opens_it() -> None:
    exempt = frozen(exemption="e", exemption_digest="sha256:e", exempt_groups=(("sre", 1),))
    outcome = judged([policy()], People(freezes=(exempt,)), item(1))
    assert outcome.effective_verdict is Verdict.REQUIRE_APPROVAL
    given = vote(policy="", rule=f"freeze:{FREEZE}", rule_digest="sha256:f")
    assert (
        judged([policy()], People(freezes=(exempt,), votes=(given,)), item(1)).effective_verdict
        is Verdict.ALLOW
    )
    alone = exempt._replace(exempt_groups=())
    assert judged([policy()], People(freezes=(alone,)), item(1)).effective_verdict is Verdict.ALLOW


@pytest.mark.parametrize(
    ("in_flight", "verdict"),
    [
        ("FINISH", Verdict.ALLOW_WITH_CANARY),
        ("HOLD", Verdict.HOLD),
        ("ROLLBACK", Verdict.ROLLBACK_RECOMMENDED),
    ],
)
def test_a_freeze_does_to_rollouts_in_flight_what_it_says(in_flight: str, verdict: Verdict) -> None:
    people = People(freezes=(frozen(in_flight=in_flight),))
    assert judged([watching()], people, item(1), watch=True).effective_verdict is verdict


def test_an_override_takes_what_it_names_out_of_the_effective_verdict_alone() -> None:
    failing = judged([plain()], NOBODY, item(20), FINE)
    named = tuple(code_of(f) for f in failing.findings if f.verdict > Verdict.ALLOW)
    override = StandingOverride("o", "sha256:o", named, "user:ada", NOW + timedelta(minutes=5))
    outcome = judged([plain()], People(overrides=(override,)), item(20), FINE)
    assert (outcome.verdict, outcome.effective_verdict) == (Verdict.BLOCK, Verdict.ALLOW)
    assert "OVERRIDDEN" in outcome.weakenings
    assert outcome.valid_until == NOW + timedelta(minutes=5)
    later = judged([plain()], People(overrides=(override,)), item(20), item(30, "runtime_health"))
    assert later.effective_verdict is Verdict.BLOCK


def test_an_override_of_all_that_there_is_lets_the_release_go() -> None:
    only = policy(rule("risk", digest="sha256:r1"))
    named = (code_of(of_rule(judged([only], NOBODY))),)
    override = StandingOverride("o", "sha256:o", named, "user:ada", NOW + timedelta(minutes=5))
    outcome = judged([only], People(overrides=(override,)))
    assert (outcome.verdict, outcome.effective_verdict) == (Verdict.BLOCK, Verdict.ALLOW)


def test_an_override_never_lowers_a_rollout_in_flight() -> None:
    failing = policy(rule("risk", digest="r"), watch=None)
    watched = replace(
        failing, rules=(replace(failing.rules[0], stages=(case(watch=True).stage,), failures=1),)
    )
    before = judged([watched], NOBODY, watch=True)
    named = tuple(code_of(f) for f in before.findings)
    people = People(overrides=(StandingOverride("o", "sha256:o", named, "user:ada", LATER),))
    assert judged([watched], people, watch=True).effective_verdict is before.effective_verdict
    assert before.effective_verdict > Verdict.ALLOW_WITH_CANARY


def test_an_override_that_nobody_reviewed_asks_for_approval_of_the_next_release() -> None:
    outcome = judged([policy()], People(unreviewed="tenants/acme/overrides/o"), item(1))
    assert outcome.effective_verdict is Verdict.REQUIRE_APPROVAL


def test_acts_are_read_back_from_the_record_as_they_were() -> None:
    failing = of_rule(judged([plain()], NOBODY, item(20), FINE))
    people = People(
        votes=(vote(seen=(code_of(failing),)), no()),
        waivers=(waiver_for(failing),),
        overrides=(StandingOverride("o", "sha256:o", (code_of(failing),), "user:ada", LATER),),
        freezes=(frozen(exempt_groups=(("sre", 2),)),),
        freeze_time=LATER,
        authors_known=False,
        unreviewed="o",
        fingerprints={"e": "CVE-1"},
    )
    record = case_record(replace(case([plain()], [item(20)]), people=people))
    assert people_in(record) == people
    assert people_of(record["people"]) == people  # type: ignore[arg-type]


def test_adding_an_act_changes_only_the_findings_that_it_names() -> None:
    base: Case = case([asking(), policy(rule("other"), policy_id="other")], [item(20)])
    before = {f.rule: f for f in decide(base, now=NOW).findings if f.policy}
    after = decide(replace(base, people=People(votes=(vote(seen=seen_codes(before.values())),))), now=NOW)
    changed = [f for f in after.findings if f.policy and f != before[f.rule]]
    assert all(f.approval is not None for f in changed)
