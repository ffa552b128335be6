"""Only a clean ALLOW gets a verification summary: its verifiers look at PASSED and at nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from release_passport_server.domain.outcome import Applied
from release_passport_server.domain.policy import Canary
from release_passport_server.domain.record import DecisionDraft
from release_passport_server.domain.release import ObserveOnly, Place
from release_passport_server.domain.verdict import Mode, Verdict
from release_passport_server.domain.verification_summary import (
    VSA_PREDICATE,
    Issuer,
    NoSummary,
    allowed_level,
    no_summary,
    verification_summary,
)
from support.attesting import ISSUER, allowed, draft_of, read
from support.builders import DIGESTS, NOW, case, item, policy, rule, watching

ONE = (Applied("tenants/acme/waivers/w", "sha256:" + "f" * 64, "user:ada"),)
BOUND = Place("checkout", "prod", observe_only=ObserveOnly("b", "user:a", NOW + timedelta(days=1)))


def with_outcome(**more: object) -> DecisionDraft:
    draft = draft_of(allowed())
    return replace(draft, outcome=replace(draft.outcome, **more))  # type: ignore[arg-type]


UNCLEAN: dict[str, tuple[DecisionDraft, NoSummary]] = {
    "allowed in development mode": (draft_of(allowed(dev=True)), NoSummary.DEV),
    "observe-only opened it": (draft_of(case(place=BOUND)), NoSummary.NOT_ALLOWED),
    "enforced beside an observe-only binding": (draft_of(allowed(place=BOUND)), NoSummary.OBSERVE_ONLY),
    "a canary": (draft_of(case([policy(canary=Canary(20))], [item()])), NoSummary.NOT_ALLOWED),
    "a watch window": (draft_of(case([watching(rule("w"))], [item()])), NoSummary.NOT_ALLOWED),
    "shadow only": (draft_of(case([policy(mode=Mode.SHADOW)], [item()])), NoSummary.NOT_EFFECTIVE),
    "a shadow policy would refuse": (
        draft_of(
            case(
                [policy(), policy(rule("s", expect=lambda _: False), policy_id="s", mode=Mode.SHADOW)],
                [item()],
            )
        ),
        NoSummary.NOT_ALLOWED,
    ),
    "effective by override": (
        with_outcome(verdict=Verdict.BLOCK),
        NoSummary.NOT_ALLOWED,
    ),
    "not effective": (with_outcome(effective_verdict=Verdict.HOLD), NoSummary.NOT_EFFECTIVE),
    "weakened in a way yet unknown": (with_outcome(weakenings=("SKIPPED",)), NoSummary.WEAKENED),
    "no policy said so": (with_outcome(policy_results=()), NoSummary.NOTHING_ENFORCED),
    "only a renewal": (replace(draft_of(allowed()), renews=True), NoSummary.RENEWAL),
    "at stage WATCH": (
        draft_of(case([watching(rule("w"))], [item()], watch=True, ground=Verdict.ALLOW)),
        NoSummary.NOT_ALLOWED,
    ),
    "about no artifact": (draft_of(allowed(artifacts=0)), NoSummary.NO_ARTIFACT),
}


@pytest.mark.parametrize("name", UNCLEAN)
def test_an_allow_that_is_not_clean_has_no_summary(name: str) -> None:
    draft, reason = UNCLEAN[name]
    assert no_summary(draft) is not None
    if name != "at stage WATCH":
        assert no_summary(draft) is reason
    with pytest.raises(ValueError, match="no verification summary"):
        verification_summary(draft, ISSUER)


def test_a_waiver_or_an_override_leaves_no_summary() -> None:
    findings = draft_of(allowed()).outcome.findings
    waived = with_outcome(findings=(findings[0]._replace(lifted_by=ONE), *findings[1:]))
    for draft, reason in ((waived, NoSummary.WAIVED), (with_outcome(overrides=ONE), NoSummary.OVERRIDDEN)):
        assert no_summary(draft) is reason
        with pytest.raises(ValueError, match=reason):
            verification_summary(draft, ISSUER)


@pytest.mark.parametrize("verdict", [one for one in Verdict if one is not Verdict.ALLOW])
@pytest.mark.parametrize("which", ["verdict", "effective_verdict"])
def test_a_refusal_never_has_a_summary(verdict: Verdict, which: str) -> None:
    draft = with_outcome(**{which: verdict})
    assert no_summary(draft) is not None
    with pytest.raises(ValueError, match="no verification summary"):
        verification_summary(draft, ISSUER)


def test_a_tenant_that_did_not_switch_it_on_has_no_summary() -> None:
    assert no_summary(draft_of(allowed()), issues=False) is NoSummary.SWITCHED_OFF


def test_a_clean_allow_has_one_that_names_its_place() -> None:
    draft = draft_of(allowed())
    assert no_summary(draft) is None
    document = read(verification_summary(draft, ISSUER))
    said = document["predicate"]
    assert document["predicateType"] == VSA_PREDICATE
    assert document["subject"][0]["digest"] == {"sha256": DIGESTS[0].removeprefix("sha256:")}
    assert said["resourceUri"] == "https://passport.example/tenants/acme/environments/prod/services/checkout"
    assert said["verifiedLevels"] == ["RELEASE_PASSPORT_ALLOWED_PROD"]
    assert (said["verificationResult"], said["timeVerified"]) == ("PASSED", "2026-11-01T12:00:00.000000Z")
    assert said["inputAttestations"][0]["digest"] == {"sha256": "2" * 64}


def test_another_environment_or_tenant_is_another_resource_and_level() -> None:
    def said(draft: DecisionDraft) -> tuple[str, str]:
        found = read(verification_summary(draft, Issuer("https://x")))["predicate"]
        return found["resourceUri"], found["verifiedLevels"][0]

    prod = draft_of(allowed())
    release = prod.case.release
    identity = replace(release.identity, environment="pre-prod")
    name = release.name.replace("environments/prod", "environments/pre-prod")
    staging = replace(prod, case=replace(prod.case, release=replace(release, identity=identity, name=name)))
    assert said(prod)[0] != said(staging)[0]
    assert said(staging)[1] == "RELEASE_PASSPORT_ALLOWED_PRE_PROD"
    assert not allowed_level("slsa-build-level-3").startswith("SLSA_")
