"""Laws of the decision: what no case may break."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from release_passport_server.domain.case import Case
from release_passport_server.domain.decide import decide
from release_passport_server.domain.evidence import EvidenceItem, Verification
from release_passport_server.domain.people import People
from release_passport_server.domain.policy import Policy
from release_passport_server.domain.release import ObserveOnly
from release_passport_server.domain.verdict import Mode, Verdict, strictest
from support.builders import NOW, about, case, item, need, policy, rule

VERDICTS = st.sampled_from(list(Verdict))
KINDS = ("incident_state", "vulnerability_scan", "test_result", "change_ticket")


@st.composite
def items(draw: Callable[..., object]) -> EvidenceItem:
    kind = str(draw(st.sampled_from(KINDS[:3])))
    minutes = int(str(draw(st.integers(1, 90))))
    subject = None if kind == "incident_state" else about(0)
    return item(
        draw(st.sampled_from([1, 5, 11, None])),
        kind,
        age=timedelta(minutes=minutes),
        subject=subject,
        key="" if kind == "incident_state" else str(draw(st.sampled_from(["a", "b"]))),
        source=str(draw(st.sampled_from(["connector:a", "connector:b"]))),
        verification=draw(st.sampled_from([Verification.UNSIGNED, Verification.FAILED])),
    )


@st.composite
def policies(draw: Callable[..., object]) -> Policy:
    kinds = draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=3, unique=True))
    assert isinstance(kinds, list)
    mode = Mode(int(str(draw(st.sampled_from([1, 2, 3])))))
    rules = [rule(f"r{n}", need(kind)) for n, kind in enumerate(kinds)]
    return policy(*rules, policy_id=f"p{draw(st.integers(0, 99))}", mode=mode)


CASES = st.builds(
    lambda some, evidence: case({p.policy_id: p for p in some}.values(), evidence),
    st.lists(policies(), max_size=4),
    st.lists(items(), max_size=6),
)


def effective(one: Case) -> Verdict:
    return decide(one, now=NOW).effective_verdict


@given(VERDICTS, VERDICTS, VERDICTS)
def test_combining_is_associative_commutative_and_idempotent(a: Verdict, b: Verdict, c: Verdict) -> None:
    assert {strictest(order) for order in permutations((a, b, c))} == {strictest([strictest([a, b]), c])}
    assert strictest([a, a]) is a


def test_nothing_at_all_is_never_allow() -> None:
    assert strictest([]) is Verdict.HOLD


@given(CASES)
def test_the_same_case_gives_the_same_outcome(one: Case) -> None:
    assert decide(one, now=NOW) == decide(one, now=NOW)


@given(CASES, policies())
def test_adding_a_policy_never_lowers_what_is_enforced(one: Case, added: Policy) -> None:
    """The first enforced policy with a rule that applies opens the gate; from there on more is never milder."""
    policies_now = [p for p in one.policies if p.policy_id != added.policy_id]
    before = replace(one, policies=tuple(policies_now))
    after = replace(one, policies=(*policies_now, added))
    if added.mode is not Mode.ENFORCE or any(p.mode is Mode.ENFORCE for p in policies_now):
        assert effective(after) >= effective(before)


@given(CASES)
def test_without_an_enforced_policy_nothing_opens(one: Case) -> None:
    lenient = tuple(p for p in one.policies if p.mode is not Mode.ENFORCE)
    assert effective(replace(one, policies=lenient)) >= Verdict.HOLD


@given(CASES)
def test_dropping_all_evidence_never_allows(one: Case) -> None:
    assert effective(replace(one, evidence={})) >= Verdict.REQUIRE_APPROVAL


@given(CASES, st.data())
def test_removing_what_made_a_rule_pass_never_relaxes(one: Case, data: st.DataObject) -> None:
    outcome = decide(one, now=NOW)
    if outcome.effective_verdict is not Verdict.ALLOW:
        return
    used = [i for finding in outcome.findings for i in finding.evidence if finding.mode is Mode.ENFORCE]
    gone = data.draw(st.sampled_from(used))
    left = {kind: tuple(i for i in those if i.kind != gone.kind) for kind, those in one.evidence.items()}
    assert effective(replace(one, evidence=left)) >= Verdict.HOLD


@given(CASES)
def test_turning_facts_from_good_to_bad_never_relaxes(one: Case) -> None:
    worse = {
        kind: tuple(replace(i, facts=11 if i.facts == 1 else i.facts) for i in those)
        for kind, those in one.evidence.items()
    }
    assert effective(replace(one, evidence=worse)) >= effective(one)


@given(CASES)
def test_an_allowing_decision_ends_and_no_other_does(one: Case) -> None:
    outcome = decide(one, now=NOW)
    assert (outcome.valid_until is not None) is outcome.effective_verdict.allows
    assert outcome.valid_until is None or outcome.valid_until > NOW


@given(CASES)
def test_a_decision_is_not_valid_longer_than_it_would_be_made_again(one: Case) -> None:
    outcome = decide(one, now=NOW)
    if outcome.valid_until is not None:
        just_before = outcome.valid_until - timedelta(microseconds=1)
        assert decide(one, now=just_before).effective_verdict is outcome.effective_verdict


@given(CASES, st.integers(1, 1800), st.integers(1, 1800))
def test_no_decision_is_valid_into_a_freeze_or_beyond_a_binding(one: Case, freeze: int, bound: int) -> None:
    begins, ends = NOW + timedelta(seconds=freeze), NOW + timedelta(seconds=bound)
    place = replace(one.place, observe_only=ObserveOnly("b", "team", ends))
    outcome = decide(replace(one, place=place, people=People(freeze_time=begins)), now=NOW)
    if outcome.valid_until is not None:
        assert NOW < outcome.valid_until <= begins
        assert outcome.valid_until <= ends or "OBSERVE_ONLY" not in outcome.weakenings


@given(CASES, st.booleans())
def test_what_is_found_of_the_rollouts_never_relaxes(one: Case, watched: bool) -> None:
    given_ = case(one.policies, [i for some in one.evidence.values() for i in some], watch=watched)
    overtaken = replace(given_.release, overtaken_by="another")
    for stricter in (
        replace(given_, release=overtaken),
        replace(given_, foreign_images=("sha256:" + "e" * 64,)),
    ):
        assert effective(stricter) >= effective(given_)
