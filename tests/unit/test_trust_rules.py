"""Who may vouch for what: exact values and declared patterns, nearest misses, and rules that trust strangers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from release_passport_server.domain.attestation import AttestationFailure as Failure
from release_passport_server.domain.attestation import SignerClaims
from release_passport_server.domain.trust import (
    Match,
    Refusal,
    Scope,
    SignerRule,
    Trust,
    TrustedKey,
    rule_problems,
    vouching,
)

ISSUER = "https://token.actions.githubusercontent.com"
CLAIMS = SignerClaims(
    issuer=ISSUER,
    identity="https://github.com/acme/app/.github/workflows/release.yml@refs/tags/v1.2.3",
    repository="https://github.com/acme/app",
    repository_id="1001",
    ref="refs/tags/v1.2.3",
    workflow="https://github.com/acme/app/.github/workflows/release.yml@refs/tags/v1.2.3",
    trigger="push",
    runner_environment="github-hosted",
)
RULE = SignerRule(
    "release",
    Match(ISSUER),
    identity=Match("https://github.com/acme/app/.github/workflows/release.yml@refs/tags/v*", pattern=True),
    repository=Match("https://github.com/acme/app"),
    repository_id=Match("1001"),
    ref=Match("refs/tags/v*", pattern=True),
    trigger=Match("push"),
    runner_environment=Match("github-hosted"),
)


def asked(rule: SignerRule = RULE, kind: str = "provenance", builder: str = "", **changes: Any) -> Any:
    return vouching([rule], replace(CLAIMS, **changes), kind, builder)


def test_a_signer_who_fits_every_part_may_vouch() -> None:
    assert asked() == ("release",)


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"issuer": "https://evil.example"}, Failure.ISSUER_MISMATCH),
        ({"issuer": ISSUER + "/"}, Failure.ISSUER_MISMATCH),
        ({"repository_id": "1002"}, Failure.REPOSITORY_MISMATCH),
        ({"repository": "https://github.com/evil/app"}, Failure.REPOSITORY_MISMATCH),
        ({"identity": CLAIMS.identity.replace("acme", "evil")}, Failure.IDENTITY_MISMATCH),
        ({"identity": "x" + CLAIMS.identity}, Failure.IDENTITY_MISMATCH),
        ({"ref": "refs/heads/main"}, Failure.REF_MISMATCH),
        ({"trigger": "pull_request"}, Failure.TRIGGER_MISMATCH),
        ({"runner_environment": "self-hosted"}, Failure.RUNNER_MISMATCH),
        ({"runner_environment": ""}, Failure.RUNNER_MISMATCH),
    ],
)
def test_what_differs_is_named(changes: dict[str, Any], cause: Failure) -> None:
    found = asked(**changes)
    assert isinstance(found, Refusal)
    assert found.cause is cause
    assert "rule release wants" in found.text


def test_an_exact_value_is_no_pattern() -> None:
    star = replace(RULE, ref=Match("refs/tags/v*"))
    assert isinstance(asked(star), Refusal)
    assert asked(star, ref="refs/tags/v*") == ("release",)


def test_a_builder_counts_for_provenance_alone() -> None:
    rule = replace(RULE, builder=Match("https://builder.example/*", pattern=True))
    assert asked(rule, builder="https://builder.example/1") == ("release",)
    assert asked(rule, builder="https://other.example/1").cause is Failure.BUILDER_MISMATCH
    assert asked(rule, builder="").cause is Failure.BUILDER_MISMATCH
    assert asked(rule, kind="sbom") == ("release",)


def test_a_rule_may_be_for_some_kinds_alone() -> None:
    rule = replace(RULE, scope=Scope(kinds=frozenset({"sbom"})))
    assert asked(rule, kind="sbom") == ("release",)
    assert asked(rule).cause is Failure.KIND_NOT_VOUCHED


def test_every_rule_that_fits_is_named_and_the_nearest_miss_is_told() -> None:
    other = SignerRule(
        "everybody of acme", Match(ISSUER), repository=Match("https://github.com/acme/*", pattern=True)
    )
    stranger = SignerRule("gitlab", Match("https://gitlab.com"), identity=Match("x"))
    assert vouching([stranger, RULE, other], CLAIMS, "sbom", "") == ("release", "everybody of acme")
    found = vouching([stranger, RULE], replace(CLAIMS, trigger="schedule"), "sbom", "")
    assert isinstance(found, Refusal)
    assert found.cause is Failure.TRIGGER_MISMATCH


def test_without_rules_nobody_may() -> None:
    assert isinstance(vouching([], CLAIMS, "sbom", ""), Refusal)


def test_a_scope_says_where_a_signer_counts() -> None:
    scope = Scope(services=("checkout", "pay-*"), environments=("prod",))
    assert scope.covers("checkout", "prod")
    assert scope.covers("pay-in", "prod")
    assert not scope.covers("pay-in", "staging")
    assert not scope.covers("search", "prod")
    assert Scope().covers("anything", "anywhere")
    trust = Trust(rules=(replace(RULE, scope=scope),), keys=(TrustedKey("k", "pem", Scope(services=("a",))),))
    assert trust.scopes_of(["release"]) == (scope,)
    assert trust.scopes_of(["k", "release", "gone"]) == (scope, Scope(services=("a",)))


def test_a_sound_rule_has_no_problems() -> None:
    assert list(rule_problems(RULE)) == []


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        (SignerRule("r", Match(""), identity=Match("x")), "issuer"),
        (SignerRule("r", Match(ISSUER)), "identity"),
        (SignerRule("r", Match(ISSUER), ref=Match("refs/heads/main")), "identity"),
        (SignerRule("r", Match("*", pattern=True), identity=Match("x")), "issuer"),
        (SignerRule("r", Match("https://*.example/x", pattern=True), identity=Match("x")), "issuer"),
        (SignerRule("r", Match(ISSUER), identity=Match("*", pattern=True)), "identity"),
        (SignerRule("r", Match(ISSUER), identity=Match("https://github.com*", pattern=True)), "identity"),
        (SignerRule("r", Match(ISSUER), identity=Match("https://github.com/*", pattern=True)), "identity"),
        (
            SignerRule("r", Match(ISSUER), identity=Match("https://github.com/acme*/x", pattern=True)),
            "identity",
        ),
        (SignerRule("r", Match(ISSUER), identity=Match("*@*.example", pattern=True)), "identity"),
        (
            SignerRule("r", Match(ISSUER), repository=Match("https://github.com/acme*", pattern=True)),
            "repository",
        ),
        (SignerRule("r", Match(ISSUER), identity=Match("https://github.com/acme/*")), "identity"),
        (SignerRule("r", Match(ISSUER), identity=Match("x"), trigger=Match("")), "trigger"),
    ],
)
def test_rules_that_trust_strangers_are_told(rule: SignerRule, field: str) -> None:
    assert [name for name, _ in rule_problems(rule)] == [field]


def test_people_of_one_domain_may_be_a_pattern() -> None:
    rule = SignerRule("r", Match("https://accounts.example"), identity=Match("*@acme.example", pattern=True))
    assert list(rule_problems(rule)) == []


def test_a_pattern_of_many_stars_is_compared_as_people_read_it_and_soon() -> None:
    # Tried in every place, this would not end.
    assert not Match("*a*a*a*a*a*a*b", pattern=True).fits("a" * 2000)
    assert Match("*a?c*x*", pattern=True).fits("aXabcdxe")
    assert not Match("ab*b", pattern=True).fits("ab")
