"""A permit opens one gate, once, soon, and only while the newest decision still says so."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from release_passport_server.domain.permit import (
    Errand,
    Permit,
    PermitRefusal,
    Redemption,
    new_permit,
    permit_of,
    permit_refusal,
    permit_statement,
    terms_of,
)
from release_passport_server.domain.policy import Canary
from release_passport_server.domain.statement import decision_statement
from release_passport_server.domain.verdict import Stage, Verdict
from support.attesting import allowed, draft_of, read, record_of
from support.builders import NOW, case, item, policy

ERRAND = Errand("flagger/checkout", "attempts/1", 3)
DRAFT = draft_of(case([policy(canary=Canary(20, (5, 20)))], [item()]))
RECORD = record_of(DRAFT)
RELEASE = DRAFT.case.release


def permit(**more: object) -> Permit:
    made = new_permit("01J", RECORD, RELEASE, terms_of(DRAFT, ERRAND))
    assert made is not None
    return replace(made, **more)  # type: ignore[arg-type]


def redemption(**more: object) -> Redemption:
    made = Redemption(RELEASE, Stage.PRE_ROLLOUT, ERRAND, RECORD, used=False, now=NOW, weight=20)
    return replace(made, **more)  # type: ignore[arg-type]


def test_it_carries_the_terms_of_the_decision() -> None:
    made = permit()
    assert (made.max_weight, made.steps, made.verdict) == (20, (5, 20), Verdict.ALLOW_WITH_CANARY)
    assert (made.errand, made.decision, made.release_digest) == (ERRAND, RECORD.name, RELEASE.identity.digest)


def test_a_plain_allow_goes_all_the_way() -> None:
    draft = draft_of(allowed())
    made = new_permit("01J", record_of(draft), RELEASE, terms_of(draft, ERRAND))
    assert made is not None
    assert made.max_weight == 100


@pytest.mark.parametrize(("minutes", "lives"), [(3, 3), (15, 10)])
def test_it_ends_with_the_decision_and_after_ten_minutes(minutes: int, lives: int) -> None:
    record = replace(RECORD, valid_until=NOW + timedelta(minutes=minutes))
    made = new_permit("01J", record, RELEASE, terms_of(DRAFT, ERRAND))
    assert made is not None
    assert made.not_after == NOW + timedelta(minutes=lives)


@pytest.mark.parametrize("verdict", [one for one in Verdict if not one.allows])
def test_a_refusal_has_no_permit(verdict: Verdict) -> None:
    assert (
        new_permit("01J", replace(RECORD, effective_verdict=verdict), RELEASE, terms_of(DRAFT, ERRAND))
        is None
    )


@pytest.mark.parametrize("valid_until", [None, NOW, NOW - timedelta(seconds=1)])
def test_a_decision_that_no_longer_stands_has_no_permit(valid_until: object) -> None:
    record = replace(RECORD, valid_until=valid_until)  # type: ignore[arg-type]
    assert new_permit("01J", record, RELEASE, terms_of(DRAFT, ERRAND)) is None


def test_it_opens_what_it_was_given_for() -> None:
    assert permit_refusal(permit(), redemption()) is None


OTHER_RELEASE = replace(RELEASE, identity=replace(RELEASE.identity, manifest_digest="sha256:" + "0" * 64))
END = NOW + timedelta(minutes=10)
CHANGES: dict[str, tuple[dict[str, object], PermitRefusal]] = {
    "used before": ({"used": True}, PermitRefusal.REDEEMED),
    "another gate": ({"errand": replace(ERRAND, target="argo/checkout")}, PermitRefusal.OTHER_TARGET),
    "another attempt": ({"errand": replace(ERRAND, attempt="attempts/2")}, PermitRefusal.OTHER_ATTEMPT),
    "another epoch": ({"errand": replace(ERRAND, epoch=4)}, PermitRefusal.OTHER_EPOCH),
    "another release": ({"release": OTHER_RELEASE}, PermitRefusal.OTHER_RELEASE),
    "another stage": ({"stage": Stage.WATCH}, PermitRefusal.OTHER_STAGE),
    "too late": ({"now": END}, PermitRefusal.EXPIRED),
    "too early": ({"now": NOW - timedelta(seconds=1)}, PermitRefusal.NOT_YET_VALID),
    "too much": ({"weight": 21}, PermitRefusal.WEIGHT_EXCEEDED),
    "another mode": ({"dev": True}, PermitRefusal.OTHER_MODE),
    "blocked since": (
        {"newest": replace(RECORD, effective_verdict=Verdict.BLOCK)},
        PermitRefusal.VERDICT_CHANGED,
    ),
    "other constraints since": (
        {"newest": replace(RECORD, outcome_digest="sha256:0")},
        PermitRefusal.VERDICT_CHANGED,
    ),
    "judged at another stage since": (
        {"newest": replace(RECORD, stage=Stage.WATCH)},
        PermitRefusal.VERDICT_CHANGED,
    ),
    "stale since": ({"newest": replace(RECORD, valid_until=NOW)}, PermitRefusal.VERDICT_CHANGED),
    "decided by nobody": ({"newest": None}, PermitRefusal.VERDICT_CHANGED),
}


@pytest.mark.parametrize("name", CHANGES)
def test_it_opens_nothing_else(name: str) -> None:
    change, refusal = CHANGES[name]
    assert permit_refusal(permit(), redemption(**change)) is refusal


def test_a_newer_decision_that_allows_everything_keeps_it_open() -> None:
    newest = replace(RECORD, effective_verdict=Verdict.ALLOW, outcome_digest="sha256:0")
    assert permit_refusal(permit(), redemption(newest=newest)) is None


def test_the_statement_reads_back_as_the_same_permit() -> None:
    made = permit()
    assert permit_of(read(permit_statement(made, RELEASE.identity.artifacts))) == made


def test_no_other_statement_is_a_permit() -> None:
    with pytest.raises(ValueError, match="not a permit"):
        permit_of(read(decision_statement(DRAFT)))
    cut = dict(read(permit_statement(permit(), ())))
    cut["predicate"] = {key: value for key, value in cut["predicate"].items() if key != "epoch"}
    with pytest.raises(ValueError, match="not complete"):
        permit_of(cut)
